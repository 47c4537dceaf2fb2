"""Hotels are lent to tests one after the other: whoever comes next finds no trace of the last."""

import pytest

from common.local.database import LocalDatabase
from common.postgres.schemas import role_of
from tests import lending
from tests.hotel import Hotel, House
from tests.lending import Homes, all_move_out, is_as_it_was, lent
from tests.trust.books import tables

CHANGES = (
    "ALTER TABLE {s}.folios ADD COLUMN tip bigint",
    "ALTER TABLE {s}.folios DROP CONSTRAINT closed_folio_balances",
    "ALTER TABLE {s}.folios DISABLE TRIGGER ALL",
    "ALTER TABLE {s}.folios NO FORCE ROW LEVEL SECURITY",
    "ALTER POLICY own_rows ON {s}.folios USING (true)",
    "DROP POLICY own_rows ON {s}.folios",
    "CREATE INDEX ON {s}.folios (status)",
    "CREATE TABLE {s}.tips (tip bigint)",
    "DROP TABLE {s}.lost_numbers",
    "CREATE FUNCTION {s}.tip() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "GRANT USAGE ON SCHEMA {s} TO PUBLIC",
    "GRANT DELETE ON {s}.folios TO {role}",
    "GRANT {role} TO billing_function",
)


@pytest.fixture
def homes(server: LocalDatabase, monkeypatch: pytest.MonkeyPatch) -> Homes:
    """No schema is free, and none is let."""
    found = Homes()
    monkeypatch.setitem(lending._homes, server, found)
    return found


def test_who_moves_in_finds_an_empty_house_under_a_name_of_its_own(
    house: House, homes: Homes
) -> None:
    with lent(house) as first:
        first.closed_folio()
    with lent(house) as second:
        assert homes.free == []  # it is the same schema
        assert [name for name, filled in tables(second).items() if filled] == ["settings_versions"]
        assert second.closed_folio()
    words = house.sql(
        "SELECT string_agg(concat(qual, with_check), ' ') FROM pg_policies WHERE schemaname = :s",
        s=second.schema,
    )[0][0]
    assert str(second.tenant_id) in words
    assert str(first.tenant_id) not in words
    assert house.sql("SELECT FROM pg_roles WHERE rolname = :r", r=role_of(first.tenant_id)) == []


def test_a_schema_that_was_changed_is_not_lent_again(house: House, homes: Homes) -> None:
    with lent(house) as hotel:
        house.sql(f"ALTER TABLE {hotel.schema}.folios DROP CONSTRAINT closed_folio_balances")
    assert homes.free == []


def test_every_change_of_a_schema_or_role_is_noticed(house: House, homes: Homes) -> None:
    hotel = house.new_hotel()
    role, (kept,) = role_of(hotel.tenant_id), homes.let
    with house.session() as session:
        assert is_as_it_was(session.run, kept)
        for change in CHANGES:
            session.run(f"BEGIN; {change.format(s=hotel.schema, role=role)}")
            assert not is_as_it_was(session.run, kept), change
            session.run("ROLLBACK")
        assert is_as_it_was(session.run, kept)


def test_who_came_for_a_file_moves_out_after_it(house: House, homes: Homes) -> None:
    stayed = house.new_hotel(taxRules=[])
    stayed.open_folio()
    assert homes.free == []

    all_move_out()

    assert homes.let == []
    assert [kept.hotel.tenant_id for kept in homes.free] == [stayed.tenant_id]
    assert known(house, stayed) is False
    again = house.new_hotel()
    assert homes.free == []
    assert known(house, again) is True
    assert again.closed_folio()


def known(house: House, hotel: Hotel) -> bool:
    """Whether the directory names the tenant."""
    tenant = "SELECT FROM billing_central.tenants WHERE tenant_id = :t"
    return house.sql(tenant, t=hotel.tenant_id) != []
