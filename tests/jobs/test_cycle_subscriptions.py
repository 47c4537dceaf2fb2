"""Each period is invoiced once, whatever happens to the job (SUB-4, SUB-11, SUB-13, JOB-1)."""

from collections.abc import Callable
from datetime import date

import pytest

from tests.buying import card
from tests.charging import collect
from tests.hotel import Hotel, House, usd
from tests.prepaying import lots
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.subscribing import (
    act,
    change,
    cycle,
    invoices,
    put_into,
    run_cycle,
    shown,
    subscribed,
)
from tests.together import at_once
from tests.trust.books import broken

STANDS = "UPDATE billing_central.tenants SET status = :status WHERE tenant_id = :tenant"
pytestmark = pytest.mark.req("SUB-4", "JOB-1")
Clock = Callable[[str], None]


@pytest.mark.req("SUB-3", "SUB-11")
def test_catches_up_missed_periods_in_order(hotel: Hotel, clock: Clock) -> None:
    """From 31 January, left alone until 1 June: periods to 28 February, 31 March, 30 April and
    31 May are over, and the one that runs ends on 30 June. Credits once for each."""
    clock("2026-01-31T12:00:30+00:00")
    subscribed(hotel)
    clock("2026-06-01T00:00:00+00:00")

    progress = run_cycle(hotel)

    assert (progress.exit_code, progress.done) == (0, 4)
    assert invoices(hotel) == [["period", number, 2_900, 2_900] for number in range(1, 6)]
    ends = hotel.house.sql(
        "SELECT period_end::date FROM billing_central.subscription_invoices"
        " WHERE tenant_id = :t ORDER BY period_number",
        t=hotel.tenant_id,
    )
    assert [(each[0].month, each[0].day) for each in ends] == [
        (2, 28),
        (3, 31),
        (4, 30),
        (5, 31),
        (6, 30),
    ]
    assert lots(hotel) == [["renewal", 1_000, 0]] * 5
    assert told(hotel).count("subscription.renewed") == 4
    assert trail(hotel, "subscription.renewed")[0]["actor"] == "system:cycle_subscriptions"
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_does_nothing_a_second_time_and_nothing_too_early(hotel: Hotel, clock: Clock) -> None:
    clock("2026-01-31T12:00:30+00:00")
    subscribed(hotel)
    before = state(hotel)
    assert run_cycle(hotel).done == 0
    assert_refused(cycle(hotel), 409, "SUBSCRIPTION_NOTHING_DUE")
    assert state(hotel) == before
    clock("2026-02-28T12:00:40+00:00")
    assert run_cycle(hotel, as_of=date(2026, 2, 27)).done == 0
    assert run_cycle(hotel, as_of=date(2026, 2, 28)).done == 1
    after = state(hotel)

    assert run_cycle(hotel).done == 0
    assert state(hotel) == after


@pytest.mark.req("SUB-11")
def test_jobs_and_hands_at_once_invoice_a_period_once(hotel: Hotel, clock: Clock) -> None:
    clock("2026-01-31T12:00:30+00:00")
    subscribed(hotel)
    clock("2026-03-01T00:00:00+00:00")

    at_once([lambda: run_cycle(hotel)] * 3 + [lambda: cycle(hotel)])

    assert invoices(hotel) == [["period", 1, 2_900, 2_900], ["period", 2, 2_900, 2_900]]
    assert lots(hotel) == [["renewal", 1_000, 0]] * 2
    assert broken(hotel) == []


def test_a_clock_that_was_set_back_invoices_nothing_again(hotel: Hotel, clock: Clock) -> None:
    clock("2026-01-31T12:00:30+00:00")
    subscribed(hotel)
    clock("2026-03-01T00:00:00+00:00")
    run_cycle(hotel)
    clock("2026-02-28T13:00:00+00:00")

    assert run_cycle(hotel).done == 0
    assert len(invoices(hotel)) == 2


def test_by_hand_one_period_a_call(hotel: Hotel, clock: Clock) -> None:
    clock("2026-01-31T12:00:30+00:00")
    subscribed(hotel)
    clock("2026-04-01T00:00:00+00:00")

    first, second = cycle(hotel), cycle(hotel)

    assert (first.json["stillDue"], second.json["stillDue"]) == (True, False)
    assert second.json["invoice"]["bill"]["periodNumber"] == 3
    assert broken(hotel) == []


def test_bills_the_interval_that_was_changed_and_uses_the_credit(
    hotel: Hotel, clock: Clock
) -> None:
    """Team, paid, down to Free at once: of 99.00 nearly all is left, and pays a part of a year of
    Pro."""
    clock("2026-01-31T12:00:30+00:00")
    subscribed(hotel, "team", paymentMethodId=card(hotel))
    collect(hotel)
    assert change(hotel, plan="free").status_code == 200
    credit = shown(hotel)["subscription"]["credit"]["amountMicro"]
    assert abs(credit - 99_000_000) <= 10_000
    assert change(hotel, plan="pro", interval="year").status_code == 200
    left = shown(hotel)["subscription"]["credit"]["amountMicro"]
    assert abs(credit - left - 29_000_000) <= 20_000
    clock("2026-02-28T12:10:00+00:00")

    assert run_cycle(hotel).done == 1

    mine = shown(hotel)["subscription"]
    assert (mine["period"]["end"][:10], mine["credit"]) == ("2027-02-28", usd(0))
    assert invoices(hotel)[-1][2:] == [29_000, (290_000_000 - left) // 10_000]
    assert lots(hotel)[-1] == ["renewal", 12_000, 0]
    assert broken(hotel) == []


@pytest.mark.req("SUB-13")
def test_the_job_asks_for_those_alone_that_are_due(house: House, clock: Clock) -> None:
    """Three subscribe, one of them pauses and one of them is due: it alone is named; and nobody
    while it is being moved, when what a job wrote would be left behind (TEN-5)."""
    from common.postgres.pool import Pool
    from common.postgres.sessions import connector
    from common.postgres.subscriptions import due_tenants

    clock("2026-01-31T12:00:30+00:00")
    due, paused, later = (house.new_hotel() for _ in range(3))
    for hotel in (due, paused, later):
        subscribed(hotel)
    act(paused, "pause")
    put_into(later, period_end="2027-01-31T12:00:30Z", due_at="2027-01-31T12:00:30Z")
    clock("2026-03-01T00:00:00+00:00")
    pool = Pool(connector(house.server.dsn("billing_job", "billing")), size=1)

    named = due_tenants(pool, house.wiring.clock.now)
    house.sql(STANDS, tenant=due.tenant_id, status="moving")
    while_it_moves = due_tenants(pool, house.wiring.clock.now)
    house.sql(STANDS, tenant=due.tenant_id, status="active")

    pool.close()
    assert (due.tenant_id in named, due.tenant_id in while_it_moves) == (True, False)
    assert not {paused.tenant_id, later.tenant_id} & set(named)
    put_into(later, period_end="2026-02-28T12:00:30Z", due_at="2026-02-28T12:00:30Z")


def test_one_tenants_trouble_is_not_the_next_ones(house: House, clock: Clock) -> None:
    """The first one's row is spoilt: the second one is invoiced, and the run says so."""
    clock("2026-01-31T12:00:30+00:00")
    hotels = [house.new_hotel() for _ in range(2)]
    for hotel in hotels:
        subscribed(hotel)
    put_into(hotels[0], time_zone="Mars/Olympus")
    clock("2026-03-01T00:00:00+00:00")

    progress = run_cycle(*hotels)

    assert (progress.done, progress.failed, progress.exit_code) == (1, 1, 1)
    assert len(invoices(hotels[1])) == 2
    put_into(hotels[0], time_zone="UTC")
