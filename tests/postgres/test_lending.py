"""Hotels are lent to tests one after the other: whoever comes next finds no trace of the last."""

import pytest

from common.local.database import LocalDatabase
from common.postgres.schemas import role_of
from tests import lending
from tests.hotel import Hotel, House, usd, vat
from tests.lending import Homes, all_move_out, is_as_it_was, lent, let
from tests.proofs import assert_refused
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


def test_who_moves_in_finds_an_empty_house_and_no_memory_of_the_last(
    house: House, homes: Homes
) -> None:
    """Neither in the database, nor in the process that served both."""
    with lent(house) as first:
        first.write_settings(taxRules=[vat(300_000)])
        folio = first.open_folio()
        first.charged(folio)
        assert first.get(f"/folios/{folio}").json["balance"] == usd(13_000)
    with lent(house) as second:
        assert homes.free == []  # it is the same schema
        assert (second.tenant_id, second.property_id) != (first.tenant_id, first.property_id)
        assert [name for name, filled in tables(second).items() if filled] == ["settings_versions"]
        assert second.get(f"/folios/{folio}").status_code == 404
        anew = second.open_folio()
        second.charged(anew)
        assert second.get(f"/folios/{anew}").json["balance"] == usd(11_000)


def test_who_has_no_settings_yet_has_not_the_last_ones(house: House, homes: Homes) -> None:
    with lent(house) as first:
        first.open_folio()
    second = let(house)
    assert homes.free == []
    asked = {"propertyId": str(second.property_id), "guest": {"name": "A. Guest"}}
    assert_refused(second.post("/folios", asked), 403, "MELMASTOON.GENERAL.TENANT_UNKNOWN")


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
