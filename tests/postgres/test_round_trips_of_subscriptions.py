"""How often trials, quotes and entitlements go to the database and back (PERF-1)."""

import pytest

from tests.hotel import Hotel, House
from tests.postgres.instances import at
from tests.postgres.proxy import Proxy
from tests.subscribing import change, preview, subscribed
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


@pytest.mark.req("BEY-5")
def test_a_quote_costs_no_round_trip(hotel: Hotel, behind: House, proxy: Proxy) -> None:
    """Neither to sign it nor to prove it: a change with one asks what one without it asks, though
    that sets a credit off against what is open, and writes that down."""
    subscribed(hotel)
    through = at(behind, hotel)
    assert change(through, plan="team").status_code == 200
    with proxy.counting() as previewed:
        answer = preview(through, plan="pro")
    assert answer.json is not None
    given = {"quoteToken": answer.json["quoteToken"]}

    with proxy.counting() as quoted:
        assert change(through, plan="pro", **given).status_code == 200
    with proxy.counting() as unquoted:
        assert change(through, plan="team").status_code == 200

    assert [each.statements for each in quoted.asked[:-1]] == [
        each.statements for each in unquoted.asked[:-1]
    ]
    assert (previewed.round_trips, quoted.round_trips) == (3, 4)
