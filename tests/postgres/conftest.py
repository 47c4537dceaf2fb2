"""The service behind a proxy, or wired another way, on the same database and the same hotels."""

from collections.abc import Iterator

import pytest

from common.local.database import LocalDatabase
from common.postgres.connection import Connection
from tests.hotel import House
from tests.postgres.asking import connect
from tests.postgres.proxy import Proxy


@pytest.fixture
def proxy(house: House) -> Iterator[Proxy]:
    """A proxy before the server that counts and cuts."""
    standing = Proxy(house.server)
    yield standing
    standing.stop()


@pytest.fixture
def behind(house: House, proxy: Proxy) -> Iterator[House]:
    """The service as it is, reaching its database through the proxy with up to eight threads."""
    built = house.beside(databases={"main": proxy.dsn()}, pool_size=8)
    yield built
    built.close()


@pytest.fixture
def line(server: LocalDatabase) -> Iterator[Proxy]:
    """The way to the server, before there is any service."""
    standing = Proxy(server)
    yield standing
    standing.stop()


@pytest.fixture
def connection(line: Proxy) -> Iterator[Connection]:
    """One connection of ours, as the administrator."""
    opened = connect(line)
    yield opened
    opened.close()
