"""An empty database for each test on the session's server, and toy migrations."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from common.local.database import LocalDatabase
from common.postgres.migrations import provision_tenant
from tests.migrations.toys import Database, Toys


@pytest.fixture
def database(server: LocalDatabase) -> Iterator[Database]:
    name = f"migrations_{uuid4().hex[:12]}"
    server.create(name)
    yield Database(server, name)
    server.drop(name)


@pytest.fixture
def toys(tmp_path: Path) -> Toys:
    return Toys(tmp_path)


@pytest.fixture
def hotels(database: Database, toys: Toys) -> list[UUID]:
    """Nine registered tenants at version 1, in the order in which the runner takes them."""
    tenants = sorted(uuid4() for _ in range(9))
    database.migrator(toys.path).up(scope="central")
    session = database.connect()
    for tenant in tenants:
        provision_tenant(session, tenant, toys.path)
    session.close()
    database.register(tenants)
    return tenants
