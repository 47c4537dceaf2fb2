"""The project's own migrations: every one of them up, down and up again, however many there are."""

from uuid import uuid4

import pytest

from common.postgres.migrations import MIGRATIONS, Migrator, prepare_server, provision_tenant
from tests.migrations.toys import Database

pytestmark = pytest.mark.req("MIG-1")


@pytest.fixture
def migrator(database: Database) -> Migrator:
    session = database.connect()
    prepare_server(session)
    session.close()
    return Migrator(database.connect, MIGRATIONS)


def test_every_central_migration_goes_down_to_what_was_before_it(
    database: Database, migrator: Migrator
) -> None:
    newest = migrator.status()[0].latest
    dumps = [database.dump()]
    for version in range(1, newest + 1):
        assert migrator.up(version, scope="central").exit_code == 0
        dumps.append(database.dump())

    assert len(set(dumps)) == newest + 1, "a migration that changes nothing"
    for version in range(newest - 1, -1, -1):
        summary = migrator.down(version, scope="central")
        assert summary.exit_code == 0, summary.sentence()
        assert database.dump() == dumps[version]
    for version in range(1, newest + 1):
        migrator.up(version, scope="central")
        assert database.dump() == dumps[version]


@pytest.mark.req("TEN-1")
def test_every_tenant_migration_goes_down_to_what_was_before_it(
    database: Database, migrator: Migrator
) -> None:
    """A second tenant stays at the newest version: the walk of the first must not touch it."""
    assert migrator.up(scope="central").exit_code == 0
    session = database.connect()
    walker, stayer = uuid4(), uuid4()
    newest = provision_tenant(session, stayer)
    assert provision_tenant(session, walker) == newest
    session.close()
    dumps = {newest: database.dump()}

    for version in range(newest - 1, -1, -1):
        summary = migrator.down(version, tenants=[walker])
        assert summary.exit_code == 0, summary.sentence()
        dumps[version] = database.dump()
    assert len(set(dumps.values())) == newest + 1, "a migration that changes nothing"
    for version in range(1, newest + 1):
        summary = migrator.up(version, tenants=[walker])
        assert summary.exit_code == 0, summary.sentence()
        assert database.dump() == dumps[version]
    for version in range(newest - 1, -1, -1):
        migrator.down(version, tenants=[walker])
        assert database.dump() == dumps[version]
