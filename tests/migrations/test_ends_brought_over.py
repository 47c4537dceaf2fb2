"""Ends that were scheduled before they were told apart are ends of somebody here (MIG-1)."""

import pytest

from common.postgres.address import open_session
from common.postgres.migrations import MIGRATIONS, Migrator
from tests.hotel import Hotel
from tests.subscribing import act, subscribed
from tests.trust.books import broken

pytestmark = pytest.mark.req("MIG-1", "SUB-2")

BEFORE = int(next((MIGRATIONS / "central").glob("*_ends_that_are_taken_back.sql")).name[:4]) - 1


def test_what_was_to_end_ends_by_somebody_here(hotel: Hotel) -> None:
    subscribed(hotel)
    assert act(hotel, "cancel").status_code == 200
    migrator = Migrator(lambda: open_session(hotel.house.server.dsn(database="billing")))

    down = migrator.down(BEFORE, scope="central")
    up = migrator.up(scope="central")

    assert (down.exit_code, up.exit_code) == (0, 0), (down.sentence(), up.sentence())
    ((last, here, there),) = hotel.house.sql(
        "SELECT last_period, ends_here, ends_there FROM billing_central.subscriptions"
        " WHERE tenant_id = :t",
        t=hotel.tenant_id,
    )
    assert last is not None
    assert (here, there) == (last, None)
    assert broken(hotel) == []
