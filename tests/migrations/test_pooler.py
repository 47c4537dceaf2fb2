"""Migrations through PgBouncer in transaction mode, where a session is nobody's for long.

Session-level locks and settings would exclude nobody there and leak to the next client; these
tests fail with either. They need the program `pgbouncer` (`make test-pgbouncer`).
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from common.postgres.address import open_session
from common.postgres.migrations import Migrator, provision_tenant
from tests.migrations.toys import Database, Toys

pytestmark = [pytest.mark.pgbouncer, pytest.mark.req("MIG-1", "TEN-2")]

CONFIGURATION = """\
[databases]
* = host={server}
[pgbouncer]
listen_addr =
unix_socket_dir = {socket}
listen_port = 5432
auth_type = trust
auth_file = {socket}/users
pool_mode = transaction
default_pool_size = 2
server_reset_query =
"""


@pytest.fixture
def pooled(database: Database) -> Iterator[str]:
    """The address of the test's database behind a pool of two server connections."""
    program = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
    assert program, "pgbouncer is missing: apt-get install pgbouncer"
    with tempfile.TemporaryDirectory(prefix="billing-pool-") as folder:
        socket = Path(folder)
        settings = CONFIGURATION.format(server=database.server.socket_dir, socket=socket)
        (socket / "pgbouncer.ini").write_text(settings, encoding="utf-8")
        (socket / "users").write_text('"postgres" ""\n', encoding="utf-8")
        user = database.server.system_user  # the pooler refuses to run as root
        if user is not None:
            shutil.chown(socket, user)
        process = subprocess.Popen(
            [program, str(socket / "pgbouncer.ini")], stderr=subprocess.PIPE, text=True, user=user
        )
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "process up" in line:
                break
        assert process.poll() is None, "".join(said)
        yield f"postgresql://postgres@/{database.name}?host={socket}"
        process.terminate()
        process.communicate(timeout=60)


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
