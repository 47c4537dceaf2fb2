"""Hotels that are lent to one test after the other: one tenant, in which nothing has happened.

To bear a tenant takes a quarter of a second, to empty one two thousandths: so a test that asks for
a hotel moves into a schema from which another one has moved out. Nothing is left of that: its rows,
its events, its documents and keys, its payments at the processor and who has called it are gone,
and in between its tenant is in no directory. Its property is another one.
The tenant stays the same, so that each statement that a connection has prepared is planned already:
under a name of its own for each test, planning was two fifths of all the time. What a process may
remember of a tenant is held against the database at each use, and is found out here where it is
not. A schema or role that a test has changed is not lent again, nor one that somebody still holds
on to. Whether anybody has changed anything the database itself counts; only where somebody has,
each schema is looked at.

Hotels that a test opens by itself, and a file for all its tests, move out when the file is over. So
there are few schemas at a time, and the catalogs in which PostgreSQL looks stay small.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary, WeakSet

import pg8000.native

from common.local.database import LocalDatabase
from common.postgres.address import open_session
from common.postgres.migrations import provision_tenant
from common.postgres.schemas import role_of, schema_of
from common.postgres.tenants import register_tenant
from tests.clusters import UNBORN
from tests.hotel import Hotel, House
from tests.trust.emptying import emptying

Run: TypeAlias = Callable[..., Any]

# Whoever changes whatever by a command, in whichever role, is counted, even if he takes it back.
COUNTED = """
BEGIN;
CREATE SCHEMA lending;
CREATE SEQUENCE lending.changes;
GRANT USAGE ON SCHEMA lending TO PUBLIC;
GRANT USAGE ON SEQUENCE lending.changes TO PUBLIC;
CREATE FUNCTION lending.count_change() RETURNS event_trigger LANGUAGE plpgsql
AS 'BEGIN PERFORM nextval(''lending.changes''); END';
CREATE EVENT TRIGGER lending_counts ON ddl_command_end EXECUTE FUNCTION lending.count_change();
ALTER EVENT TRIGGER lending_counts ENABLE ALWAYS;
COMMIT
"""
# Roles belong to the whole server, and commands about them are not counted.
CHANGES = """
SELECT last_value,
       (SELECT md5(string_agg(concat(oid, ' ', xmin), ',' ORDER BY oid))
        FROM pg_auth_members
        WHERE (SELECT oid FROM pg_authid WHERE rolname = :role) IN (roleid, member))
FROM lending.changes
"""
# Whatever was changed has another row version than at its birth. Table by table, so that the
# catalogs' indexes are used however many hotels there are.
BUILT = """
WITH schema AS (SELECT oid, nspacl FROM pg_namespace WHERE nspname = :schema),
     tables AS (SELECT oid, xmin FROM pg_class WHERE relnamespace = (SELECT oid FROM schema)),
     parts (part) AS (
       SELECT concat_ws(
         ' ', oid, xmin,
         (SELECT string_agg(concat(attnum, ' ', xmin), ',' ORDER BY attnum)
          FROM pg_attribute WHERE attrelid = tables.oid),
         (SELECT string_agg(concat(oid, ' ', xmin), ',' ORDER BY oid)
          FROM pg_constraint WHERE conrelid = tables.oid),
         (SELECT string_agg(concat(oid, ' ', xmin), ',' ORDER BY oid)
          FROM pg_policy WHERE polrelid = tables.oid),
         (SELECT string_agg(concat(oid, ' ', xmin), ',' ORDER BY oid)
          FROM pg_trigger WHERE tgrelid = tables.oid)
       )
       FROM tables
       UNION ALL
       SELECT concat(oid, ' ', xmin) FROM pg_proc WHERE pronamespace = (SELECT oid FROM schema)
       UNION ALL
       SELECT concat(grantee, ' ', privilege_type) FROM schema, aclexplode(nspacl)
     )
SELECT md5(string_agg(part, ',' ORDER BY part COLLATE "C")) FROM parts
"""
MOVED_IN = """
INSERT INTO billing_central.tenants (tenant_id, schema_name)
VALUES ('{hotel.tenant_id}', '{hotel.schema}')
"""
# Schemas of tenants that nobody has are in a cluster that was made to begin with.
AN_UNBORN = f"""
SELECT substr(nspname, 8, 32)
FROM pg_namespace
WHERE obj_description(oid, 'pg_namespace') = '{UNBORN}'
ORDER BY nspname
LIMIT 1
"""
PAYMENT = re.compile(r'"payment": "([^"]+)"')
GONE = """
DELETE FROM billing_central.rate_counters WHERE strpos(bucket, '{hotel.tenant_id}') > 0;
DELETE FROM {hotel.schema}.settings_versions;
DELETE FROM billing_central.tenants WHERE tenant_id = '{hotel.tenant_id}'
"""


@dataclass
class Kept:
    """A schema with who lives in it or has moved out last, and how it was built. It is still like
    that when no more than so many `changes` were made in the database."""

    hotel: Hotel
    emptying: str
    members: str
    built: str
    changes: int


@dataclass(frozen=True)
class Homes:
    """The schemas of a server: those that are empty, and those that are let for a whole file."""

    free: list[Kept] = field(default_factory=list)
    let: list[Kept] = field(default_factory=list)


_homes: "WeakKeyDictionary[LocalDatabase, Homes]" = WeakKeyDictionary()
_counting: "WeakSet[LocalDatabase]" = WeakSet()


@contextmanager
def lent(house: House) -> Iterator[Hotel]:
    """A hotel in which nothing has happened, until the test is over."""
    free = _homes.setdefault(house.server, Homes()).free
    kept = _opened(house, free)
    kept.hotel.write_settings()
    yield kept.hotel
    if _left_empty(house.sql, kept):
        free.append(kept)


def let(house: House) -> Hotel:
    """A hotel in which nothing has happened, not even settings; it stays until the file is over."""
    homes = _homes.setdefault(house.server, Homes())
    homes.let.append(_opened(house, homes.free))
    return homes.let[-1].hotel


def born(house: House) -> Hotel:
    """A hotel in a schema that nobody has lived in: its tables have never held a row, which is what
    taking a migration back looks at. Nobody else ever moves in."""
    hotel = _born(house).hotel
    hotel.write_settings()
    return hotel


def all_move_out() -> None:
    """Let nobody stay who came for one file; who no longer has a server has gone with it."""
    for server, homes in list(_homes.items()):
        if homes.let and server.running:
            session = open_session(server.dsn(database="billing"))
            homes.free.extend(each for each in homes.let if _left_empty(session.run, each))
            session.close()
        homes.let.clear()


def _opened(house: House, free: list[Kept]) -> Kept:
    return _moved_in(house, free.pop()) if free else _born(house)


def _born(house: House) -> Kept:
    hotel = Hotel(house, _a_tenant(house))
    if house.server not in _counting:
        house.sql(COUNTED)
        _counting.add(house.server)
    with house.session() as session:
        provision_tenant(session, hotel.tenant_id)
        register_tenant(session, hotel.tenant_id)
    everything = emptying(house, hotel).replace("BEGIN", "BEGIN; SET LOCAL lock_timeout = '2s'")
    everything = everything.replace("COMMIT", f"{GONE.format(hotel=hotel)}; COMMIT")
    changes, members = _changes(house.sql, hotel)
    return Kept(hotel, everything, members, _built(house.sql, hotel), changes)


def _a_tenant(house: House) -> UUID:
    """One whose schema waits for it, or any."""
    for (tenant,) in house.sql(AN_UNBORN):
        house.sql(f"COMMENT ON SCHEMA {schema_of(UUID(tenant))} IS NULL")
        return UUID(tenant)
    return uuid4()


def _moved_in(house: House, kept: Kept) -> Kept:
    """Another hotel, of the same tenant, in a schema that is empty; nobody has called it yet."""
    hotel = Hotel(house, kept.hotel.tenant_id)
    house.wiring.__dict__.pop("http_edge", None)  # with its leases of the tenant's rate limits
    house.sql(MOVED_IN.format(hotel=hotel))
    return replace(kept, hotel=hotel)


def is_as_it_was(run: Run, kept: Kept) -> bool:
    """Whether nobody has changed the schema or the role since its first tenant was born."""
    changes, members = _changes(run, kept.hotel)
    if members != kept.members:
        return False
    if changes != kept.changes:
        if _built(run, kept.hotel) != kept.built:
            return False
        kept.changes = changes
    return True


def _left_empty(run: Run, kept: Kept) -> bool:
    """Take everything away, if the schema is as it was and nobody stays."""
    if not is_as_it_was(run, kept):
        return False
    try:
        run(kept.emptying)
    except pg8000.native.DatabaseError:
        run("ROLLBACK")
        return False
    _clear_folders(kept.hotel)
    return True


def _clear_folders(hotel: Hotel) -> None:
    """Take away the tenant's documents and keys, and what the processor's stand-in knows of it."""
    local, tenant = Path(hotel.house.wiring.settings.local_folder), hotel.tenant_id
    for folder in local.glob(f"*/{tenant.hex}"):
        shutil.rmtree(folder)
    kept = [file for file in local.joinpath("processor").rglob("*") if file.is_file()]
    texts = {file: f"{file.name} {file.read_text()}" for file in kept}
    names = {str(tenant), tenant.hex}
    for file, text in texts.items():
        if str(tenant) in text:  # what else is told of its customers and payments names these
            names |= {file.name.partition(".")[0], *PAYMENT.findall(text)}
    for file, text in texts.items():
        if any(name in text for name in names):
            file.unlink()


def _changes(run: Run, hotel: Hotel) -> tuple[int, str]:
    """How many changes were made in the database, and who is what with the tenant's role."""
    [[changes, members]] = run(CHANGES, role=role_of(hotel.tenant_id))
    return changes, members


def _built(run: Run, hotel: Hotel) -> str:
    [[found]] = run(BUILT, schema=hotel.schema)
    return str(found)
