"""Layer 2 alone: a role reaches one schema, with row security, search path and guard gone (TEN-2).

And what somebody could try who had got a statement of his own into a tenant's transaction: none may
be there (SQL is constant, a lint sees to it), but it should not find the doors open either.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pg8000.exceptions import DatabaseError

from common.postgres.address import open_session
from common.postgres.connection import Statement
from common.postgres.schemas import APP_ROLE, FUNCTION_LOGIN, JOB_LOGIN
from tests.hotel import Hotel, House
from tests.security.probing import DENIED, Probe, probing, role

pytestmark = pytest.mark.req("TEN-2")

VERBS = (
    "SELECT 1 FROM {table}",
    "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE {table} SET tenant_id = tenant_id",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "LOCK TABLE {table}",
)
OWNED = """
SELECT 'relation', relname FROM pg_class WHERE relowner = CAST(:role AS regrole)
UNION ALL SELECT 'schema', nspname FROM pg_namespace WHERE nspowner = CAST(:role AS regrole)
UNION ALL SELECT 'function', proname FROM pg_proc WHERE proowner = CAST(:role AS regrole)
UNION ALL SELECT 'database', datname FROM pg_database WHERE datdba = CAST(:role AS regrole)
"""
MAY_CREATE_IN = """
SELECT nspname FROM pg_namespace WHERE has_schema_privilege(:role, oid, 'CREATE')
"""
STRONGER = """
SELECT rolname FROM pg_roles
WHERE pg_has_role(:role, oid, 'MEMBER') AND (rolsuper OR rolbypassrls OR rolname ~ '^pg_')
"""
LENDS_ITS_RIGHTS = """
SELECT nspname, proname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
WHERE prosecdef AND nspname NOT IN ('pg_catalog', 'information_schema')
UNION ALL
SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('v', 'm') AND nspname NOT IN ('pg_catalog', 'information_schema')
"""


@pytest.fixture(scope="module")
def hotels(house: House) -> tuple[Hotel, Hotel]:
    return house.new_hotel(), house.new_hotel()


@pytest.fixture
def probe(house: House, hotels: tuple[Hotel, Hotel]) -> Iterator[Probe]:
    """No table of either hotel has row security any more."""
    with probing(house) as opened:
        for hotel in hotels:
            opened.without_row_security(hotel.schema)
        yield opened


def test_a_tenants_role_reaches_its_own_tables(probe: Probe, hotels: tuple[Hotel, Hotel]) -> None:
    mine, _ = hotels
    probe.enter(role(mine), str(mine.tenant_id), mine.schema)

    assert probe.attempt("SELECT count(*) FROM folios") == [[0]]


@pytest.mark.parametrize("who", ["the other tenant", FUNCTION_LOGIN, JOB_LOGIN, APP_ROLE])
def test_no_other_role_may_do_anything_with_a_tenants_tables(
    probe: Probe, hotels: tuple[Hotel, Hotel], who: str
) -> None:
    """Though its setting and its search path say the tenant, and row security is off."""
    mine, theirs = hotels
    tables = probe.tables(mine.schema)
    probe.enter(
        role(theirs) if who == "the other tenant" else who, str(mine.tenant_id), mine.schema
    )

    for table in tables:
        for verb in VERBS:
            assert probe.attempt(verb.format(table=table)) == DENIED, (table, verb)
    assert probe.attempt("SELECT 1 FROM folios") == "42P01"  # not even the name is found


def test_a_tenants_role_changes_no_record_and_no_table_of_its_own(
    probe: Probe, hotels: tuple[Hotel, Hotel]
) -> None:
    mine, _ = hotels
    probe.enter(role(mine), str(mine.tenant_id), mine.schema)

    for wish in (
        "UPDATE ledger_entries SET amount_micro = 1",
        "DELETE FROM audit_entries",
        "DELETE FROM inbox",  # an event from an archive must still be known
        "TRUNCATE folio_lines",
        "DROP TABLE invoices",
        "ALTER TABLE invoices DROP CONSTRAINT printed_number_is_given_once",
        "CREATE TABLE mine (number int)",
        "CREATE VIEW mine AS SELECT * FROM folios",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1",
        "CREATE RULE mine AS ON INSERT TO folios DO INSTEAD NOTHING",
        f"ALTER SCHEMA {mine.schema} OWNER TO CURRENT_USER",
    ):
        assert probe.attempt(wish) == DENIED, wish


@pytest.mark.parametrize("who", ["mine", FUNCTION_LOGIN, JOB_LOGIN, APP_ROLE])
def test_our_roles_own_nothing_create_nowhere_and_are_no_stronger_than_they_look(
    probe: Probe, hotels: tuple[Hotel, Hotel], who: str
) -> None:
    name = role(hotels[0]) if who == "mine" else who

    assert probe.run(OWNED, role=name) == []
    assert probe.run(MAY_CREATE_IN, role=name) == []
    assert probe.run(STRONGER, role=name) == []


def test_nothing_anywhere_lends_a_stronger_roles_rights(probe: Probe) -> None:
    assert probe.run(LENDS_ITS_RIGHTS) == []


# attacks from within a transaction


def in_a_transaction_of(hotel: Hotel, wish: str) -> str | list[list[object]]:
    """What comes of a statement in the hotel's own transaction, opened by the functions' login."""
    session = open_session(hotel.house.server.dsn(FUNCTION_LOGIN, "billing"))
    try:
        session.run("BEGIN")
        session.run(f"SET LOCAL ROLE {role(hotel)}")
        session.run(f"SET LOCAL search_path = {hotel.schema}, pg_temp")
        session.run(f"SET LOCAL app.tenant_id = '{hotel.tenant_id}'")
        return session.run(wish) or []
    except DatabaseError as refused:
        code: str = refused.args[0]["C"]
        return code
    finally:
        session.close()


@pytest.mark.parametrize(
    "wish",
    [
        "CREATE TEMP TABLE folios (LIKE folios)",
        "CREATE TEMP VIEW folios AS SELECT 1 AS id",
        "SET SESSION AUTHORIZATION postgres",
        "SET ROLE postgres",
        "SET ROLE billing_owner",
        "SET ROLE billing_drain",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "COPY folios TO '/tmp/stolen'",
        "COPY folios TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
        "ALTER ROLE billing_function SET app.tenant_id = 'x'",
        "SET session_replication_role = replica",
    ],
)
def test_a_statement_smuggled_in_finds_no_open_door(hotels: tuple[Hotel, Hotel], wish: str) -> None:
    assert in_a_transaction_of(hotels[0], wish) == DENIED


def test_a_statement_smuggled_in_sees_nobody_by_the_setting_alone_or_the_role_alone(
    hotels: tuple[Hotel, Hotel],
) -> None:
    """The login may enter every tenant: so it takes both, and nothing but ENTER sets both."""
    mine, theirs = hotels
    theirs.open_folio()
    read = f"SELECT id FROM {theirs.schema}.folios"

    setting = f"SET LOCAL app.tenant_id = '{theirs.tenant_id}'"
    assert in_a_transaction_of(mine, f"{setting}; {read}") == DENIED
    assert in_a_transaction_of(mine, f"RESET ROLE; {read}") == DENIED
    assert in_a_transaction_of(mine, f"SET LOCAL ROLE {role(theirs)}; {read}") == []


def test_a_temporary_table_does_not_hide_a_real_one_even_if_it_could_be_made(
    house: House, hotels: tuple[Hotel, Hotel]
) -> None:
    """pg_temp stands last in the search path; left out, it would silently stand first."""
    mine, _ = hotels
    folio = mine.open_folio()
    house.sql("GRANT TEMPORARY ON DATABASE billing TO billing_app")
    try:
        instance = house.beside(pool_size=1)
        with instance.wiring.pools["main"].connection() as connection:
            connection.run([Statement("CREATE TEMP TABLE folios (tenant_id uuid, id text)")])
            connection.run([Statement("GRANT ALL ON folios TO PUBLIC")])
        answer = replace(mine, house=instance).get(f"/folios/{folio}")
        instance.close()
    finally:
        house.sql("REVOKE TEMPORARY ON DATABASE billing FROM billing_app")

    assert answer.json["folioId"] == folio
