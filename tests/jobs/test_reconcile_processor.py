"""Every movement on either side has its other half, and what has none is a row (REC-1)."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.domain.identifiers import PropertyId
from common.domain.processor_reconciliation import Known, Movement, MovementKind, spans
from common.ports.answers import Unknown
from common.ports.movements import MovementPage, MovementsWanted
from common.runtime.declaration import declaration_of
from jobs.reconcile_processor import reconcile_processor
from tests.hotel import Hotel, new_id
from tests.matching import (
    PLANTS,
    a_dollar,
    about,
    captured_there,
    closed_with_card,
    differences,
    heard_of,
    match,
    planted,
    resolve,
)
from tests.paying_out import LARGE, asked, enabled, settle, standing
from tests.proofs import assert_books_are_right
from tests.reconciling import OVER, BusyDay, Clock, paid_by_card, sandbox
from tests.refunding import refund
from tests.reopening import reopened
from tests.together import at_once
from tests.webhooks import Webhook, refunded_there

pytestmark = pytest.mark.req("REC-1")
FOUND = "processor_reconciliation.mismatch_found"
CLEARED = "processor_reconciliation.mismatch_cleared"


@dataclass
class Silent:
    """A processor that tells nothing, or not all of it."""

    meanwhile: Callable[[], Any] = lambda: None

    def movements(self, wanted: MovementsWanted) -> MovementPage | Unknown:
        self.meanwhile()
        return Unknown()

    def movement(self, known: Known, payment: str) -> Movement | Unknown | None:
        return Unknown()


@pytest.fixture
def day(hotel: Hotel, clock: Clock) -> BusyDay:
    """A busy day that is over in UTC as well; nothing is wrong with it."""
    lived = BusyDay.lived(hotel, clock)
    clock("2026-03-02T00:45:00Z")
    return lived


def test_finds_nothing_where_nothing_is_wrong(hotel: Hotel, day: BusyDay) -> None:
    done = match(hotel)

    assert (done.done, done.exit_code) == (1, 0)
    assert differences(hotel) == set()
    assert about(hotel) == []


@pytest.mark.parametrize("name", PLANTS)
def test_finds_each_kind_of_difference_and_nothing_else(
    hotel: Hotel, day: BusyDay, name: str
) -> None:
    expected = planted(day, name)

    match(hotel)

    assert differences(hotel) == expected
    assert about(hotel) == [FOUND]


def test_two_runs_at_once_find_all_of_them_once(hotel: Hotel, day: BusyDay) -> None:
    expected = planted(day, *PLANTS)

    done = at_once([lambda: match(hotel)] * 2)
    match(hotel)

    assert [each.exit_code for each in done] == [0, 0]
    assert differences(hotel) == expected
    assert about(hotel) == [FOUND] * len(expected)


@pytest.mark.req("JOB-1")
def test_a_processor_that_is_silent_fails_the_run_and_changes_nothing(
    hotel: Hotel, day: BusyDay
) -> None:
    planted(day, "payment_not_captured")
    house = hotel.house.beside(powers={"gateway": Silent()})

    done = match(Hotel(house, hotel.tenant_id, hotel.property_id))
    house.close()

    assert (done.done, done.failed) == (0, 1)
    assert done.exit_code != 0
    assert differences(hotel) == set()


@pytest.mark.req("WH-2")
def test_a_payment_that_is_told_of_late_clears_its_difference(hotel: Hotel, clock: Clock) -> None:
    """Captured at 10:00 and in flight until 10:30; at 12:35 it is a difference, and none when its
    event has come. A day later nobody asks for it any more, and it stays so."""
    clock("2026-03-01T10:00:00Z")
    folio = hotel.open_folio()
    payment = captured_there(hotel, 4_200)
    clock("2026-03-01T10:20:00Z")
    match(hotel, None)
    assert differences(hotel) == set()
    clock("2026-03-01T12:35:00Z")
    match(hotel, None)
    assert differences(hotel) == {("payment_not_recorded", payment)}
    heard_of(hotel, folio, payment, 4_200)
    clock("2026-03-02T12:35:00Z")

    match(hotel, None)

    assert (differences(hotel), differences(hotel, "cleared")) == (
        set(),
        {("payment_not_recorded", payment)},
    )
    assert about(hotel) == [FOUND, CLEARED]
    assert_books_are_right(hotel)


def test_a_refund_that_waits_for_its_word_is_no_difference(hotel: Hotel, clock: Clock) -> None:
    """Promised, and made at the processor or not: the books do not know yet, and say so."""
    clock("2026-03-01T10:00:00Z")
    folio = hotel.open_folio()
    for processor in ("sandbox_lost_", "sandbox_unreachable_"):
        payment = f"{processor}{new_id('x')}"
        sandbox(hotel).capture(
            hotel.tenant_id, PropertyId(hotel.property_id), payment, a_dollar(5_000)
        )
        heard_of(hotel, folio, payment, 5_000)
        ours = hotel.rows("SELECT max(id) FROM {s}.payments")[0][0]
        assert refund(hotel, folio, ours, {"amountMicro": 10_000_000, "currency": "USD"})
    clock(OVER)

    match(hotel)

    assert hotel.rows("SELECT count(*) FROM {s}.refund_queue") == [[2]]
    assert differences(hotel) == set()


@pytest.mark.req("PO-1")
def test_payouts_are_matched_whatever_has_become_of_them(hotel: Hotel, clock: Clock) -> None:
    """One is paid, one under way, one was declined, one waits: nothing differs. Then the tenant has
    another account: what left the old one is found by its id, and a payout there that nobody asked
    for stays a difference until it is answered for. Without an account nothing is asked."""
    clock("2026-03-01T10:00:00Z")
    folio = hotel.open_folio()
    heard_of(hotel, folio, captured_there(hotel, 2_000_000), 2_000_000)
    accounts = [enabled(hotel, kind) for kind in ("sandbox_declined_", "sandbox_transit_")]
    for account in (*accounts, enabled(hotel)):
        hotel.rows("UPDATE {s}.payout_accounts SET processor_account_id = :id", id=account)
        asked(hotel, 3_000)
        settle(hotel)
    asked(hotel, LARGE)
    assert sorted(row[1] for row in standing(hotel)) == [
        *("awaiting_approval", "failed", "paid", "pending")
    ]
    clock("2026-03-01T12:35:00Z")
    match(hotel, None)
    assert differences(hotel) == set()
    sandbox(hotel).pay_out_there(f"po_{account}", account, a_dollar())
    clock("2026-03-01T14:35:00Z")
    match(hotel, None)
    assert differences(hotel) == {("payout_not_recorded", f"po_{account}")}
    enabled(hotel)

    clock("2026-03-02T02:35:00Z")
    match(hotel, None)

    assert differences(hotel) == {("payout_not_recorded", f"po_{account}")}
    assert about(hotel) == [FOUND]


@pytest.mark.req("PO-1")
def test_a_payout_that_was_paid_before_anybody_approved_it_is_found(
    hotel: Hotel, clock: Clock
) -> None:
    """It waits for a second person here, and has left the account there."""
    clock("2026-03-01T10:00:00Z")
    heard_of(hotel, hotel.open_folio(), captured_there(hotel, 2_000_000), 2_000_000)
    account = enabled(hotel)
    payout = asked(hotel, LARGE)
    sandbox(hotel).pay_out_there(payout, account, a_dollar(LARGE))
    clock(OVER)

    match(hotel)

    assert differences(hotel) == {("payout_not_recorded", payout)}


@pytest.mark.req("WH-5")
def test_a_refund_of_a_closed_folio_is_listed_until_that_is_opened_again(
    hotel: Hotel, clock: Clock
) -> None:
    clock("2026-03-01T10:00:00Z")
    folio, payment = closed_with_card(hotel)
    sandbox(hotel).refund_there("re_late", payment, a_dollar())
    assert Webhook(hotel).send(refunded_there(payment, "re_late", 100)).status_code == 200
    clock("2026-03-09T10:00:00Z")
    match(hotel, None)
    assert differences(hotel) == {("refund_to_settle", "re_late")}

    reopened(hotel, folio)
    match(hotel, None)

    assert differences(hotel) == set()


@pytest.mark.req("WH-4")
def test_a_refund_that_failed_is_listed_until_its_closed_folio_is_opened_again(
    hotel: Hotel, clock: Clock
) -> None:
    """Neither side has it any more: what is listed is that a person owes the guest 1.00."""
    clock("2026-03-01T10:00:00Z")
    folio = hotel.open_folio()
    _, payment = paid_by_card(hotel, folio, 100)
    told = refunded_there(payment, "re_gone", 100)
    assert Webhook(hotel).send(told).json["outcome"] == "applied"
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    told = refunded_there(payment, "re_gone", 100, "failed", "refund.failed")
    assert Webhook(hotel).send(told).json["outcome"] == "applied"
    clock("2026-03-09T10:00:00Z")
    match(hotel, None)
    assert differences(hotel) == {("refund_to_settle", "re_gone")}

    reopened(hotel, folio)
    match(hotel, None)

    assert differences(hotel) == set()


def test_what_was_answered_for_comes_back_with_another_amount_only(
    hotel: Hotel, day: BusyDay
) -> None:
    planted(day, "payment_amount")
    match(hotel)
    (row,) = hotel.rows("SELECT id, about FROM {s}.processor_differences")
    assert resolve(hotel, row[0]).status_code == 200
    match(hotel)
    assert differences(hotel, "resolved") == {("payment_amount", row[1])}

    planted(day, "payment_amount")
    match(hotel)

    assert differences(hotel) == {("payment_amount", row[1])}
    assert about(hotel) == [FOUND, "processor_reconciliation.mismatch_resolved", FOUND]


def test_another_tenants_movements_are_none_of_ours(hotel: Hotel, clock: Clock) -> None:
    clock("2026-03-01T10:00:00Z")
    other = hotel.house.new_hotel()
    captured_there(other, 4_200)
    sandbox(hotel).refund_there("re_nobodys", "pi_nobodys", a_dollar())
    clock(OVER)

    match(hotel)

    assert differences(hotel) == set()


@pytest.mark.parametrize(
    ("now", "since", "until"),
    [
        ("2026-03-01T10:35:00", "2026-03-01T04:00:00", "2026-03-01T10:00:00"),
        ("2026-03-01T10:29:59", "2026-03-01T03:00:00", "2026-03-01T09:00:00"),
        ("2026-03-05T02:35:00", "2026-03-01T02:00:00", "2026-03-05T02:00:00"),
    ],
    ids=["hourly", "half an hour is left alone", "nightly"],
)
def test_looks_back_six_hours_and_at_night_four_days(now: str, since: str, until: str) -> None:
    (span,) = spans(datetime.fromisoformat(now).replace(tzinfo=UTC), None)

    assert [each.isoformat()[:19] for each in (span.since, span.until)] == [since, until]


@pytest.mark.req("JOB-1")
def test_a_nights_run_looks_as_far_back_at_its_end_as_at_its_beginning() -> None:
    """Fired at 02:35, it has most of the hour; who is last is looked at for four days, too."""
    declared: Any = declaration_of(reconcile_processor)
    fired = datetime(2026, 3, 5, 2, 35, tzinfo=UTC)

    (last,) = spans(fired + timedelta(seconds=declared.timeout_seconds), None)

    assert (last.until - last.since, last.until.hour) == (timedelta(days=4), 2)
    assert timedelta(seconds=declared.timeout_seconds) > timedelta(minutes=40)


def test_a_list_of_many_pages_is_read_to_its_end(hotel: Hotel, clock: Clock) -> None:
    """A hundred and one payments, a page holds a hundred: the last one is found as well."""
    clock("2026-03-01T10:00:00Z")
    payments = {captured_there(hotel, 100) for _ in range(101)}
    clock(OVER)

    match(hotel)

    assert differences(hotel) == {("payment_not_recorded", each) for each in payments}


def test_a_run_that_is_late_does_not_undo_a_later_one(hotel: Hotel, day: BusyDay) -> None:
    """A look that began before somebody heard of a payment is written after one that knows it."""
    planted(day, "payment_not_captured")
    match(hotel)
    real, begun = sandbox(hotel), threading.Event()

    class Slow:
        def movements(self, wanted: MovementsWanted) -> MovementPage | Unknown:
            if wanted.kind is MovementKind.PAYMENT and not begun.is_set():
                begun.set()
                real.capture(
                    hotel.tenant_id,
                    PropertyId(hotel.property_id),
                    day.payments[2][1],
                    a_dollar(9_000),
                )
                hotel.house.wiring.clock.move(60)
                match(hotel)
            return MovementPage(())

        def movement(self, known: Known, payment: str) -> Movement | Unknown | None:
            is_late = known.id == day.payments[2][1]
            return None if is_late else real.movement(known, payment)

    house = hotel.house.beside(powers={"gateway": Slow()})
    match(Hotel(house, hotel.tenant_id, hotel.property_id))
    house.close()

    assert differences(hotel) == set()
