"""Migrations through PgBouncer in transaction mode, where a session is nobody's for long.

Session-level locks and settings would exclude nobody there and leak to the next client; these
tests fail with either. They need the program `pgbouncer` (`make test-pgbouncer`).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from common.postgres.address import open_session
from common.postgres.migrations import Migrator, provision_tenant
from tests.migrations.toys import Database, Toys
from tests.postgres.pooler import dsn, pooler

pytestmark = [pytest.mark.pgbouncer, pytest.mark.req("MIG-1", "TEN-2")]


@pytest.fixture
def pooled(database: Database) -> Iterator[str]:
    """The address of the test's database behind a pool of two server connections."""
    with pooler(database.server, size=2) as socket:
        yield dsn(socket, "postgres", database.name)


def test_runners_and_births_at_once_through_a_pooler_apply_each_migration_once(
    database: Database, pooled: str, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    newborn = uuid4()

    def run() -> int:
        return Migrator(lambda: open_session(pooled), toys.path).up().exit_code

    def bear() -> int:
        session = open_session(pooled)
        try:
            return provision_tenant(session, newborn, toys.path)
        finally:
            session.close()

    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(run) for _ in range(3)]
        born = threads.submit(bear)
        assert [each.result(300) for each in runs] == [0, 0, 0]
        assert born.result(300) == 2

    assert database.versions([*hotels, newborn]) == [2] * 10


def test_nothing_of_a_migration_is_left_on_the_servers_connections(
    pooled: str, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    assert Migrator(lambda: open_session(pooled), toys.path).up().exit_code == 0

    session = open_session(pooled)
    for setting, untouched in (
        ("search_path", '"$user", public'),
        ("role", "none"),
        ("lock_timeout", "0"),
        ("app.tenant_id", ""),
    ):
        # In a transaction, as everything behind a pooler.
        session.run("BEGIN")
        assert (session.run(f"SELECT current_setting('{setting}', true)")[0][0] or "") == untouched
        session.run("COMMIT")
    session.close()
