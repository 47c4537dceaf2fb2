"""Runners that die, meet one another, or find a reader in their way."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from uuid import UUID

import pg8000.native
import pytest

from common.postgres.migrations import Limits, Migrator
from common.postgres.schemas import schema_of
from tests.migrations.toys import IMPATIENT, Database, Meddler, Toys

pytestmark = pytest.mark.req("MIG-1")

ROOT = Path(__file__).parents[2]


def statements_of(database: Database, toys: Toys) -> list[str]:
    """Bring everything up and return each statement that the runner sent."""
    sent: list[str] = []
    Migrator(lambda: Meddler(database.connect(), sent.append), toys.path).up()
    return sent


def killed(database: Database, toys: Toys, number: int, when: str) -> int:
    """Run `up` in a process that dies at a statement; return how the process ended."""
    command = [sys.executable, str(ROOT / "tests/migrations/killed_runner.py")]
    return subprocess.run(
        [*command, database.dsn, str(toys.path), str(number), when],
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ).returncode


def test_finishes_after_being_killed_at_any_statement_of_a_migration(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    sent = statements_of(database, toys)
    finished = database.dump()
    alterations = [at for at, sql in enumerate(sent, start=1) if "ADD COLUMN floor" in sql]
    assert len(alterations) == 9
    third = range(alterations[1] + 4, alterations[2] + 4)  # from its history to its commit
    assert sent[third[-1] - 1] == "COMMIT"

    for number in third:
        database.migrator(toys.path).down(1, scope="tenants")
        assert killed(database, toys, number, "before") == -signal.SIGKILL
        assert database.versions(hotels) == [2, 2, 1, 1, 1, 1, 1, 1, 1]
        assert database.migrator(toys.path).up().exit_code == 0
        assert database.versions(hotels) == [2] * 9
        assert database.dump() == finished


def test_finishes_after_being_killed_right_after_a_commit(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    sent = statements_of(database, toys)
    finished = database.dump()
    third = [at for at, sql in enumerate(sent, start=1) if "ADD COLUMN floor" in sql][2]
    database.migrator(toys.path).down(1, scope="tenants")

    assert killed(database, toys, sent.index("COMMIT", third) + 1, "after") == -signal.SIGKILL

    assert database.versions(hotels) == [2, 2, 2, 1, 1, 1, 1, 1, 1]
    assert database.migrator(toys.path).up().exit_code == 0
    assert database.dump() == finished


def waiting_for_lock(database: Database, kind: str) -> bool:
    """Whether a session of this database waits for a lock, asked until the test's time is up."""
    sql = (
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
        "WHERE NOT granted AND locktype = :kind AND datname = :name"
    )
    session = database.connect()
    try:
        return any(session.run(sql, kind=kind, name=database.name)[0][0] for _ in range(20_000))
    finally:
        session.close()


def test_two_runners_at_once_apply_each_migration_once(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    in_the_middle, may_go_on = Event(), Event()

    def linger(sql: str) -> None:
        if "INSERT INTO billing_central.schema_migrations" in sql and not in_the_middle.is_set():
            in_the_middle.set()
            assert may_go_on.wait(60)

    first = Migrator(lambda: Meddler(database.connect(), linger), toys.path)
    second = Migrator(database.connect, toys.path)
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(first.up)
        assert in_the_middle.wait(60)
        two = threads.submit(second.up)
        assert waiting_for_lock(database, "advisory")
        may_go_on.set()
        summaries = one.result(120), two.result(120)

    assert [each.exit_code for each in summaries] == [0, 0]
    assert database.versions(hotels) == [2] * 9
    moved = [each.tenant_id for run in summaries for each in run.outcomes if each.state == "moved"]
    assert sorted(moved) == hotels


def test_many_runners_at_once_on_an_empty_database_agree(database: Database, toys: Toys) -> None:
    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(Migrator(database.connect, toys.path).up) for _ in range(4)]
        codes = [run.result(120).exit_code for run in runs]

    assert codes == [0, 0, 0, 0]
    assert database.run("SELECT version FROM billing_central.schema_migrations") == [[1]]


def reader_of(database: Database, tenant: UUID) -> pg8000.native.Connection:
    """Open a transaction that has read a tenant's table and has not ended."""
    session = database.connect()
    session.run("BEGIN")
    session.run(f"SELECT * FROM {schema_of(tenant)}.rooms")
    return session


def test_waits_half_a_second_beside_a_long_reader_and_comes_back(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    reader = reader_of(database, hotels[2])
    pauses: list[float] = []

    def until_the_reader_has_gone(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            reader.run("COMMIT")

    summary = database.migrator(toys.path, Limits(pause=until_the_reader_has_gone)).up()

    assert summary.exit_code == 0
    assert len(pauses) == 2
    reader.close()


def test_gives_a_tenant_up_whose_reader_does_not_end_and_goes_on(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    reader = reader_of(database, hotels[2])

    summary = database.migrator(toys.path, IMPATIENT).up(on_failure="continue")

    assert database.versions(hotels) == [2, 2, 1, 2, 2, 2, 2, 2, 2]
    assert "lock timeout (55P03)" in summary.sentence()
    reader.close()


def test_nobody_queues_behind_a_waiting_migration_for_longer_than_its_lock_timeout(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    """The migration waits for a reader; a second reader queues behind it and gets through."""
    toys.add_floors()
    reader = reader_of(database, hotels[0])
    second_reader = database.connect()
    second_reader.run("SET statement_timeout = '5s'")

    with ThreadPoolExecutor(1) as threads:
        limits = Limits(pause=lambda seconds: None)
        run = threads.submit(database.migrator(toys.path, limits).up)
        try:
            assert waiting_for_lock(database, "relation")
            assert second_reader.run(f"SELECT * FROM {schema_of(hotels[0])}.rooms") == []
        finally:
            reader.run("COMMIT")
        assert run.result(60).exit_code == 0
    second_reader.close()
    reader.close()


@pytest.mark.req("TEN-2b")
@pytest.mark.parametrize("fault", [ValueError("a converter raised"), OSError("cut")])
def test_never_uses_a_connection_again_that_failed_inside_the_driver(
    database: Database, toys: Toys, hotels: list[UUID], fault: Exception
) -> None:
    toys.add_floors()
    opened: list[pg8000.native.Connection] = []
    used: list[int] = []

    def connect() -> Meddler:
        opened.append(database.connect())
        number = len(opened)

        def before(sql: str) -> None:
            used.append(number)
            if "ADD COLUMN floor" in sql and number == 1:
                raise fault

        return Meddler(opened[-1], before)

    run: Callable[[], object] = Migrator(connect, toys.path, limits=IMPATIENT).up
    if isinstance(fault, OSError):  # the network's: read anew what holds, and go on
        run()
        assert database.versions(hotels) == [2] * 9
        assert used[used.index(2) :] == [2] * len(used[used.index(2) :])
    else:  # ours: told to the caller
        with pytest.raises(ValueError, match="converter"):
            run()
    with pytest.raises(pg8000.native.InterfaceError):
        opened[0].run("SELECT 1")


def test_counts_a_commit_whose_answer_was_lost(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    cut: list[str] = []

    class Cut(Meddler):
        def run(self, sql: str, **parameters: object) -> object:
            answer = super().run(sql, **parameters)
            if "INSERT INTO billing_central.schema_migrations" in sql:
                cut.append("recorded")
            if sql == "COMMIT" and cut == ["recorded"]:
                cut.append("cut")
                raise OSError("the answer to COMMIT was lost")
            return answer

    summary = Migrator(
        lambda: Cut(database.connect(), lambda sql: None), toys.path, limits=IMPATIENT
    ).up()

    assert cut[:2] == ["recorded", "cut"]
    assert summary.exit_code == 0
    assert database.versions(hotels) == [2] * 9
