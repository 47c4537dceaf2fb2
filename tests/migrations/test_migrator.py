"""Up, down and status over central and nine tenants, and what one that fails leaves behind."""

from datetime import date
from uuid import UUID

import pytest

from common.postgres.migrations import MigrationRefused, Summary
from common.postgres.schemas import archived_schema_of, is_schema_of, role_of, schema_of
from tests.migrations.toys import Database, Toys

pytestmark = pytest.mark.req("MIG-1")


def spoil(database: Database, tenant: UUID) -> None:
    """Give a tenant a row that the second migration cannot accept."""
    database.run(f"INSERT INTO {schema_of(tenant)}.rooms (number) VALUES (0)")


def states(summary: Summary) -> list[str]:
    return [each.state for each in summary.outcomes if each.tenant_id is not None]


def test_brings_central_and_every_registered_tenant_to_the_newest_version(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()

    summary = database.migrator(toys.path).up()

    assert summary.exit_code == 0
    assert states(summary) == ["moved"] * 9
    assert database.versions(hotels) == [2] * 9
    assert summary.sentence() == "1 unchanged, 9 moved; central: 1 at 0001; tenants: 9 at 0002"


def test_up_down_up_gives_the_same_schema(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    at_one = database.dump()
    toys.add_floors()
    migrator = database.migrator(toys.path)

    migrator.up()
    at_two = database.dump()
    assert migrator.down(1, scope="tenants").exit_code == 0
    back_at_one = database.dump()
    migrator.up()

    assert at_one != at_two
    assert back_at_one == at_one
    assert database.dump() == at_two


def test_takes_tenants_down_before_central(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    summary = database.migrator(toys.path).down(0)

    assert summary.exit_code == 0
    assert summary.outcomes[-1].schema == "billing_central"
    assert {each.after for each in summary.outcomes} == {0}


def test_stops_at_a_failure_and_says_who_is_where(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    spoil(database, hotels[4])

    summary = database.migrator(toys.path).up()

    assert summary.exit_code == 1
    assert states(summary) == ["moved"] * 4 + ["failed"] + ["untouched"] * 4
    assert database.versions(hotels) == [2, 2, 2, 2, 1, 1, 1, 1, 1]
    assert "tenants: 5 at 0001, 4 at 0002" in summary.sentence()
    assert f"first failure in {schema_of(hotels[4])}" in summary.sentence()
    assert "rooms_are_numbered" in summary.sentence()


def test_continues_with_the_others_on_request(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    spoil(database, hotels[4])

    summary = database.migrator(toys.path).up(on_failure="continue")

    assert summary.exit_code == 1
    assert states(summary) == ["moved"] * 4 + ["failed"] + ["moved"] * 4
    assert database.versions(hotels) == [2, 2, 2, 2, 1, 2, 2, 2, 2]


def test_reverts_what_it_moved_on_request(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    spoil(database, hotels[4])
    before = database.dump()

    summary = database.migrator(toys.path).up(on_failure="revert")

    assert summary.exit_code == 1
    assert states(summary) == ["reverted"] * 4 + ["failed"] + ["untouched"] * 4
    assert database.versions(hotels) == [1] * 9
    assert database.dump() == before


def test_finishes_the_rest_once_the_cause_is_mended(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    spoil(database, hotels[4])
    database.migrator(toys.path).up()
    database.run(f"DELETE FROM {schema_of(hotels[4])}.rooms")

    summary = database.migrator(toys.path).up()

    assert states(summary) == ["unchanged"] * 4 + ["moved"] * 5
    assert database.versions(hotels) == [2] * 9


def test_touches_no_tenant_when_central_fails(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    toys.write("central", 2, "SELECT 1 / 0;", "SELECT 1;")

    summary = database.migrator(toys.path).up(on_failure="continue")

    assert [each.state for each in summary.outcomes] == ["failed"]
    assert database.versions(hotels) == [1] * 9


def test_names_the_line_of_the_file_that_failed(database: Database, toys: Toys) -> None:
    toys.write("central", 2, "SELECT 1;\nSELECT 2;\nSELECT nothing;", "SELECT 1;")

    summary = database.migrator(toys.path).up(scope="central")

    assert "0002_toy.sql line 8" in summary.sentence()


def test_refuses_a_migration_that_was_changed_after_it_was_applied(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    changed = toys.path / "tenant" / "0001_toy.sql"
    changed.write_text(changed.read_text().replace("bigint", "integer"))

    migrator = database.migrator(toys.path)
    summary = migrator.up()

    assert summary.exit_code == 1
    assert "0001_toy was changed after it was applied" in summary.sentence()
    assert database.versions(hotels) == [1] * 9
    problems = [each.problem for each in migrator.status() if each.tenant_id is not None]
    assert all("was changed after it was applied" in problem for problem in problems)


def test_tells_of_each_schema_what_is_pending(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    database.migrator(toys.path).up(tenants=hotels[:1])

    central, first, second, *_ = database.migrator(toys.path).status()

    assert (central.schema, central.version, central.pending) == ("billing_central", 1, ())
    assert (first.version, first.pending) == (2, ())
    assert (second.version, second.latest, second.pending) == (1, 2, ("0002_toy",))


def test_tells_of_an_empty_database_that_all_is_pending(database: Database, toys: Toys) -> None:
    (central,) = database.migrator(toys.path).status()

    assert (central.version, central.pending) == (0, ("0001_toy",))


def test_moves_only_the_tenants_that_were_named(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()

    summary = database.migrator(toys.path).up(tenants=[hotels[7]])

    assert [each.tenant_id for each in summary.outcomes] == [hotels[7]]
    assert database.versions(hotels) == [1] * 7 + [2, 1]


def test_leaves_a_schema_alone_that_is_newer_than_its_files(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    toys.add_floors()
    database.migrator(toys.path).up()
    (toys.path / "tenant" / "0002_toy.sql").unlink()
    older_release = database.migrator(toys.path)

    assert states(older_release.up()) == ["unchanged"] * 9
    down = older_release.down(0, scope="tenants")

    assert states(down) == ["failed"] + ["untouched"] * 8
    assert "its own release takes it back" in down.sentence()


def test_refuses_to_drop_records_that_must_be_kept(database: Database, toys: Toys) -> None:
    toys.write(
        "central", 2, "CREATE TABLE ledger_entries (n bigint);", "DROP TABLE ledger_entries;"
    )
    migrator = database.migrator(toys.path)
    migrator.up()
    assert migrator.down(1, scope="central").exit_code == 0
    migrator.up()
    database.run("INSERT INTO billing_central.ledger_entries VALUES (1)")

    refused = migrator.down(1, scope="central")
    assert refused.exit_code == 1
    assert "records that must be kept (ledger_entries)" in refused.sentence()
    assert database.run("SELECT n FROM billing_central.ledger_entries") == [[1]]

    assert migrator.down(1, scope="central", destroy_records=True).exit_code == 0


@pytest.mark.req("TEN-2")
def test_puts_only_the_tenants_own_id_and_role_into_the_sql(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    for tenant in hotels:
        schema = schema_of(tenant)
        database.run(f"INSERT INTO {schema}.rooms (number) VALUES (1)")
        assert database.run(f"SELECT tenant_id FROM {schema}.rooms") == [[tenant]]
        granted = database.run(
            "SELECT DISTINCT grantee FROM information_schema.role_table_grants "
            "WHERE table_schema = :schema AND grantee <> 'billing_owner'",
            schema=schema,
        )
        assert granted == [[role_of(tenant)]]


@pytest.mark.req("TEN-2")
def test_refuses_a_tenant_that_is_registered_with_anothers_schema(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    database.run(
        "UPDATE billing_central.tenants SET schema_name = :wrong WHERE tenant_id = :tenant",
        wrong=schema_of(hotels[1]),
        tenant=hotels[0],
    )

    with pytest.raises(MigrationRefused, match="is registered with schema"):
        database.migrator(toys.path).up()


@pytest.mark.req("TEN-6")
def test_keeps_migrating_an_archived_schema_under_its_new_name(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    archived = archived_schema_of(hotels[0], date(2026, 3, 1))
    database.run(f"ALTER SCHEMA {schema_of(hotels[0])} RENAME TO {archived}")
    database.run(
        "UPDATE billing_central.tenants SET schema_name = :name WHERE tenant_id = :tenant",
        name=archived,
        tenant=hotels[0],
    )
    toys.add_floors()

    summary = database.migrator(toys.path).up()

    assert summary.exit_code == 0
    assert summary.outcomes[1].schema == archived
    assert database.run(f"SELECT count(floor) FROM {archived}.rooms") == [[0]]


@pytest.mark.req("TEN-6")
def test_names_of_schemas_fit_into_what_postgresql_keeps_of_a_name() -> None:
    tenant = UUID(int=2**128 - 1)
    names = [schema_of(tenant), archived_schema_of(tenant, date(2026, 12, 31)), role_of(tenant)]

    assert max(len(name) for name in names) <= 63
    assert [is_schema_of(tenant, name) for name in names] == [True, True, False]
    assert not is_schema_of(UUID(int=1), names[0])


@pytest.mark.req("TEN-1")
def test_gives_every_object_to_the_owner_whom_nobody_logs_in_as(
    database: Database, toys: Toys, hotels: list[UUID]
) -> None:
    owners = database.run(
        "SELECT DISTINCT relowner::regrole::text FROM pg_class "
        "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE nspname ~ '^(tenant_|billing_central)'"
    )

    assert owners == [["billing_owner"]]


def test_asks_which_sequence_a_target_belongs_to(database: Database, toys: Toys) -> None:
    with pytest.raises(ValueError, match="numbered apart"):
        database.migrator(toys.path).up(1)
    with pytest.raises(ValueError, match="no version 0002"):
        database.migrator(toys.path).up(2, scope="central")
