"""A charge that waits at the bank is called off before another takes its place (SUB-6, SUB-7)."""

from collections.abc import Callable

import pytest

from jobs.collect_subscriptions import collect_subscriptions
from jobs.settle_subscription_payments import settle_subscription_payments
from tests.buying import card
from tests.charging import (
    booked,
    charges,
    choose,
    collect,
    debts,
    last_charge,
    status,
)
from tests.hotel import Hotel
from tests.paying import acted, run_job
from tests.proofs import told
from tests.subscribing import act, put_into, subscribed
from tests.together import at_once
from tests.trust.books import broken

pytestmark = [pytest.mark.req("SUB-6", "SUB-7"), pytest.mark.usefixtures("noon")]
Clock = Callable[[str], None]
TAKEN = ["processor_clearing", "receivable", 2_900]


def waiting(hotel: Hotel) -> str:
    """A charge of 29.00 that waits for its tenant at the bank."""
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_3ds"))
    collect(hotel)
    assert charges(hotel) == [[1, "requires_action", None, 2_900]]
    return last_charge(hotel)


def test_another_card_is_charged_once_the_first_is_called_off(hotel: Hotel, clock: Clock) -> None:
    first = waiting(hotel)
    assert choose(hotel, card(hotel)).status_code == 200
    clock("2026-03-01T12:05:00+00:00")

    at_once([lambda: run_job(hotel, settle_subscription_payments) for _ in range(2)])
    collect(hotel)

    assert charges(hotel) == [[1, "canceled", None, 2_900], [2, "succeeded", None, 2_900]]
    acted(hotel, first)
    clock("2026-03-01T13:30:00+00:00")
    collect(hotel)
    assert (booked(hotel), debts(hotel), status(hotel)) == ([TAKEN], ["paid"], "active")
    assert told(hotel).count("subscription_payment.canceled") == 1
    assert broken(hotel) == []


def test_a_tenant_who_was_faster_has_paid_and_is_not_charged_again(
    hotel: Hotel, clock: Clock
) -> None:
    first = waiting(hotel)
    assert choose(hotel, card(hotel)).status_code == 200
    acted(hotel, first)
    clock("2026-03-01T12:05:00+00:00")

    at_once(
        [
            lambda: run_job(hotel, settle_subscription_payments),
            lambda: run_job(hotel, collect_subscriptions),
        ]
    )
    collect(hotel)

    assert charges(hotel) == [[1, "succeeded", None, 2_900]]
    assert (booked(hotel), status(hotel)) == ([TAKEN], "active")
    assert broken(hotel) == []


def test_who_is_reactivated_is_charged_anew(hotel: Hotel, clock: Clock) -> None:
    """The old demand is called off; the card asks its owner again, in a charge of its own."""
    waiting(hotel)
    put_into(hotel, status="suspended", due_at=None)
    assert act(hotel, "reactivate").status_code == 200
    clock("2026-03-01T12:05:00+00:00")

    collect(hotel)
    collect(hotel)

    assert [row[:2] for row in charges(hotel)] == [[1, "canceled"], [2, "requires_action"]]


def test_what_is_given_up_is_called_off(hotel: Hotel, clock: Clock) -> None:
    """Canceled while it waits: until the time to pay is over the debt stands, and then nothing of
    it waits at the bank any more."""
    first = waiting(hotel)
    assert act(hotel, "cancel", at="now").status_code == 200
    clock("2026-03-11T12:30:00+00:00")
    collect(hotel)
    assert debts(hotel) == ["uncollectible"]
    clock("2026-03-11T12:35:00+00:00")

    collect(hotel)
    acted(hotel, first)
    clock("2026-03-11T13:35:00+00:00")
    collect(hotel)

    assert charges(hotel) == [[1, "canceled", None, 2_900]]
    assert booked(hotel) == [["bad_debt", "receivable", 2_900]]
    assert broken(hotel) == []


def test_what_was_given_up_and_is_paid_after_all_is_no_loss(hotel: Hotel, clock: Clock) -> None:
    """The tenant confirms before the charge is called off: the money comes, and 29.00 that were a
    loss are none; nobody has a credit by it."""
    first = waiting(hotel)
    assert act(hotel, "cancel", at="now").status_code == 200
    clock("2026-03-11T12:30:00+00:00")
    collect(hotel)
    assert debts(hotel) == ["uncollectible"]
    acted(hotel, first)
    clock("2026-03-11T12:35:00+00:00")

    collect(hotel)
    collect(hotel)

    assert charges(hotel) == [[1, "succeeded", None, 2_900]]
    assert debts(hotel) == ["paid"]
    assert booked(hotel) == [
        ["bad_debt", "receivable", 2_900],
        ["processor_clearing", "bad_debt", 2_900],
    ]
    assert broken(hotel) == []
