"""Step zero of a database, and the birth of a tenant in it.

Who may do what stands here in one place. Nobody logs in as the owner of the tables; the functions
log in with no right on any tenant's schema and enter one tenant's role for one transaction; that
role owns nothing, cannot bypass row security and sees one schema (TEN-2, layer 2).

Roles belong to the whole cluster, an advisory lock to one database only. So two databases of one
cluster that are prepared at once may disturb one another; that passes, and the work is repeated.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from common.postgres.migration_files import read_migrations
from common.postgres.migration_steps import (
    AS_OWNER,
    TAKE_THE_SCHEMA,
    ConnectionGone,
    Limits,
    Link,
    MigrationRefused,
    Schema,
    Session,
    move,
)
from common.postgres.schemas import (
    ANALYST_ROLE,
    ANALYTICS_ACCOUNT,
    APP_ROLE,
    CENTRAL_SCHEMA,
    DRAIN_ROLE,
    FUNCTION_LOGIN,
    JOB_LOGIN,
    JOBS_ACCOUNT,
    OWNER_ROLE,
    TENANT_GROUP,
    role_of,
    schema_of,
)

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"

GROUPS: Final = (OWNER_ROLE, APP_ROLE, DRAIN_ROLE, ANALYST_ROLE, TENANT_GROUP)
LOGINS: Final = (FUNCTION_LOGIN, JOB_LOGIN)
USES: Final = "INHERIT TRUE, SET TRUE"
ENTERS: Final = "INHERIT FALSE, SET TRUE"
IS_ONE_OF: Final = "INHERIT TRUE, SET FALSE"
MEMBERSHIPS: Final = (
    (APP_ROLE, FUNCTION_LOGIN, USES),
    (APP_ROLE, JOB_LOGIN, USES),
    (DRAIN_ROLE, JOB_LOGIN, USES),
    (ANALYST_ROLE, FUNCTION_LOGIN, ENTERS),
)

DISTURBED: Final = frozenset({"42710", "23505", "XX000"})
"""Somebody else made the same role or membership at the same moment: what they made is there."""

ROLES: Final = "SELECT rolname FROM pg_roles WHERE rolname = ANY (:names)"
CREATE_GROUP: Final = (
    "CREATE ROLE {role} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
)
CREATE_LOGIN: Final = (
    "CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
)
IS_MEMBER: Final = """
SELECT 1
FROM pg_auth_members
JOIN pg_roles AS groups ON groups.oid = roleid
JOIN pg_roles AS members ON members.oid = member
WHERE groups.rolname = :granted
  AND members.rolname = :to
  AND format('INHERIT %s, SET %s', upper(inherit_option::text), upper(set_option::text)) = :how
"""
GRANT_ROLE: Final = "GRANT {granted} TO {to} WITH {how}"
# Cloud SQL makes a login of each service account that Terraform names, with no right at all.
ACCOUNTS: Final = """
SELECT members.rolname
FROM pg_auth_members
JOIN pg_roles AS groups ON groups.oid = roleid
JOIN pg_roles AS members ON members.oid = member
WHERE groups.rolname = 'cloudsqliamserviceaccount'
  AND members.rolname ~ '^billing-[a-z-]+@[a-z0-9.:-]+$'
"""
# Whoever is no superuser may create roles but not act as them without saying so.
RUNNER_MAY_ACT_AS_OWNER: Final = f"SELECT pg_has_role({OWNER_ROLE!r}, 'SET')"
OPEN_TO_EVERYBODY: Final = """
SELECT quote_ident(datname)
FROM pg_database
CROSS JOIN LATERAL aclexplode(coalesce(datacl, acldefault('d', datdba))) AS granted
WHERE datname = current_database()
  AND granted.grantee = 0
LIMIT 1
"""
CLOSE_DATABASE: Final = f"""
REVOKE ALL ON DATABASE {{database}} FROM PUBLIC;
GRANT CONNECT ON DATABASE {{database}} TO {APP_ROLE}, {DRAIN_ROLE};
"""
# A flag of Cloud SQL loads pgAudit, which writes nothing down until its extension is made here. No
# Terraform can make it, and a server that did not load it would refuse.
AUDIT_IS_NOT_MADE: Final = """
SELECT 1
FROM pg_available_extensions
WHERE name = 'pgaudit'
  AND installed_version IS NULL
  AND current_setting('pgaudit.log', true) IS NOT NULL
"""
MAKE_AUDIT: Final = "CREATE EXTENSION pgaudit"
BOOKS_EXIST: Final = "SELECT to_regclass('billing_central.schema_migrations') IS NOT NULL"
CREATE_CENTRAL_SCHEMA: Final = (
    f"CREATE SCHEMA IF NOT EXISTS {CENTRAL_SCHEMA} AUTHORIZATION {OWNER_ROLE}"
)
CREATE_BOOKS: Final = f"""
CREATE TABLE billing_central.schema_migrations (
  schema_name text NOT NULL,
  version     integer NOT NULL,
  name        text NOT NULL,
  checksum    text NOT NULL,
  applied_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT migration_is_applied_once PRIMARY KEY (schema_name, version)
);
ALTER TABLE billing_central.schema_migrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing_central.schema_migrations FORCE ROW LEVEL SECURITY;
CREATE POLICY runner ON billing_central.schema_migrations TO {OWNER_ROLE}
  USING (true) WITH CHECK (true);
-- The state of health tells the version of the central schema, and no tenant.
CREATE POLICY central_version ON billing_central.schema_migrations FOR SELECT
  TO {APP_ROLE}, {DRAIN_ROLE} USING (schema_name = {CENTRAL_SCHEMA!r});
GRANT SELECT ON billing_central.schema_migrations TO {APP_ROLE}, {DRAIN_ROLE};
"""
SCHEMAS_OF: Final = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, :prefix)"
CREATE_SCHEMA: Final = f"CREATE SCHEMA {{schema}} AUTHORIZATION {OWNER_ROLE}"
GRANT_SCHEMA: Final = "GRANT USAGE ON SCHEMA {schema} TO {role}"
# A schema that was dropped and is born again starts from nothing.
FORGET_ALL: Final = "DELETE FROM billing_central.schema_migrations WHERE schema_name = :name"


def prepare_server(connection: Session, *, limits: Limits | None = None) -> None:
    """Make roles, the central schema and the table of applied migrations where they are missing.

    Needs the right to create roles and to own the database. May run twice and twice at once.
    Closes the connection when it ended in anything but a clean error of the server.
    """
    prepare(link_of(connection, limits or Limits()))


def prepare(link: Link) -> None:
    """Do what `prepare_server` does, over a link that can connect again."""

    def work() -> None:
        with link.transaction() as session:
            session.run(TAKE_THE_SCHEMA, key=CENTRAL_SCHEMA)
            _create_roles(session, GROUPS, CREATE_GROUP)
            _create_roles(session, LOGINS, CREATE_LOGIN)
            for granted, member, how in MEMBERSHIPS:
                _grant_role(session, granted, member, how)
            for (account,) in session.run(ACCOUNTS):
                _let_in(session, account)
            if not session.run(RUNNER_MAY_ACT_AS_OWNER)[0][0]:
                session.run(GRANT_ROLE.format(granted=OWNER_ROLE, to="CURRENT_USER", how=USES))
            for (database,) in session.run(OPEN_TO_EVERYBODY):
                session.run(CLOSE_DATABASE.format(database=database))
            if session.run(AUDIT_IS_NOT_MADE):
                session.run(MAKE_AUDIT)
            if not session.run(BOOKS_EXIST)[0][0]:
                session.run(CREATE_CENTRAL_SCHEMA)
                session.run(AS_OWNER)
                session.run(CREATE_BOOKS)

    link.persist(work, also=DISTURBED)


def provision_tenant(
    connection: Session,
    tenant_id: UUID,
    folder: Path = MIGRATIONS,
    *,
    limits: Limits | None = None,
) -> int:
    """Make a tenant's role and schema and bring it to the newest version, which is returned.

    Idempotent, and safe from two processes at once; it registers the tenant nowhere. Raises
    MigrationRefused (also for a tenant whose schema is archived: it is restored, not born again),
    pg8000's DatabaseError, or ConnectionGone. Closes the connection when it ended in anything but a
    clean error of the server.
    """
    files = read_migrations(folder / "tenant")
    link = link_of(connection, limits or Limits())
    schema = Schema(schema_of(tenant_id), schema_of(tenant_id), tenant_id)

    def work() -> None:
        with link.transaction() as session:
            session.run(TAKE_THE_SCHEMA, key=schema.key)
            _create_tenant(session, schema, role_of(tenant_id))

    link.persist(work, also=DISTURBED)
    reached: list[int] = []
    move(link, schema, files, len(files), "up", arrived=lambda version, _: reached.append(version))
    return reached[-1]


def link_of(connection: Session, limits: Limits) -> Link:
    """A link over a connection that was handed in: once lost, it is not replaced."""
    given = [connection]

    def once() -> Session:
        if not given:
            raise ConnectionGone("the connection that was handed in is closed")
        return given.pop()

    return Link(once, limits)


def _create_roles(session: Session, roles: Sequence[str], create: str) -> None:
    there = {row[0] for row in session.run(ROLES, names=list(roles))}
    for role in roles:
        if role not in there:
            session.run(create.format(role=role))


def _grant_role(session: Session, granted: str, to: str, how: str) -> None:
    if not session.run(IS_MEMBER, granted=granted, to=to, how=how):
        session.run(GRANT_ROLE.format(granted=granted, to=f'"{to}"', how=how))


def _let_in(session: Session, account: str) -> None:
    """Give a service account's login what `billing_function` may, the jobs' what `billing_job`.

    One account alone may read figures of all tenants.
    """
    _grant_role(session, APP_ROLE, account, USES)
    if account.startswith(JOBS_ACCOUNT):
        _grant_role(session, DRAIN_ROLE, account, USES)
    if account.startswith(ANALYTICS_ACCOUNT):
        _grant_role(session, ANALYST_ROLE, account, ENTERS)


def _create_tenant(session: Session, schema: Schema, role: str) -> None:
    _create_roles(session, (role,), CREATE_GROUP)
    _grant_role(session, TENANT_GROUP, role, IS_ONE_OF)
    _grant_role(session, role, APP_ROLE, ENTERS)
    there = {row[0] for row in session.run(SCHEMAS_OF, prefix=f"{role}_")}
    if there - {schema.name}:
        raise MigrationRefused(f"{schema.name} is archived as {', '.join(sorted(there))}")
    if not there:
        session.run(CREATE_SCHEMA.format(schema=schema.name))
        session.run(AS_OWNER)
        session.run(FORGET_ALL, name=schema.key)
        session.run(GRANT_SCHEMA.format(schema=schema.name, role=role))
