"""The address of a database, as libpq writes it, opened as a session of pg8000.

Used where a person or a job names a database by its address: the command line, the laptop's stack,
the tests. Production's functions connect through Cloud SQL's connector instead.
"""

from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import pg8000.native

PORT: Final = 5432


def open_session(dsn: str, *, timeout_seconds: int | None = None) -> pg8000.native.Connection:
    """Connect to `postgresql://user:password@host:port/database`, or `...?host=/socket/folder`.

    `timeout_seconds` bounds every later answer as well, not only the connecting. Raises ValueError
    for an address that names no user or no database, and pg8000's InterfaceError when nobody
    answers.
    """
    parts = urlsplit(dsn)
    database = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in ("postgresql", "postgres") or not parts.username or not database:
        raise ValueError("a database's address reads postgresql://user@host/database")
    socket_dir = parse_qs(parts.query).get("host", [""])[0]
    port = parts.port or PORT
    at = (
        {"unix_sock": f"{socket_dir}/.s.PGSQL.{port}", "ssl_context": False}
        if socket_dir.startswith("/")
        else {"host": socket_dir or parts.hostname or "localhost", "port": port}
    )
    return pg8000.native.Connection(
        unquote(parts.username),
        database=database,
        password=unquote(parts.password) if parts.password else None,
        timeout=timeout_seconds,
        **at,
    )
