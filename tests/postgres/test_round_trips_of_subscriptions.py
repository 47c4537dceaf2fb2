"""How often trials and entitlements go to the database and back (PERF-1): counted, not timed."""

import pytest

from tests.hotel import Hotel, House
from tests.postgres.instances import at
from tests.postgres.proxy import Proxy
from tests.subscribing import subscribed
from tests.trialing import try_out

pytestmark = pytest.mark.req("PERF-1")


@pytest.mark.parametrize("times_before", [0, 1], ids=["first use", "warm"])
def test_entitlements_are_one_question(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    """Begin, the subscription with its plan, and the end of a transaction that wrote nothing."""
    subscribed(hotel)
    through, token = at(behind, hotel), hotel.token("subscription.read")
    path = f"/entitlements/{hotel.tenant_id}"
    for _ in range(times_before):
        assert through.get(path, token=token).status_code == 200

    with proxy.counting() as count:
        assert through.get(path, token=token).status_code == 200

    assert count.round_trips == 3
    assert count.asked[-1].statements == ("ROLLBACK",)


@pytest.mark.req("SUB-10")
def test_a_trial_takes_three_and_four(hotel: Hotel, behind: House, proxy: Proxy) -> None:
    """Begin, plan, end; and with the marks, begin, subscription, credits, commit."""
    with proxy.counting() as count:
        assert try_out(at(behind, hotel)).status_code == 201

    assert count.round_trips == 7
