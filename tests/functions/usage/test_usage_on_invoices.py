"""What was used is billed in arrears, and a late event on the next invoice (SUB-5, SUB-12)."""

from collections.abc import Callable

import pytest

from tests.buying import card
from tests.hotel import Hotel, usd
from tests.metering import fates, price, priced, send_all, totals, usage_lines, used
from tests.subscribing import act, change, invoices, put_into, run_cycle, shown, subscribed
from tests.trialing import tried
from tests.trust.books import broken

pytestmark = pytest.mark.req("SUB-12", "SUB-5")
Clock = Callable[[str], None]


def test_bills_a_period_with_the_next_one_and_what_comes_late_with_the_one_after(
    hotel: Hotel, clock: Clock
) -> None:
    """0.15 for a million tokens: 1,200,000 cost 0.18. Another 900,000 come late: 2.1 million cost
    0.315, rounded 0.32, of which 0.14 are left. Two requests beyond one included cost 0.05 each."""
    clock("2026-01-31T12:00:30+00:00")
    prices = [price("ai_tokens", 150_000, per=1_000_000), price("ai_requests", 50_000, included=1)]
    subscribed(hotel, priced(hotel, *prices))
    clock("2026-02-20T12:00:00+00:00")
    told = send_all(
        hotel,
        used("ai_tokens", 1_000_000, "2026-02-01T00:00:00Z"),
        used("ai_tokens", 200_000, "2026-02-20T11:00:00Z"),
        *(used("ai_requests", None, "2026-02-03T00:00:00Z") for _ in range(3)),
    )
    assert fates(told) == ["counted"] * 5
    assert shown(hotel)["nextInvoice"]["due"]["amountMicro"] == 10_280_000
    clock("2026-03-01T00:00:00+00:00")

    assert run_cycle(hotel).done == 1

    assert usage_lines(hotel) == [
        [2, "usage", "ai_requests", 1, 3, 10],
        [2, "usage", "ai_tokens", 1, 1_200_000, 18],
    ]
    assert invoices(hotel) == [["period", 1, 1_000, 1_000], ["period", 2, 1_028, 1_028]]
    late = used("ai_tokens", 900_000, "2026-02-28T12:00:20Z")
    assert fates(send_all(hotel, late, used("ai_tokens", 10, "2026-02-28T12:00:40Z"))) == [
        "counted",
        "counted",
    ]
    clock("2026-04-01T00:00:00+00:00")
    assert run_cycle(hotel).done == 1
    assert usage_lines(hotel)[2:] == [
        [3, "late_usage", "ai_tokens", 1, 2_100_000, 14],
        [3, "usage", "ai_tokens", 2, 10, 0],
    ]
    assert totals(hotel) == [
        [1, "ai_requests", 3, 3, 3, 10],
        [1, "ai_tokens", 3, 2_100_000, 2_100_000, 32],
        [2, "ai_tokens", 1, 10, 10, 0],
    ]
    assert broken(hotel) == []


@pytest.mark.req("SUB-10")
def test_what_is_used_in_a_trial_costs_nothing_however_late_it_is_told(
    hotel: Hotel, clock: Clock
) -> None:
    """Requests at 0.05: two in a trial and one that is told of when it is over are counted and cost
    nothing; one in the first period costs 0.05."""
    clock("2026-02-20T10:00:30+00:00")
    plan = priced(hotel, price("ai_requests", 50_000))
    tried(hotel, plan=plan, paymentMethodId=card(hotel))
    clock("2026-02-25T00:00:30+00:00")
    in_trial = [used("ai_requests", None, "2026-02-24T00:00:00Z") for _ in range(2)]
    assert fates(send_all(hotel, *in_trial)) == ["counted"] * 2
    clock("2026-03-06T10:01:30+00:00")
    assert run_cycle(hotel).done == 1
    clock("2026-03-10T00:00:30+00:00")
    late = used("ai_requests", None, "2026-03-01T00:00:00Z")
    assert fates(send_all(hotel, late, used("ai_requests", None, "2026-03-09T00:00:00Z"))) == [
        "counted",
        "counted",
    ]
    clock("2026-04-06T10:01:30+00:00")

    assert run_cycle(hotel).done == 1

    assert usage_lines(hotel) == [[2, "usage", "ai_requests", 1, 1, 5]]
    assert invoices(hotel) == [["period", 1, 1_000, 1_000], ["period", 2, 1_005, 1_005]]
    assert totals(hotel) == [[0, "ai_requests", 3, 3, 3, 0], [1, "ai_requests", 1, 1, 1, 5]]
    assert broken(hotel) == []


def test_bills_what_was_used_until_a_subscription_ends(hotel: Hotel, clock: Clock) -> None:
    """Three users at 2.00 each, and an invoice of its own for them; then nothing is counted."""
    clock("2026-01-31T12:00:30+00:00")
    subscribed(hotel, priced(hotel, price("active_users", 2_000_000)))
    clock("2026-02-10T00:00:00+00:00")
    at = "2026-02-09T00:00:00Z"
    users = [used("active_users", None, at, value=name) for name in ("a", "b", "c", "a")]
    assert fates(send_all(hotel, *users)) == ["counted"] * 4

    answer = act(hotel, "cancel", at="now")

    assert answer.json["invoice"]["bill"]["purpose"] == "usage"
    assert invoices(hotel) == [["period", 1, 1_000, 1_000], ["usage", 1, 600, 600]]
    assert totals(hotel) == [[1, "active_users", 4, 3, 3, 600]]
    after = used("active_users", None, "2026-02-10T00:00:00Z", value="d")
    assert fates(send_all(hotel, after)) == ["USAGE_OUTSIDE_SUBSCRIPTION"]
    assert broken(hotel) == []


def test_gives_back_what_a_late_event_makes_cheaper(hotel: Hotel, clock: Clock) -> None:
    """Up to 10 at 1.00, beyond at 0.50 each: 10 cost 10.00, 12 cost 6.00. The 4.00 are taken off
    the fee of the next period."""
    clock("2026-01-31T12:00:30+00:00")
    tiers = [[10, 1_000_000], [None, 500_000]]
    subscribed(hotel, priced(hotel, price("storage_mb", 0, model="volume", tiers=tiers)))
    clock("2026-03-01T00:00:00+00:00")
    assert fates(send_all(hotel, used("storage_mb", 10, "2026-02-01T00:00:00Z"))) == ["counted"]
    assert run_cycle(hotel).done == 1
    lower = used("storage_mb", 3, "2026-02-02T00:00:00Z")
    higher = used("storage_mb", 12, "2026-02-03T00:00:00Z")
    assert fates(send_all(hotel, higher, lower)) == ["counted"] * 2
    clock("2026-04-01T00:00:00+00:00")

    assert run_cycle(hotel).done == 1

    assert usage_lines(hotel) == [
        [2, "usage", "storage_mb", 1, 10, 1_000],
        [3, "late_usage", "storage_mb", 1, 12, -400],
    ]
    assert invoices(hotel)[-1] == ["period", 3, 600, 600]
    assert broken(hotel) == []


def test_what_was_used_before_the_cycle_came_is_of_the_period_to_come(
    hotel: Hotel, clock: Clock
) -> None:
    """The job is two days late: what happened meanwhile is billed with the period after it."""
    clock("2026-01-31T12:00:30+00:00")
    subscribed(hotel, priced(hotel, price("ai_requests", 1_000_000)))
    clock("2026-03-02T12:00:30+00:00")
    events = [used("ai_requests", None, f"2026-{day}T12:00:45Z") for day in ("02-27", "02-28")]
    assert fates(send_all(hotel, *events)) == ["counted"] * 2

    assert run_cycle(hotel).done == 1

    assert usage_lines(hotel) == [[2, "usage", "ai_requests", 1, 1, 100]]
    assert totals(hotel) == [[1, "ai_requests", 1, 1, 1, 100], [2, "ai_requests", 1, 1, 0, 0]]
    assert shown(hotel)["nextInvoice"]["due"] == usd(1_100)
    assert broken(hotel) == []


def test_a_suspended_time_is_of_the_period_before_it(hotel: Hotel, clock: Clock) -> None:
    clock("2026-01-31T12:00:30+00:00")
    subscribed(hotel, priced(hotel, price("ai_requests", 1_000_000)))
    put_into(hotel, status="suspended", due_at=None)
    clock("2026-03-05T00:00:00+00:00")
    event = used("ai_requests", None, "2026-03-04T00:00:00Z")
    assert fates(send_all(hotel, event)) == ["counted"]

    assert act(hotel, "reactivate").status_code == 200

    assert usage_lines(hotel) == [[2, "usage", "ai_requests", 1, 1, 100]]


def test_prices_a_late_event_by_the_plan_that_its_period_ended_with(
    hotel: Hotel, clock: Clock
) -> None:
    """A request costs 1.00, and 3.00 in the plan that the tenant has moved to since."""
    clock("2026-01-31T12:00:30+00:00")
    before, after = (priced(hotel, price("ai_requests", cost * 1_000_000)) for cost in (1, 3))
    subscribed(hotel, before)
    clock("2026-03-01T00:00:00+00:00")
    assert run_cycle(hotel).done == 1
    assert change(hotel, plan=after).status_code == 200
    times = ("2026-02-10T00:00:00Z", "2026-02-28T23:00:00Z")
    assert fates(send_all(hotel, *(used("ai_requests", None, at) for at in times))) == [
        "counted",
        "counted",
    ]
    clock("2026-04-01T00:00:00+00:00")

    assert run_cycle(hotel).done == 1

    assert usage_lines(hotel) == [
        [3, "late_usage", "ai_requests", 1, 1, 100],
        [3, "usage", "ai_requests", 2, 1, 300],
    ]
    assert broken(hotel) == []
