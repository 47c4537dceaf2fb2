"""What the tests of migrations play with: toy folders, an empty database, a meddling session."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pg8000.native

from common.local.database import LocalDatabase
from common.postgres.address import open_session
from common.postgres.migrations import Limits, Migrator
from common.postgres.schemas import schema_of

HEADER = """\
-- Why: a toy.
-- Lock: none.
-- Version before: goes on.
"""

IMPATIENT = Limits(lock_attempts=2, pause=lambda seconds: None)


class Toys:
    """A folder of toy migrations: a directory of tenants, and rooms for each of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for sequence in ("central", "tenant"):
            (path / sequence).mkdir()
        self.write(
            "central",
            1,
            "CREATE TABLE tenants (tenant_id uuid PRIMARY KEY, schema_name text NOT NULL);",
            "DROP TABLE tenants;",
        )
        self.write(
            "tenant",
            1,
            "CREATE TABLE rooms (tenant_id uuid DEFAULT {tenant_id}, number bigint);\n"
            "GRANT SELECT, INSERT ON rooms TO {tenant_role};",
            "DROP TABLE rooms;",
        )

    def write(self, sequence: str, version: int, up: str, down: str) -> Path:
        file = self.path / sequence / f"{version:04}_toy.sql"
        file.write_text(f"{HEADER}\n-- up\n{up}\n\n-- down\n{down}\n", encoding="utf-8")
        return file

    def add_floors(self) -> None:
        """Add the second tenant migration; it fails where a room is numbered 0."""
        self.write(
            "tenant",
            2,
            "ALTER TABLE rooms ADD COLUMN floor bigint;\n"
            "ALTER TABLE rooms ADD CONSTRAINT rooms_are_numbered CHECK (number > 0);",
            "ALTER TABLE rooms DROP CONSTRAINT rooms_are_numbered;\n"
            "ALTER TABLE rooms DROP COLUMN floor;",
        )


class Database:
    """A database of the test's own on the session's server."""

    def __init__(self, server: LocalDatabase, name: str) -> None:
        self.server = server
        self.name = name
        self.dsn = server.dsn("postgres", name)

    def connect(self) -> pg8000.native.Connection:
        return open_session(self.dsn)

    def run(self, sql: str, **parameters: object) -> list[list[Any]]:
        """Run SQL in a session of its own, as the administrator."""
        session = self.connect()
        try:
            return session.run(sql, **parameters) or []
        finally:
            session.close()

    def migrator(self, folder: Path, limits: Limits = IMPATIENT, **options: Any) -> Migrator:
        return Migrator(self.connect, folder, limits=limits, **options)

    def register(self, tenants: Sequence[UUID]) -> None:
        for tenant in tenants:
            self.run(
                f"INSERT INTO billing_central.tenants VALUES ('{tenant}', '{schema_of(tenant)}')"
            )

    def dump(self, schema: str = "*") -> str:
        """Return the definition of the database, or of one schema in it, as pg_dump writes it."""
        command = [self.server.binary("pg_dump"), "--schema-only", "--restrict-key=same"]
        command += ["--schema", schema] if schema != "*" else []
        return subprocess.run(
            [*command, self.dsn], check=True, capture_output=True, text=True
        ).stdout

    def versions(self, tenants: Sequence[UUID]) -> list[int]:
        """Return the version that is recorded for each tenant, and check that it is the truth."""
        rows = self.run(
            "SELECT schema_name, max(version) FROM billing_central.schema_migrations GROUP BY 1"
        )
        recorded: dict[str, int] = {row[0]: row[1] for row in rows}
        floors = self.run(
            "SELECT table_schema FROM information_schema.columns WHERE column_name = 'floor'"
        )
        with_floor = {row[0] for row in floors}
        for tenant in tenants:
            name = schema_of(tenant)
            assert (recorded.get(name, 0) >= 2) == (name in with_floor)
        return [recorded.get(schema_of(tenant), 0) for tenant in tenants]


class Meddler:
    """A session that calls `before` ahead of each statement, to stop, kill or break at one."""

    def __init__(self, session: pg8000.native.Connection, before: Callable[[str], None]) -> None:
        self._session = session
        self._before = before

    def run(self, sql: str, **parameters: object) -> Any:
        self._before(sql)
        return self._session.run(sql, **parameters)

    def close(self) -> None:
        self._session.close()
