"""Subscriptions from before revenue was counted are counted from then on, and back (MIG-1)."""

import pytest

from common.postgres.address import open_session
from common.postgres.migrations import MIGRATIONS, Migrator
from tests.analysing import movements
from tests.hotel import Hotel
from tests.subscribing import act, subscribed
from tests.trialing import tried
from tests.trust.books import broken

pytestmark = pytest.mark.req("MIG-1", "ANA-1")

BEFORE = int(next((MIGRATIONS / "central").glob("*_recurring_revenue.sql")).name[:4]) - 1


def test_what_runs_is_counted_once_and_goes_on_from_there(hotel: Hotel) -> None:
    """290.00 a year is worth 24.166667 a month; a trial is worth nothing."""
    other = hotel.house.new_hotel()
    subscribed(hotel, interval="year")
    tried(other)
    migrator = Migrator(lambda: open_session(hotel.house.server.dsn(database="billing")))

    down = migrator.down(BEFORE, scope="central")
    up = migrator.up(scope="central")

    assert (down.exit_code, up.exit_code) == (0, 0), (down.sentence(), up.sentence())
    assert movements(hotel) == [["new", 24_166_667, 24_166_667]]
    assert movements(other) == []
    assert act(hotel, "cancel", at="now").status_code == 200
    assert movements(hotel)[1:] == [["churn", -24_166_667, 0]]
    assert broken(hotel) == broken(other) == []
