"""Hotels that are lent to one test after the other, each time under a name of its own.

To bear a tenant takes a quarter of a second, to empty one two thousandths: so a test that asks for
a hotel moves into a schema from which another one has moved out. Nothing is left of that: its rows
and its events are gone, its tenant is in no directory, and schema, role and ids are the new
tenant's, so that nothing remembered in a process can be taken for the new one's. A schema or role
that a test has changed is not lent again, nor one that somebody still holds on to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import pg8000.native

from common.local.database import LocalDatabase
from common.postgres.schemas import role_of
from tests.hotel import Hotel, House
from tests.trust.emptying import emptying

# Whatever was changed has another row version than at its birth; names are another tenant's anyhow.
BUILT = """
WITH schema AS (SELECT oid, nspacl FROM pg_namespace WHERE nspname = :schema),
     tables AS (SELECT oid FROM pg_class WHERE relnamespace = (SELECT oid FROM schema)),
     parts (part) AS (
       SELECT concat(oid, ' ', xmin) FROM pg_class WHERE oid IN (SELECT oid FROM tables)
       UNION ALL
       SELECT concat(attrelid, ' ', attnum, ' ', xmin) FROM pg_attribute
       WHERE attrelid IN (SELECT oid FROM tables)
       UNION ALL
       SELECT concat(oid, ' ', xmin) FROM pg_constraint
       WHERE connamespace = (SELECT oid FROM schema)
       UNION ALL
       SELECT concat(oid, ' ', xmin) FROM pg_policy WHERE polrelid IN (SELECT oid FROM tables)
       UNION ALL
       SELECT concat(oid, ' ', xmin) FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM tables)
       UNION ALL
       SELECT concat(oid, ' ', xmin) FROM pg_proc WHERE pronamespace = (SELECT oid FROM schema)
       UNION ALL
       SELECT concat(grantee, ' ', privilege_type) FROM schema, aclexplode(nspacl)
       UNION ALL
       SELECT concat(oid, ' ', xmin) FROM pg_auth_members
       WHERE (SELECT oid FROM pg_authid WHERE rolname = :role) IN (roleid, member)
     )
SELECT md5(string_agg(part, ',' ORDER BY part COLLATE "C")) FROM parts
"""
MOVED_IN = """
BEGIN;
ALTER SCHEMA {old.schema} RENAME TO {new.schema};
ALTER ROLE {old_role} RENAME TO {new_role};
UPDATE billing_central.schema_migrations SET schema_name = '{new.schema}'
WHERE schema_name = '{old.schema}';
INSERT INTO billing_central.tenants (tenant_id, schema_name)
VALUES ('{new.tenant_id}', '{new.schema}');
DO $$
DECLARE
  each record;
BEGIN
  FOR each IN
    SELECT tablename, policyname, roles,
           replace(qual, '{old.tenant_id}', '{new.tenant_id}') AS qual,
           replace(with_check, '{old.tenant_id}', '{new.tenant_id}') AS with_check
    FROM pg_policies
    WHERE schemaname = '{new.schema}' AND concat(qual, with_check) LIKE '%{old.tenant_id}%'
  LOOP
    EXECUTE format('ALTER POLICY %I ON {new.schema}.%I', each.policyname, each.tablename)
      || coalesce(' USING (' || each.qual || ')', '')
      || coalesce(' WITH CHECK (' || each.with_check || ')', '');
  END LOOP;
END $$;
COMMIT
"""
GONE = """
DELETE FROM {hotel.schema}.settings_versions;
DELETE FROM billing_central.tenants WHERE tenant_id = '{hotel.tenant_id}'
"""


@dataclass(frozen=True)
class Kept:
    """An empty schema under the name of who has moved out, and how it was built."""

    hotel: Hotel
    emptying: str
    built: str


_kept: "WeakKeyDictionary[LocalDatabase, list[Kept]]" = WeakKeyDictionary()


@contextmanager
def lent(house: House) -> Iterator[Hotel]:
    """A hotel in which nothing has happened, until the test is over."""
    free = _kept.setdefault(house.server, [])
    kept = _moved_in(house, free.pop()) if free else _born(house)
    yield kept.hotel
    if _left_empty(house, kept):
        free.append(kept)


def _born(house: House) -> Kept:
    hotel = house.new_hotel()
    everything = emptying(house, hotel).replace("BEGIN", "BEGIN; SET LOCAL lock_timeout = '2s'")
    everything = everything.replace("COMMIT", f"{GONE.format(hotel=hotel)}; COMMIT")
    return Kept(hotel, everything, _built(hotel))


def _moved_in(house: House, kept: Kept) -> Kept:
    """A new tenant in a schema that is empty."""
    old, new = kept.hotel, Hotel(house)
    roles = {"old_role": role_of(old.tenant_id), "new_role": role_of(new.tenant_id)}
    house.sql(MOVED_IN.format(old=old, new=new, **roles))
    new.write_settings()
    emptying = kept.emptying.replace(old.schema, new.schema)
    return Kept(new, emptying.replace(str(old.tenant_id), str(new.tenant_id)), _built(new))


def _left_empty(house: House, kept: Kept) -> bool:
    """Take everything away, if the schema is as it was and nobody stays."""
    if _built(kept.hotel) != kept.built:
        return False
    try:
        house.sql(kept.emptying)
    except pg8000.native.DatabaseError:
        house.sql("ROLLBACK")
        return False
    return True


def _built(hotel: Hotel) -> str:
    role = role_of(hotel.tenant_id)
    found: str = hotel.house.sql(BUILT, schema=hotel.schema, role=role)[0][0]
    return found
