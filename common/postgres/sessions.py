"""How a session with a database is opened: over TCP, a Unix socket, or Cloud SQL.

The address decides, and nothing else differs. For Cloud SQL the official connector makes the TLS
socket and the IAM token, refreshed lazily because an idle instance has no processor time. The
driver sets no time limit on a socket that it is given, so that it is set here: a database that
fails over in the middle of an answer would otherwise keep a thread for ever.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pg8000.native

from common.postgres.address import open_session
from common.postgres.connection import Connection


class AddressInvalid(Exception):
    """The database's address is not one that we know how to reach."""


def opener(address: str, *, timeout_seconds: int) -> Callable[[], pg8000.native.Connection]:
    """What opens a session at an address. Raises AddressInvalid."""
    parts = urlsplit(address)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    match parts.scheme:
        case "postgresql":
            return lambda: open_session(address, timeout_seconds=timeout_seconds)
        case "cloudsql":
            return _cloud_sql(parts.netloc, parts.path.strip("/"), query, timeout_seconds)
        case _:
            raise AddressInvalid(f"{parts.scheme}: is not known; use postgresql: or cloudsql:")


def connector(
    address: str, *, timeout_seconds: int = 30, prepares: bool = True
) -> Callable[[], Connection]:
    """What makes a connection to an address."""
    open_session = opener(address, timeout_seconds=timeout_seconds)
    return lambda: Connection(open_session, prepares=prepares)


def _cloud_sql(
    instance: str, database: str, query: dict[str, str], timeout_seconds: int
) -> Callable[[], pg8000.native.Connection]:
    connectors: list[Any] = []

    def open_session() -> pg8000.native.Connection:
        from google.cloud.sql.connector import Connector, IPTypes

        if not connectors:
            connectors.append(Connector(refresh_strategy="lazy"))
        session: pg8000.native.Connection = connectors[0].connect(
            instance,
            "pg8000",
            user=query["user"],
            db=database,
            enable_iam_auth=True,
            ip_type=IPTypes.PRIVATE if query.get("ip") == "private" else IPTypes.PUBLIC,
            timeout=timeout_seconds,
        )
        session._usock.settimeout(timeout_seconds)
        return session  # the connector's connection has the same core as a native one

    return open_session
