"""Trying what a tenant's role may do, in a transaction of the administrator that is rolled back.

Whatever layer is not the subject of a test is taken away first: rights are granted, row security is
switched off, a search path is turned. What then still holds, holds by the layer that is left.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pg8000.native
from pg8000.exceptions import DatabaseError

from common.postgres.schemas import CENTRAL_SCHEMA, role_of
from tests.hotel import Hotel, House

DENIED = "42501"
TABLES_OF = """
SELECT relname FROM pg_class
WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind IN ('r', 'p')
ORDER BY 1
"""
NEEDED_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod)
FROM pg_attribute
WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 AND NOT attisdropped AND attidentity = ''
  AND (attnotnull OR attname = 'tenant_id')
"""
CHECKS = """
SELECT conname FROM pg_constraint
WHERE conrelid = CAST(:name AS regclass) AND contype IN ('c', 'f')
"""
A_VALUE = {
    "text": "md5(random()::text)",
    "uuid": "gen_random_uuid()",
    "bytea": r"'\x00'",
    "jsonb": "'{}'",
    "date": "now()::date",
    "timestamp with time zone": "now()",
    "boolean": "false",
    "text[]": "'{}'",
    "uuid[]": "'{}'",
}


class Probe:
    """A session of the administrator inside a transaction that is never committed."""

    def __init__(self, session: pg8000.native.Connection) -> None:
        self._session = session

    def run(self, sql: str, **parameters: Any) -> list[list[Any]]:
        """Do something that has to work."""
        return self._session.run(sql, **parameters) or []

    def enter(self, role: str, tenant: str = "", path: str = "") -> None:
        """Be somebody, for some tenant, under some search path, until somebody else is entered."""
        self.run("RESET ROLE")
        for name, value in (("app.tenant_id", tenant), ("search_path", path), ("role", role)):
            self.run("SELECT set_config(:name, :value, true)", name=name, value=value)

    def come_back(self) -> None:
        """Be the administrator again."""
        self.run("RESET ROLE")

    def attempt(self, sql: str, **parameters: Any) -> list[list[Any]] | str:
        """The rows, or the code of the error; nothing of it stays."""
        self.run("SAVEPOINT before")
        try:
            return self._session.run(sql, **parameters) or []
        except DatabaseError as refused:
            code: str = refused.args[0]["C"]
            return code
        finally:
            self.run("ROLLBACK TO SAVEPOINT before")

    def tables(self, schema: str) -> list[str]:
        """All tables of a schema, by their full names."""
        return [f"{schema}.{row[0]}" for row in self.run(TABLES_OF, schema=schema)]

    def plant(self, table: str, tenant: str) -> None:
        """Put a row of a tenant into a table, whatever the table's rules say of the rest."""
        for (check,) in self.run(CHECKS, name=table):
            self.run(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {check} CASCADE")
        columns = dict(self.run(NEEDED_COLUMNS, name=table))
        values = {name: A_VALUE.get(kind, "77") for name, kind in columns.items()}
        values["tenant_id"] = f"'{tenant}'"
        self.run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})")

    def fill(self, hotel: Hotel) -> list[str]:
        """A row of the hotel in each of its own tables, whose names are returned."""
        tables = self.tables(hotel.schema)
        for table in tables:
            self.plant(table, str(hotel.tenant_id))
        return tables

    def without_grants(self, *roles: str, schema: str) -> None:
        """Take the layer of rights away: these roles may do everything in a schema."""
        named = ", ".join(roles)
        self.run(f"GRANT USAGE ON SCHEMA {schema}, {CENTRAL_SCHEMA} TO {named}")
        self.run(f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {named}")

    def without_row_security(self, schema: str) -> None:
        """Take the layer of policies away."""
        for table in self.tables(schema):
            self.run(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            self.run(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


@contextmanager
def probing(house: House) -> Iterator[Probe]:
    """A probe; what it did is undone."""
    with house.session() as session:
        session.run("BEGIN")
        try:
            yield Probe(session)
        finally:
            session.run("ROLLBACK")


def role(hotel: Hotel) -> str:
    return role_of(hotel.tenant_id)
