"""Step zero of a server, and tenants that are born: once, twice, twice at once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from threading import Barrier
from uuid import UUID, uuid4

import pg8000.native
import pytest
from pg8000.exceptions import DatabaseError

from common.local.database import LocalDatabase
from common.postgres.address import open_session
from common.postgres.migrations import (
    MigrationRefused,
    Migrator,
    SchemaOutcome,
    prepare_server,
    provision_tenant,
)
from common.postgres.schemas import archived_schema_of, role_of, schema_of
from tests.migrations.toys import Database, Meddler, Toys

pytestmark = pytest.mark.req("TEN-4")


@pytest.fixture
def tenant(database: Database, toys: Toys) -> UUID:
    """A tenant that was born into the database, registered nowhere."""
    tenant_id = uuid4()
    provision(database, toys, tenant_id)
    return tenant_id


def provision(database: Database, toys: Toys, tenant_id: UUID) -> int:
    session = database.connect()
    try:
        prepare_server(session)
        return provision_tenant(session, tenant_id, toys.path)
    finally:
        session.close()


def login(database: Database, user: str) -> pg8000.native.Connection:
    return open_session(database.server.dsn(user, database.name))


def test_bears_a_tenant_at_the_newest_version(database: Database, toys: Toys, tenant: UUID) -> None:
    toys.add_floors()
    other = uuid4()

    assert provision(database, toys, other) == 2
    assert database.versions([tenant, other]) == [1, 2]


def test_bears_a_tenant_once_however_often_it_is_told(
    database: Database, toys: Toys, tenant: UUID
) -> None:
    database.run(f"INSERT INTO {schema_of(tenant)}.rooms (number) VALUES (7)")
    before = database.dump()

    assert provision(database, toys, tenant) == 1

    assert database.dump() == before
    assert database.run(f"SELECT number FROM {schema_of(tenant)}.rooms") == [[7]]


def test_bears_a_tenant_once_when_told_four_times_at_once(database: Database, toys: Toys) -> None:
    tenant = uuid4()
    together = Barrier(4)

    def told() -> int:
        together.wait(60)
        return provision(database, toys, tenant)

    with ThreadPoolExecutor(4) as threads:
        versions = [told.result(120) for told in [threads.submit(told) for _ in range(4)]]

    assert versions == [1, 1, 1, 1]
    assert database.versions([tenant]) == [1]


def test_two_databases_of_one_cluster_do_not_break_one_anothers_roles(
    database: Database, toys: Toys
) -> None:
    """An advisory lock holds in one database only; the roles are shared by all of them."""
    names = [f"{database.name}_{at}" for at in range(3)]
    for name in names:
        database.server.create(name)
    databases = [Database(database.server, name) for name in names]
    tenants = [uuid4() for _ in range(4)]
    together = Barrier(3)

    def bear_all(home: Database) -> list[int]:
        together.wait(60)
        return [provision(home, toys, tenant) for tenant in tenants]

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(bear_all, databases)) == [[1, 1, 1, 1]] * 3
    for name in names:
        database.server.drop(name)


def test_starts_from_nothing_when_a_dropped_tenant_is_born_again(
    database: Database, toys: Toys, tenant: UUID
) -> None:
    database.run(f"DROP SCHEMA {schema_of(tenant)} CASCADE")

    assert provision(database, toys, tenant) == 1
    assert database.run(f"SELECT count(*) FROM {schema_of(tenant)}.rooms") == [[0]]


def test_does_not_bear_an_archived_tenant_again(
    database: Database, toys: Toys, tenant: UUID
) -> None:
    archived = archived_schema_of(tenant, date(2026, 3, 1))
    database.run(f"ALTER SCHEMA {schema_of(tenant)} RENAME TO {archived}")

    with pytest.raises(MigrationRefused, match="archived_20260301"):
        provision(database, toys, tenant)


def test_takes_a_tenant_along_that_is_born_while_the_others_move(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    """An instance of the release before bears it at version 1, when the list was already read."""
    newborn = uuid4()
    assert provision(database, toys, newborn) == 1
    toys.add_floors()

    def registered(outcome: SchemaOutcome, of: int) -> None:
        if outcome.tenant_id == hotels[0]:
            database.register([newborn])

    summary = Migrator(database.connect, toys.path, watch=registered).up()

    assert summary.exit_code == 0
    assert database.versions([*hotels, newborn]) == [2] * 10


@pytest.mark.req("TEN-2b")
def test_closes_the_connection_it_was_given_after_a_fault_inside_the_driver(
    database: Database, toys: Toys
) -> None:
    session = database.connect()
    prepare_server(session)

    def fail(sql: str) -> None:
        if "CREATE SCHEMA" in sql:
            raise ValueError("a converter raised")

    with pytest.raises(ValueError, match="converter"):
        provision_tenant(Meddler(session, fail), uuid4(), toys.path)

    with pytest.raises(pg8000.native.InterfaceError):
        session.run("SELECT 1")


@pytest.mark.req("TEN-2")
@pytest.mark.parametrize("user", ["billing_function", "billing_job"])
def test_a_login_reaches_a_tenants_rows_only_through_the_tenants_role(
    database: Database, tenant: UUID, user: str
) -> None:
    session = login(database, user)
    read = f"SELECT count(*) FROM {schema_of(tenant)}.rooms"

    with pytest.raises(DatabaseError, match="permission denied for schema"):
        session.run(read)
    session.run("BEGIN")
    session.run(f"SET LOCAL ROLE {role_of(tenant)}")
    assert session.run(read) == [[0]]
    session.run("COMMIT")
    with pytest.raises(DatabaseError, match="permission denied for schema"):
        session.run(read)
    session.close()


@pytest.mark.req("TEN-2")
def test_a_tenants_role_cannot_enter_another_tenants_schema(
    database: Database, toys: Toys, tenant: UUID
) -> None:
    other = uuid4()
    provision(database, toys, other)
    session = login(database, "billing_function")
    session.run(f"BEGIN; SET LOCAL ROLE {role_of(tenant)}")

    with pytest.raises(DatabaseError, match="permission denied for schema"):
        session.run(f"SELECT count(*) FROM {schema_of(other)}.rooms")
    session.close()


@pytest.mark.req("TEN-2")
@pytest.mark.parametrize(
    "wish",
    [
        "CREATE TEMP TABLE rooms (number bigint)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "CREATE TABLE public.rooms (number bigint)",
        "SET ROLE billing_owner",
        "SELECT * FROM billing_central.tenants",
    ],
)
def test_a_login_may_create_nothing_and_own_nothing(
    database: Database, toys: Toys, tenant: UUID, wish: str
) -> None:
    database.migrator(toys.path).up(scope="central")
    session = login(database, "billing_function")

    with pytest.raises(DatabaseError, match="permission denied"):
        session.run(wish)
    session.close()


@pytest.mark.req("TEN-2")
def test_no_role_of_ours_can_bypass_row_security(database: Database, tenant: UUID) -> None:
    strong = database.run(
        "SELECT rolname FROM pg_roles WHERE rolname ~ '^(billing|tenant)_' "
        "AND (rolbypassrls OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication)"
    )
    logins = database.run(
        "SELECT rolname FROM pg_roles WHERE rolname ~ '^(billing|tenant)_' AND rolcanlogin "
        "ORDER BY rolname"
    )

    assert strong == []
    assert logins == [["billing_function"], ["billing_job"]]


def test_a_runner_that_is_no_superuser_does_all_of_it(database: Database, toys: Toys) -> None:
    """Cloud SQL gives nobody a superuser: the right to create roles and the database suffice."""
    admin = f"admin_{database.name}"
    database.run(f"CREATE ROLE {admin} LOGIN CREATEROLE CREATEDB")
    database.run(f"ALTER DATABASE {database.name} OWNER TO {admin}")
    fresh = Database(database.server, database.name)
    fresh.dsn = database.server.dsn(admin, database.name)
    adopt_roles(database, admin)
    tenant = uuid4()

    assert provision(fresh, toys, tenant) == 1
    assert fresh.migrator(toys.path).up().exit_code == 0


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize("loaded", [True, False], ids=["loaded", "not loaded"])
def test_makes_the_audit_where_the_server_has_loaded_it(
    database: Database, server: LocalDatabase, loaded: bool
) -> None:
    """Here a toy of pgAudit's name lies where the server looks; a flag says what it has to tell."""
    extensions = server.data / "audit" / "extension"
    extensions.mkdir(parents=True, exist_ok=True)
    (extensions / "pgaudit.control").write_text("default_version = '1'\n", encoding="utf-8")
    (extensions / "pgaudit--1.sql").write_text("SELECT 1;\n", encoding="utf-8")
    session = database.connect()
    session.run(f"SET extension_control_path = '$system:{extensions.parent}'")
    if loaded:
        session.run("SET pgaudit.log = 'ddl,role'")

    for _ in range(2):
        prepare_server(session)

    made = session.run("SELECT count(*) FROM pg_extension WHERE extname = 'pgaudit'")
    session.close()
    assert made == [[int(loaded)]]


def adopt_roles(database: Database, admin: str) -> None:
    """Earlier tests made the roles as superuser; this administrator would have made them itself."""
    for (role,) in database.run(
        "SELECT rolname FROM pg_roles WHERE rolname ~ '^billing_' AND NOT rolsuper"
    ):
        database.run(f"GRANT {role} TO {admin} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")


@pytest.mark.req("TEN-2", "OPS-1")
@pytest.mark.parametrize(
    ("account", "may"),
    [
        (
            "billing-cash@example.iam",
            {"billing_app": True, "billing_drain": False, "billing_analyst": False},
        ),
        ("billing-jobs@example.iam", {"billing_app": True, "billing_drain": True}),
        ("billing-analytics@example.iam", {"billing_app": True, "billing_analyst": True}),
        ("reports@example.iam", {"billing_app": False, "billing_drain": False}),
    ],
    ids=["an area", "the jobs", "the figures", "somebody else"],
)
def test_an_account_that_cloud_sql_logs_in_may_what_a_login_of_ours_may(
    database: Database, toys: Toys, tenant: UUID, account: str, may: dict[str, bool]
) -> None:
    """The server knows accounts by a group of Cloud SQL's; told twice, nothing more is given."""
    with suppress(DatabaseError):  # roles outlive the database of a test
        database.run("CREATE ROLE cloudsqliamserviceaccount NOLOGIN")
    with suppress(DatabaseError):
        database.run(f'CREATE ROLE "{account}" LOGIN IN ROLE cloudsqliamserviceaccount')

    provision(database, toys, tenant)
    provision(database, toys, tenant)

    for role, expected in may.items():
        asked = f"SELECT pg_has_role('{account}', '{role}', 'SET')"
        assert database.run(asked) == [[expected]], role
    enters = f"SELECT pg_has_role('{account}', '{role_of(tenant)}', 'SET')"
    assert database.run(enters) == [[may["billing_app"]]]
    reads = f"SELECT has_schema_privilege('{account}', '{schema_of(tenant)}', 'USAGE')"
    assert database.run(reads) == [[False]]
