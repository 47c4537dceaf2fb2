"""A trial is told of three days before it ends, once; then it is paid for, or it ends (SUB-10)."""

from collections.abc import Callable

import pytest

from tests.buying import card
from tests.charging import choose, collect, debts, status
from tests.hotel import Hotel, House
from tests.prepaying import lots
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.subscribing import act, change, cycle, invoices, run_cycle, shown, subscribe, subscribed
from tests.together import at_once
from tests.trialing import run_reminder, tried

pytestmark = pytest.mark.req("SUB-10", "JOB-1")
Clock = Callable[[str], None]
BEGAN = "2026-02-20T10:00:30+00:00"
OVER = "2026-03-06T10:01:30+00:00"


def with_card(hotel: Hotel) -> str:
    """A trial with a payment method; answers the method."""
    method = card(hotel)
    tried(hotel, paymentMethodId=method)
    return method


def test_tells_once_that_a_trial_will_end(hotel: Hotel, clock: Clock) -> None:
    """From 20 February until 6 March, 10:00: told on 3 March at 10:00, and not before."""
    clock(BEGAN)
    tried(hotel)
    clock("2026-03-03T09:59:30+00:00")
    assert run_reminder(hotel).done == 0
    clock("2026-03-03T10:01:30+00:00")

    at_once([lambda: run_reminder(hotel)] * 3)

    assert told(hotel).count("subscription.trial_will_end") == 1
    (event,) = hotel.events("subscription.trial_will_end")
    assert event["type"] == "melmastoon.billing.subscription.trial_will_end.v1"
    assert event["data"]["periodEnd"][:16] == "2026-03-06T10:00"
    assert event["data"]["willConvert"] is False
    after = state(hotel)
    assert run_reminder(hotel).done == 0
    assert state(hotel) == after
    assert_books_are_right(hotel)


def test_says_whether_it_will_be_paid_for_and_nothing_of_one_that_has_ended(
    hotel: Hotel, house: House, clock: Clock
) -> None:
    clock(BEGAN)
    other = house.new_hotel()
    with_card(hotel)
    tried(other)
    assert act(other, "cancel", at="now").status_code == 200
    clock("2026-03-04T10:00:00+00:00")

    run_reminder(hotel, other)

    (event,) = hotel.events("subscription.trial_will_end")
    assert event["data"]["willConvert"] is True
    assert other.events("subscription.trial_will_end") == []
    assert_books_are_right(other)


def test_looks_no_more_at_a_trial_that_another_subscription_has_followed(
    hotel: Hotel, clock: Clock
) -> None:
    clock(BEGAN)
    tried(hotel)
    assert act(hotel, "cancel", at="now").status_code == 200
    subscribed(hotel)
    clock("2026-03-04T10:00:00+00:00")
    assert run_reminder(hotel).due == 1

    assert run_reminder(hotel).due == 0

    assert hotel.events("subscription.trial_will_end") == []
    assert_books_are_right(hotel)


@pytest.mark.req("SUB-2", "SUB-4", "SUB-11")
def test_goes_over_to_the_first_period_once(hotel: Hotel, clock: Clock) -> None:
    """29.00 for 6 March to 6 April, by job beside job and by hand; 1,000 credits for it."""
    clock(BEGAN)
    with_card(hotel)
    clock(OVER)

    at_once([lambda: run_cycle(hotel)] * 3 + [lambda: cycle(hotel)])

    mine = shown(hotel)["subscription"]
    assert (mine["status"], mine["periodNumber"]) == ("active", 1)
    assert [mine["period"][name][:16] for name in ("start", "end")] == [
        "2026-03-06T10:00",
        "2026-04-06T10:00",
    ]
    assert invoices(hotel) == [["period", 1, 2_900, 2_900]]
    assert sorted(lots(hotel)) == [["promotion", 1_000, 0], ["renewal", 1_000, 0]]
    assert told(hotel).count("subscription.trial_converted") == 1
    assert len(trail(hotel, "subscription.trial_converted")) == 1
    assert_books_are_right(hotel)


@pytest.mark.req("SUB-6")
def test_a_card_that_is_chosen_while_it_runs_pays_when_it_is_over(
    hotel: Hotel, clock: Clock
) -> None:
    clock(BEGAN)
    tried(hotel)
    assert choose(hotel, card(hotel)).status_code == 200
    clock(OVER)

    run_cycle(hotel)
    collect(hotel)

    assert invoices(hotel) == [["period", 1, 2_900, 2_900]]
    assert (debts(hotel), status(hotel)) == (["paid"], "active")
    assert_books_are_right(hotel)


def test_ends_without_a_payment_method(hotel: Hotel, clock: Clock) -> None:
    """No card, and one that was removed: nobody is billed; and who subscribes then is welcome."""
    clock(BEGAN)
    other = hotel.house.new_hotel()
    method = with_card(hotel)
    assert hotel.call("DELETE", f"/payment-methods/{method}").status_code == 200
    tried(other)
    clock(OVER)

    assert run_cycle(hotel, other).done == 2

    for each in (hotel, other):
        mine = shown(each)["subscription"]
        assert (mine["status"], mine["canceledAt"][:16]) == ("canceled", "2026-03-06T10:00")
        assert invoices(each) == []
        assert "no payment method" in trail(each, "subscription.canceled")[0]["reason"]
        assert_books_are_right(each)
    assert subscribe(hotel).status_code == 201
    assert_books_are_right(hotel)


def test_a_plan_that_costs_nothing_needs_no_payment_method(hotel: Hotel, clock: Clock) -> None:
    clock(BEGAN)
    tried(hotel)
    assert change(hotel, plan="free").status_code == 200
    clock(OVER)

    assert run_cycle(hotel).done == 1

    assert shown(hotel)["subscription"]["status"] == "active"
    assert invoices(hotel) == [["period", 1, 0, 0]]


def test_ends_where_it_was_canceled_for_its_end(hotel: Hotel, clock: Clock) -> None:
    """With a card: canceled on the first day, it runs to its end and is not billed."""
    clock(BEGAN)
    with_card(hotel)
    answer = act(hotel, "cancel")
    assert answer.json["subscription"]["endsAt"][:16] == "2026-03-06T10:00"
    assert shown(hotel)["nextInvoice"] is None
    assert_refused(act(hotel, "pause"), 409, "SUBSCRIPTION_STATE_REFUSES")
    clock(OVER)

    run_cycle(hotel)

    assert shown(hotel)["subscription"]["status"] == "canceled"
    assert invoices(hotel) == []
    assert_books_are_right(hotel)


def test_does_nothing_too_early(hotel: Hotel, clock: Clock) -> None:
    clock(BEGAN)
    with_card(hotel)
    clock("2026-03-06T09:59:30+00:00")
    before = state(hotel)

    assert run_cycle(hotel).done == 0
    assert_refused(cycle(hotel), 409, "SUBSCRIPTION_NOTHING_DUE")

    assert state(hotel) == before


def test_catches_up_the_periods_behind_a_trial(hotel: Hotel, clock: Clock) -> None:
    """Left alone until 7 May: the trial, and the periods to 6 April and 6 May are over."""
    clock(BEGAN)
    with_card(hotel)
    clock("2026-05-07T00:00:00+00:00")

    assert run_cycle(hotel).done == 3

    assert invoices(hotel) == [["period", number, 2_900, 2_900] for number in (1, 2, 3)]
    assert_books_are_right(hotel)


@pytest.mark.req("SUB-13")
def test_the_job_asks_for_those_alone_who_are_to_be_told(house: House, clock: Clock) -> None:
    from common.postgres.pool import Pool
    from common.postgres.sessions import connector
    from common.postgres.trials import tenants_to_remind

    clock(BEGAN)
    due, told_before, later = (house.new_hotel() for _ in range(3))
    for hotel in (due, told_before):
        tried(hotel)
    clock("2026-03-03T10:01:30+00:00")
    tried(later)
    run_reminder(told_before)
    pool = Pool(connector(house.server.dsn("billing_job", "billing")), size=1)

    named = tenants_to_remind(pool, house.wiring.clock.now)
    stands = "UPDATE billing_central.tenants SET status = :status WHERE tenant_id = :tenant"
    house.sql(stands, tenant=due.tenant_id, status="moving")
    while_it_moves = tenants_to_remind(pool, house.wiring.clock.now)
    house.sql(stands, tenant=due.tenant_id, status="active")

    pool.close()
    assert (due.tenant_id in named, due.tenant_id in while_it_moves) == (True, False)
    assert not {told_before.tenant_id, later.tenant_id} & set(named)
