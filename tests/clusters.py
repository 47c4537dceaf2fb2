"""Clusters of PostgreSQL that the runs begin with copies of: making one takes longer than a test.

    python -m tests.clusters FOLDER      makes one in the folder, migrated

One was never used. In the other the migrations have been applied, and two tenants were provisioned,
which takes longer than most tests as well. It stands for what the code of the tree makes; so a
defect in anything that made it begins with the one that was never used, and migrates for itself.
Which files that are is no list to be kept: whoever makes it says what he has loaded.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from uuid import uuid4

from common.local.database import start_database
from common.postgres.address import open_session
from common.postgres.migrations import Migrator, provision_tenant
from common.postgres.schemas import schema_of

ROOT: Final = Path(__file__).parents[1]
TENANTS: Final = 2
UNBORN: Final = "unborn"  # what the comment on the schema of such a tenant says
MIGRATIONS: Final = "migrations/"
# A server that is killed leaves its shared memory behind: so it goes with the folder.
SHARED_MEMORY_OF_ITS_OWN: Final = "ALTER SYSTEM SET dynamic_shared_memory_type = 'mmap'"
MEMORY: Final = Path("/dev/shm")
ROOM_BYTES: Final = 4 * 1024**3


@dataclass(frozen=True)
class Clusters:
    """The folders of both, and the files of the tree by which the migrated one was made."""

    unused: Path
    migrated: Path
    made_by: frozenset[str]

    @classmethod
    def made(cls, folder: Path) -> Self:
        unused, migrated = folder / "unused", folder / "migrated"
        server = start_database(unused)
        session = open_session(server.dsn())
        session.run(SHARED_MEMORY_OF_ITS_OWN)
        session.close()
        server.stop()
        migrated.mkdir()
        subprocess.run(["cp", "-Rp", str(unused / "data"), str(migrated)], check=True)
        command = [sys.executable, "-m", "tests.clusters", str(migrated)]
        path = {**os.environ, "PYTHONPATH": str(ROOT)}
        said = subprocess.run(command, cwd=ROOT, env=path, check=True, stdout=subprocess.PIPE)
        return cls(unused, migrated, frozenset(json.loads(said.stdout)))

    def environment(self, changed: Iterable[str]) -> Mapping[str, str]:
        """What tells the tests which of the two is theirs, when these files have changed."""
        fresh = any(file.startswith(MIGRATIONS) or file in self.made_by for file in changed)
        return {"BILLING_TEST_CLUSTER": str(self.unused if fresh else self.migrated)}


def migrate(folder: Path) -> None:
    """Apply the migrations to the cluster of a folder, and provision tenants that nobody has."""
    server = start_database(folder)
    server.create("billing")
    Migrator(lambda: open_session(server.dsn(database="billing"))).up()
    session = open_session(server.dsn(database="billing"))
    for tenant in (uuid4() for _ in range(TENANTS)):
        provision_tenant(session, tenant)
        session.run(f"COMMENT ON SCHEMA {schema_of(tenant)} IS '{UNBORN}'")
    session.close()
    server.stop()


def loaded() -> list[str]:
    """The files of the tree that this process has loaded."""
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    places = (Path(file).resolve() for file in files if file)
    return sorted(str(at.relative_to(ROOT)) for at in places if at.is_relative_to(ROOT))


def where_there_is_room() -> str | None:
    """A folder in memory, if there is one with room for a run's database: files are made and
    removed there in a tenth of the time. None stands for the usual place."""
    there = MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK)
    return str(MEMORY) if there and shutil.disk_usage(MEMORY).free >= ROOM_BYTES else None


if __name__ == "__main__":
    migrate(Path(sys.argv[1]))
    sys.stdout.write(json.dumps(loaded()))
