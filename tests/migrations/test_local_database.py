"""The laptop's PostgreSQL: found again, held by one, recovered after a crash."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.local.database import DatabaseDidNotStart, FolderHeld, LocalDatabase, start_database
from common.postgres.address import open_session

pytestmark = pytest.mark.req("LOC-1", "LOC-2")

ROOT = Path(__file__).parents[2]
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="billing-tests-") as folder:
        yield Path(folder) / "postgres"


def value(database: LocalDatabase, sql: str, name: str = "postgres") -> object:
    session = open_session(database.dsn(database=name))
    try:
        return session.run(sql)[0][0]
    finally:
        session.close()


def in_another_process(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    prelude = "import os, sys\nfrom pathlib import Path\nfrom common.local.database import *\n"
    return subprocess.run(
        [sys.executable, "-c", prelude + script, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def test_is_a_durable_postgresql_that_listens_on_no_network(home: Path) -> None:
    """As it is started on a laptop; the tests' own one does not wait for the disk."""
    server = start_database(home)
    shown = {
        setting: value(server, f"SHOW {setting}")
        for setting in (*DURABLE, "server_version_num", "max_connections", "listen_addresses")
    }

    assert str(shown.pop("server_version_num")).startswith("18")
    assert {shown.pop(setting) for setting in DURABLE} == {"on"}
    assert shown == {"max_connections": "200", "listen_addresses": ""}
    assert server.socket.is_socket()
    server.stop()


def test_sorts_by_code_point_whatever_the_machines_language_is(server: LocalDatabase) -> None:
    server.create("sorted")

    found = value(
        server, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{a,B,Z,é}'::text[]) x", "sorted"
    )

    assert found == "BZaé"
    server.drop("sorted")


def test_copies_a_database_and_drops_it_again(server: LocalDatabase) -> None:
    server.create("original")
    value(server, "CREATE TABLE kept AS SELECT 7 AS number; SELECT 1", "original")
    server.create("copied", template="original")

    assert value(server, "SELECT number FROM kept", "copied") == 7
    assert server.exists("copied")
    server.drop("copied")
    server.drop("original")
    assert not server.exists("copied")


def test_brings_the_programs_that_tests_need(server: LocalDatabase) -> None:
    for name in ("psql", "pg_dump", "pgbench"):
        done = subprocess.run([server.binary(name), "--version"], capture_output=True, check=True)
        assert b"18." in done.stdout
    with pytest.raises(FileNotFoundError, match="no program named pg_nothing"):
        server.binary("pg_nothing")


def test_keeps_what_was_committed_over_a_crash_and_a_stop(home: Path) -> None:
    first = start_database(home)
    value(first, "CREATE TABLE kept AS SELECT 7 AS number; SELECT 1")
    first.kill()
    assert not first.running

    second = start_database(home)
    assert value(second, "SELECT number FROM kept") == 7
    second.stop()
    second.stop()

    third = start_database(home)
    assert value(third, "SELECT number FROM kept") == 7
    third.stop()


def test_tells_a_second_run_who_holds_the_folder(home: Path) -> None:
    held = start_database(home)

    second = in_another_process(
        "try: start_database(Path(sys.argv[1]))\n"
        "except FolderHeld as held: print(held); sys.exit(held.exit_code)",
        home,
    )

    assert second.returncode == FolderHeld.exit_code == 75
    assert f"already run by process {os.getpid()} (" in second.stdout
    held.stop()


def test_takes_over_from_a_process_that_was_killed(home: Path) -> None:
    killed = in_another_process(
        "start_database(Path(sys.argv[1])).create('kept')\nos.kill(os.getpid(), 9)", home
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    after = start_database(home)

    assert after.exists("kept")
    after.stop()


def test_stops_at_the_end_of_its_process(home: Path) -> None:
    ended = in_another_process("print(start_database(Path(sys.argv[1])).running)", home)

    assert ended.stdout == "True\n", ended.stderr
    assert not (home / "data" / "postmaster.pid").exists()


def test_runs_in_a_folder_whose_path_is_too_long_for_a_socket(home: Path) -> None:
    long_path = home / ("a clone, deep 'down' in \"somebody's\" tree " * 4).strip() / "postgres"

    database = start_database(long_path)

    assert value(database, "SELECT 1") == 1
    assert len(str(database.socket)) < 100
    database.stop()
    assert not database.socket_dir.exists()


def test_says_what_the_log_says_when_it_does_not_start(home: Path) -> None:
    start_database(home).stop()
    with (home / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write("no_such_setting = 1\n")

    with pytest.raises(DatabaseDidNotStart, match="no_such_setting"):
        start_database(home)
