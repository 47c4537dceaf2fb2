"""Folios in credit from before deposits were a liability are brought over, and back (MIG-1)."""

from collections.abc import Callable

import pytest

from common.postgres.address import open_session
from common.postgres.migrations import MIGRATIONS, Migrator
from tests.depositing import ledger, move, paid_ahead
from tests.hotel import Hotel, House
from tests.lending import born
from tests.nights import EVENING, NEXT_DAY, checked_in, room, run
from tests.trust.books import broken

pytestmark = pytest.mark.req("MIG-1", "FOL-11")

BOTH = ("guest_ledger", "guest_deposits")
BEFORE = int(next((MIGRATIONS / "tenant").glob("*_deposits.sql")).name[:4]) - 1


@pytest.fixture
def hotel(house: House) -> Hotel:
    """A new one: a table that was emptied is not one that never held anything."""
    return born(house)


@pytest.fixture
def migrator(hotel: Hotel) -> Migrator:
    return Migrator(lambda: open_session(hotel.house.server.dsn(database="billing")))


def test_what_is_in_credit_is_brought_over_on_a_day_that_has_not_ended(
    hotel: Hotel, migrator: Migrator, clock: Callable[[str], None]
) -> None:
    """70.00 were paid ahead on the first of March, which has ended. The version before has them as
    a credit of the guest ledger; brought over and back they are dated the second of March."""
    clock(EVENING)
    checked_in(hotel, room(1))
    paid_ahead(hotel, 7_000)
    clock(NEXT_DAY)
    assert run(hotel).exit_code == 0
    newest = migrator.status()[-1].latest

    down = migrator.down(BEFORE, tenants=[hotel.tenant_id])
    before = ledger(hotel, *BOTH)
    up = migrator.up(newest, tenants=[hotel.tenant_id])

    assert (down.exit_code, up.exit_code) == (0, 0), (down.sentence(), up.sentence())
    assert before == [11_000 - 7_000, 0]
    assert ledger(hotel, *BOTH) == [11_000, -7_000]
    dates = hotel.rows(
        "SELECT business_date::text, debit_account FROM {s}.ledger_entries"
        " WHERE 'guest_deposits' IN (debit_account, credit_account) ORDER BY part"
    )
    assert dates == [
        ["2026-03-01", "guest_ledger"],
        ["2026-03-02", "guest_deposits"],
        ["2026-03-02", "guest_ledger"],
    ]
    assert hotel.rows("SELECT deposits_micro FROM {s}.folios ORDER BY 1") == [[0], [70_000_000]]
    assert broken(hotel) == []


def test_a_deposit_that_has_moved_keeps_the_schema_from_going_down(
    hotel: Hotel, migrator: Migrator
) -> None:
    assert move(hotel, paid_ahead(hotel, 7_000), hotel.open_folio(), 500).status_code == 201

    newest = migrator.status()[-1].latest

    down = migrator.down(BEFORE, tenants=[hotel.tenant_id])

    assert down.exit_code != 0
    assert migrator.up(newest, tenants=[hotel.tenant_id]).exit_code == 0
    assert ledger(hotel, *BOTH) == [0, -7_000]
    assert broken(hotel) == []
