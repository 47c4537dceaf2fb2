"""Somebody of the platform gives back money of an invoice (WH-5, CRD-5)."""

from collections.abc import Callable

import pytest

from jobs.retry_refunds import retry_refunds
from tests.charging import first_invoice, refund_invoice
from tests.functions.subscriptions.test_money_that_goes_back import (
    notes,
    paid,
    send,
    standing,
)
from tests.hotel import Hotel, new_id
from tests.paying import run_job
from tests.prepaying import available
from tests.proofs import CODE, GENERAL, assert_books_are_right, state, told
from tests.subscribing import subscribed
from tests.together import at_once
from tests.trust.books import broken
from tests.webhooks import disputed, refund_told

pytestmark = pytest.mark.req("WH-5", "CRD-5")
Clock = Callable[[str], None]


@pytest.fixture(autouse=True)
def noon(clock: Clock) -> None:
    clock("2026-03-01T12:00:00+00:00")


def refunds(hotel: Hotel) -> list[list[object]]:
    """Of each refund that was asked for: its state, why it failed, and cents."""
    return hotel.house.sql(
        "SELECT status, failure_code, amount_micro / 10000"
        " FROM billing_central.subscription_refunds WHERE tenant_id = :t ORDER BY requested_at, id",
        t=hotel.tenant_id,
    )


def test_promises_and_has_it_made_once(hotel: Hotel) -> None:
    """7.25 of 29.00 are a quarter: 250 of 1,000 credits go with it, once the processor has paid;
    it is told of by the job that asks, by another one, and by the event."""
    payment = paid(hotel)
    refund = new_id("rfd")
    answer = refund_invoice(hotel, first_invoice(hotel), 725, id=refund)
    again = refund_invoice(hotel, first_invoice(hotel), 725, id=refund)

    assert (answer.status_code, answer.json["status"]) == (201, "pending")
    assert (again.status_code, again.json["code"]) == (409, GENERAL + "ID_CONFLICT")
    assert (notes(hotel), available(hotel)) == ([], 1_000_000_000)
    at_once(
        [
            lambda: run_job(hotel, retry_refunds),
            lambda: run_job(hotel, retry_refunds),
            lambda: send(hotel, refund_told(payment, refund, 725)),
        ]
    )
    assert send(hotel, refund_told(payment, refund, 725)) == "applied"

    assert refunds(hotel) == [["succeeded", None, 725]]
    assert (notes(hotel), standing(hotel)) == ([[725, 0, 725]], ["partially_refunded", 725, 0, 0])
    assert available(hotel) == 750_000_000
    for fact in ("subscription_refund.requested", "subscription_refund.succeeded"):
        assert told(hotel).count(fact) == 1
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_two_at_once_promise_no_more_than_was_paid(hotel: Hotel) -> None:
    """20.00 twice of 29.00: one is promised; what it leaves is 9.00, and not 9.01."""
    paid(hotel)
    invoice = first_invoice(hotel)

    answers = at_once([lambda: refund_invoice(hotel, invoice, 2_000) for _ in range(2)])

    assert sorted(each.status_code for each in answers) == [201, 409]
    before = state(hotel)
    beyond = refund_invoice(hotel, invoice, 901)
    assert (beyond.status_code, beyond.json["code"]) == (409, CODE + "REFUND_EXCEEDS_PAYMENT")
    assert state(hotel) == before
    assert refund_invoice(hotel, invoice, 900).status_code == 201


def test_refuses_what_was_not_paid_and_what_is_unknown(hotel: Hotel) -> None:
    invoice = subscribed(hotel)["invoice"]["invoiceId"]

    unpaid, unknown = (refund_invoice(hotel, each, 100) for each in (invoice, new_id("sin")))

    assert (unpaid.status_code, unpaid.json["code"]) == (409, CODE + "REFUND_EXCEEDS_PAYMENT")
    assert unknown.json["code"] == CODE + "SUBSCRIPTION_INVOICE_UNKNOWN"


def test_what_the_processor_refuses_is_free_again(hotel: Hotel) -> None:
    payment, refund = paid(hotel), new_id("rfd")
    assert refund_invoice(hotel, first_invoice(hotel), 2_900, id=refund).status_code == 201

    assert send(hotel, refund_told(payment, refund, 2_900, "failed", "refund.failed")) == "applied"

    assert refunds(hotel) == [["failed", "lost_or_stolen_card", 2_900]]
    assert (standing(hotel), available(hotel)) == (["succeeded", 0, 0, 0], 1_000_000_000)
    assert refund_invoice(hotel, first_invoice(hotel), 2_900).status_code == 201
    assert broken(hotel) == []


def test_what_a_bank_asks_for_is_not_given_back_beside_it(hotel: Hotel) -> None:
    """Of 29.00 a bank asks for 20.00: 9.00 may go back, and nothing more when it has got them; what
    was won may."""
    payment = paid(hotel)
    invoice = first_invoice(hotel)
    send(hotel, disputed(payment, "dp_1", "needs_response", cents=2_000))

    beyond = refund_invoice(hotel, invoice, 901)

    assert (beyond.status_code, beyond.json["code"]) == (409, CODE + "REFUND_EXCEEDS_PAYMENT")
    send(hotel, disputed(payment, "dp_1", "lost", cents=2_000))
    assert refund_invoice(hotel, invoice, 901).status_code == 409
    assert refund_invoice(hotel, invoice, 900).status_code == 201
