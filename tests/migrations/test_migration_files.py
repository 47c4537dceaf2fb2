"""Which migration files are refused before they reach a database, and why."""

import re
from pathlib import Path
from uuid import UUID

import pytest

from common.postgres.migration_files import MigrationMalformed, read_migrations, resolved
from common.postgres.migrations import MIGRATIONS
from tests.migrations.toys import HEADER, Toys

pytestmark = pytest.mark.req("MIG-1")

CHANGES_ROWS = re.compile(r"^(?:UPDATE|DELETE FROM) (\w+)", re.MULTILINE)
REFUSED_WHERE_ROWS_ARE = {"0013_signals_about_things"}
"""Its way back is refused where there are any: a column that it brings back may not be empty."""

TENANT = UUID("01234567-89ab-cdef-0123-456789abcdef")


def test_reads_both_parts_and_where_they_stand(toys: Toys) -> None:
    (only,) = read_migrations(toys.path / "tenant")

    assert (only.version, only.label) == (1, "0001_toy")
    lines = (toys.path / "tenant" / "0001_toy.sql").read_text().splitlines()
    assert lines[only.up_line - 1].startswith("CREATE TABLE rooms")
    assert lines[only.down_line - 1] == "DROP TABLE rooms;"
    assert only.up.splitlines()[0] == lines[only.up_line - 1]
    assert only.down == "DROP TABLE rooms;"


def test_puts_the_role_and_the_id_of_the_tenant_in(toys: Toys) -> None:
    """Both come from the digits of the UUID, whatever its text looked like."""
    sql = "GRANT SELECT ON rooms TO {tenant_role}; SELECT {tenant_id}, '{a,b}'::text[];"

    assert resolved(sql, TENANT) == (
        "GRANT SELECT ON rooms TO tenant_0123456789abcdef0123456789abcdef; "
        "SELECT '01234567-89ab-cdef-0123-456789abcdef'::uuid, '{a,b}'::text[];"
    )


@pytest.mark.parametrize(
    ("up", "complaint"),
    [
        ("-- nothing but a comment", "without a statement"),
        ("SELECT 1; COMMIT; SELECT 2;", "begins or ends a transaction"),
        ("rollback;", "begins or ends a transaction"),
        ("CREATE INDEX CONCURRENTLY i ON rooms (number);", "CONCURRENTLY"),
        ("GRANT SELECT ON rooms TO {tenant_rolle};", "{tenant_rolle} is no placeholder"),
        (f"SELECT * FROM tenant_{TENANT.hex}_billing.rooms;", "names one tenant's schema"),
    ],
)
def test_refuses_a_part_that_cannot_run_for_every_tenant(
    toys: Toys, up: str, complaint: str
) -> None:
    toys.write("tenant", 2, up, "SELECT 1;")

    with pytest.raises(MigrationMalformed, match=complaint):
        read_migrations(toys.path / "tenant")


@pytest.mark.parametrize(
    "up",
    [
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN; COMMIT; END; $$;",
        "SELECT 'a; COMMIT;'; -- COMMIT;\n/* ; ROLLBACK */ SELECT 2;",
        "SELECT 1 -- the hotel's own; COMMIT\n;",
    ],
)
def test_does_not_mistake_text_for_a_statement(toys: Toys, up: str) -> None:
    toys.write("tenant", 2, up, "SELECT 1;")

    assert len(read_migrations(toys.path / "tenant")) == 2


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("0003_gap.sql", f"{HEADER}-- up\nSELECT 1;\n-- down\nSELECT 1;\n", "expected number 0002"),
        ("0001_twin.sql", f"{HEADER}-- up\nSELECT 1;\n-- down\nSELECT 1;\n", "expected number"),
        ("2_short.sql", f"{HEADER}-- up\nSELECT 1;\n-- down\nSELECT 1;\n", "NNNN_what_changes"),
        ("0002_one_way.sql", f"{HEADER}-- up\nSELECT 1;\n", "`-- up` and `-- down` once each"),
        ("0002_upside.sql", f"{HEADER}-- down\nSELECT 1;\n-- up\nSELECT 1;\n", "comes before"),
        ("0002_mute.sql", "-- up\nSELECT 1;\n-- down\nSELECT 1;\n", "the header lacks `-- Why:`"),
    ],
)
def test_refuses_a_file_that_breaks_the_form(
    toys: Toys, name: str, text: str, complaint: str
) -> None:
    (toys.path / "central" / name).write_text(text, encoding="utf-8")

    with pytest.raises(MigrationMalformed, match=complaint):
        read_migrations(toys.path / "central")


def test_gives_every_change_of_a_file_another_checksum(toys: Toys) -> None:
    file: Path = toys.path / "central" / "0001_toy.sql"
    (before,) = read_migrations(file.parent)

    file.write_text(file.read_text(encoding="utf-8").replace("a toy", "a toy."), encoding="utf-8")
    (after,) = read_migrations(file.parent)

    assert before.checksum != after.checksum
    assert before.up == after.up


@pytest.mark.parametrize("scope", ["central", "tenant"])
def test_rows_are_changed_where_the_owner_is_not_bound_by_row_security(scope: str) -> None:
    """Bound, an UPDATE finds no row, says nothing, and the migration is recorded as done."""
    unseen = [
        (each.label, table)
        for each in read_migrations(MIGRATIONS / scope)
        for part in (each.up, each.down)
        for table in CHANGES_ROWS.findall(part)
        if f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" not in part
    ]

    assert [each for each in unseen if each[0] not in REFUSED_WHERE_ROWS_ARE] == []
