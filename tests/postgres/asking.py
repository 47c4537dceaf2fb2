"""Asking a connection for what comes back at once: enough to see whose answer it is."""

from common.postgres.address import open_session
from common.postgres.connection import Connection, Statement
from tests.postgres.proxy import Proxy

ECHO = "SELECT $1::text"


def connect(line: Proxy, **more: bool) -> Connection:
    """A connection of ours through the proxy."""
    return Connection(lambda: open_session(line.dsn("postgres", "postgres")), **more)


def echo(connection: Connection, *texts: str) -> list[str]:
    """What comes back for each text, in one round trip."""
    return [rows[0][0] for rows in connection.run([Statement(ECHO, (text,)) for text in texts])]
