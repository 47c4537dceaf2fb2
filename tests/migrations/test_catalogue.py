"""What the database itself must say of every table, read from its catalogue.

Each rule is a query for offenders. The real schemas must have none, and each rule is shown an
offence that it has to find: a rule that finds nothing would keep nothing. A table that a later
migration adds is judged by the same queries, without anybody adding it to a list.
"""

from typing import Final
from uuid import UUID, uuid4

import pytest

from common.postgres.migrations import Migrator, prepare_server, provision_tenant
from common.postgres.schemas import APPEND_ONLY_TABLES, schema_of
from tests.migrations.toys import Database

OURS: Final = "nspname ~ '^(billing_central|tenant_[0-9a-f]{32}_billing)$'"
TABLES: Final = f"""
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE {OURS} AND relkind IN ('r', 'p')
"""
COLUMNS: Final = f"""
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
WHERE {OURS} AND relkind IN ('r', 'p', 'v', 'm')
"""
GRANTS: Final = f"""
FROM (
  SELECT relname, relowner, acl.grantee, acl.privilege_type, '' AS attname
  FROM pg_class
  JOIN pg_namespace ON pg_namespace.oid = relnamespace
  CROSS JOIN LATERAL aclexplode(relacl) AS acl
  WHERE {OURS}
  UNION ALL
  SELECT relname, relowner, acl.grantee, acl.privilege_type, attname
  FROM pg_class
  JOIN pg_namespace ON pg_namespace.oid = relnamespace
  JOIN pg_attribute ON attrelid = pg_class.oid
  CROSS JOIN LATERAL aclexplode(attacl) AS acl
  WHERE {OURS}
) AS granted
"""
RECORDS: Final = ", ".join(f"'{table}'" for table in sorted(APPEND_ONLY_TABLES))
SPOIL: Final = "CREATE TABLE {schema}.planted (tenant_id uuid NOT NULL"

RULES: Final[dict[str, tuple[str, str]]] = {
    "row security is on": (
        f"SELECT relname {TABLES} AND NOT relrowsecurity",
        "ALTER TABLE {schema}.folios DISABLE ROW LEVEL SECURITY",
    ),
    "row security binds the owner": (
        f"SELECT relname {TABLES} AND NOT relforcerowsecurity",
        "ALTER TABLE {schema}.folios NO FORCE ROW LEVEL SECURITY",
    ),
    "every table has a policy": (
        f"SELECT relname {TABLES} "
        "AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)",
        SPOIL + ")",
    ),
    "policies judge what is read and what is written": (
        f"SELECT polname, polcmd FROM pg_policy WHERE polrelid IN (SELECT pg_class.oid {TABLES}) "
        "AND ((polcmd IN ('*', 'r', 'w', 'd') AND polqual IS NULL) "
        "OR (polcmd IN ('*', 'a', 'w') AND polwithcheck IS NULL))",
        "CREATE POLICY half ON {schema}.folios TO billing_app USING (true)",
    ),
    "no policy is for everybody": (
        f"SELECT polname FROM pg_policy WHERE polrelid IN (SELECT pg_class.oid {TABLES}) "
        "AND 0 = ANY (polroles)",
        "CREATE POLICY anybody ON {schema}.folios USING (true) WITH CHECK (true)",
    ),
    "a tenant's policies name the tenant and its role": (
        "SELECT nspname, relname, polname FROM pg_policy "
        "JOIN pg_class ON pg_class.oid = polrelid "
        "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        f"WHERE {OURS} AND nspname ~ '^tenant' AND NOT ("
        "coalesce(pg_get_expr(polqual, polrelid), 'current_tenant()') ~ 'current_tenant\\(\\)' "
        "AND coalesce(pg_get_expr(polwithcheck, polrelid), 'current_tenant()') "
        "~ 'current_tenant\\(\\)' "
        "AND polroles = ARRAY[(SELECT oid FROM pg_roles "
        "WHERE rolname = left(nspname, length('tenant_') + 32))])",
        "CREATE POLICY lax ON {schema}.folios TO billing_app USING (true) WITH CHECK (true)",
    ),
    # The application may see times of all tenants (how long the oldest event waits), and whose a
    # card payment, a customer or an account is, before there is a tenant to enter (WH-3); nothing
    # else.
    "central rows of a tenant are shown to that tenant": (
        "SELECT relname, polname FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid "
        "JOIN pg_attribute AS whose ON whose.attrelid = polrelid AND whose.attname = 'tenant_id' "
        "WHERE relnamespace = 'billing_central'::regnamespace AND polroles && "
        "ARRAY['billing_tenant'::regrole::oid, 'billing_app'::regrole::oid] AND NOT ("
        "coalesce(pg_get_expr(polqual, polrelid), 'false') ~ 'current_tenant|^false$' AND "
        "coalesce(pg_get_expr(polwithcheck, polrelid), 'false') ~ 'current_tenant|^false$') "
        "AND (relname, polname) NOT IN (('card_payments', 'whose'), "
        "('processor_customers', 'whose'), ('processor_accounts', 'whose')) "
        "AND NOT (polcmd = 'r' AND polroles = ARRAY['billing_app'::regrole::oid] AND NOT EXISTS ("
        "SELECT FROM pg_attribute AS shown WHERE shown.attrelid = polrelid AND shown.attnum > 0 "
        "AND NOT shown.attisdropped AND shown.atttypid <> 'timestamptz'::regtype "
        "AND has_column_privilege('billing_app', polrelid, shown.attnum, 'SELECT')))",
        "CREATE POLICY lax ON billing_central.outbox TO billing_tenant "
        "USING (true) WITH CHECK (true)",
    ),
    "times of all tenants, and nothing but times, are shown to the application": (
        "SELECT attname FROM pg_attribute WHERE attrelid = 'billing_central.outbox'::regclass "
        "AND attnum > 0 AND NOT attisdropped AND atttypid <> 'timestamptz'::regtype "
        "AND has_column_privilege('billing_app', attrelid, attnum, 'SELECT')",
        "GRANT SELECT (event) ON billing_central.outbox TO billing_app",
    ),
    "the owner is nobody who logs in": (
        "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        f"WHERE {OURS} AND relowner <> 'billing_owner'::regrole",
        "ALTER TABLE {schema}.folios OWNER TO postgres",
    ),
    "nothing is granted to everybody": (
        f"SELECT relname, privilege_type {GRANTS} WHERE grantee = 0",
        "GRANT SELECT (id) ON {schema}.folios TO PUBLIC",
    ),
    "no schema is open to everybody or made in by others": (
        "SELECT nspname, privilege_type FROM pg_namespace "
        "CROSS JOIN LATERAL aclexplode(nspacl) AS acl "
        f"WHERE {OURS} AND acl.grantee <> nspowner "
        "AND (acl.grantee = 0 OR acl.privilege_type = 'CREATE')",
        "GRANT CREATE ON SCHEMA {schema} TO billing_app",
    ),
    "tables of record are added to and never changed": (
        f"SELECT relname, privilege_type, attname {GRANTS} WHERE relname IN ({RECORDS}) "
        "AND grantee <> relowner AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE')",
        "GRANT UPDATE (amount_micro) ON {schema}.ledger_entries TO billing_app",
    ),
    "of a told event nothing changes but that it was published": (
        f"SELECT privilege_type, attname {GRANTS} WHERE relname = 'outbox' "
        "AND grantee <> relowner AND attname <> 'published_at' "
        "AND privilege_type IN ('UPDATE', 'TRUNCATE')",
        "GRANT UPDATE ON billing_central.outbox TO billing_drain",
    ),
    "nothing reads with a stronger role's eyes": (
        f"SELECT proname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace "
        f"WHERE {OURS} AND prosecdef UNION ALL "
        "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        f"WHERE {OURS} AND (relkind = 'm' OR (relkind = 'v' "
        "AND NOT coalesce(reloptions::text[] @> '{security_invoker=true}', false)))",
        "CREATE VIEW {schema}.planted AS SELECT * FROM {schema}.folios",
    ),
    "every row of a tenant says whose it is": (
        f"SELECT nspname, relname {TABLES} AND nspname ~ '^tenant' AND NOT EXISTS "
        "(SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant_id' "
        "AND atttypid = 'uuid'::regtype AND attnotnull)",
        "CREATE TABLE {schema}.planted (id text)",
    ),
    "a reference between rows carries the tenant": (
        "SELECT conname FROM pg_constraint "
        "JOIN pg_namespace ON pg_namespace.oid = connamespace "
        f"WHERE {OURS} AND nspname ~ '^tenant' AND contype = 'f' AND NOT EXISTS "
        "(SELECT FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey) "
        "AND attname = 'tenant_id')",
        SPOIL + ", id text UNIQUE, other text REFERENCES {schema}.planted (id))",
    ),
    "money is a bigint": (
        f"SELECT relname, attname {COLUMNS} AND atttypid <> 'bigint'::regtype "
        "AND (attname ~ '_micro$' OR attname ~ '(^|_)(amount|price|balance|total)$')",
        SPOIL + ", fee_micro integer)",
    ),
    "no column can hold a fraction that drifts": (
        f"SELECT relname, attname {COLUMNS} AND atttypid = ANY (ARRAY['numeric', 'real', "
        "'double precision', 'money', 'numeric[]', 'real[]', 'double precision[]']::regtype[])",
        SPOIL + ", rate numeric(12, 6))",
    ),
    "a time knows its zone": (
        f"SELECT relname, attname {COLUMNS} "
        "AND atttypid = ANY (ARRAY['timestamp', 'time', 'timetz']::regtype[])",
        SPOIL + ", seen_at timestamp)",
    ),
    "no column is made for card data": (
        f"SELECT relname, attname {COLUMNS} AND attname ~* '^(pan|cvv|cardholder|card_number)'",
        SPOIL + ", pan_last4 text)",
    ),
}


@pytest.fixture
def tenant(database: Database) -> UUID:
    tenant_id = uuid4()
    session = database.connect()
    prepare_server(session)
    assert Migrator(database.connect).up(scope="central").exit_code == 0
    provision_tenant(session, tenant_id)
    session.close()
    return tenant_id


@pytest.mark.req("TEN-1", "TEN-2", "TEN-3", "MON-1", "MON-6", "SEC-6", "AUD-1", "MIG-1")
def test_every_table_of_central_and_of_a_tenant_keeps_every_rule(
    database: Database, tenant: UUID
) -> None:
    offenders = {rule: database.run(find) for rule, (find, _) in RULES.items()}

    assert {rule: found for rule, found in offenders.items() if found} == {}


@pytest.mark.req("TEN-2", "MIG-1")
def test_finds_the_forgetful_author_of_a_migration(database: Database, tenant: UUID) -> None:
    """One offence is planted at a time, and taken back, and each is found by its own rule."""
    session = database.connect()
    missed = []
    for rule, (find, offence) in RULES.items():
        session.run("BEGIN; SET LOCAL ROLE billing_owner")
        if "OWNER TO" in offence:
            session.run("RESET ROLE")
        session.run(offence.format(schema=schema_of(tenant)))
        if not session.run(find):
            missed.append(rule)
        session.run("ROLLBACK")
    session.close()

    assert missed == []


@pytest.mark.req("TEN-2", "TEN-4")
def test_tenants_differ_in_nothing_but_their_names(database: Database, tenant: UUID) -> None:
    other = uuid4()
    session = database.connect()
    provision_tenant(session, other)
    session.close()

    def dumped(of: UUID) -> str:
        text = database.dump(schema_of(of))
        return text.replace(of.hex, "HEX").replace(str(of), "UUID")

    assert dumped(tenant) == dumped(other)
