"""What the processor tells of charges of subscriptions has its effect once (WH-2, WH-4, SUB-6)."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from jobs.settle_subscription_payments import settle_subscription_payments
from tests.billing_there import surplus
from tests.buying import card
from tests.charging import (
    booked,
    charges,
    choose,
    collect,
    debts,
    last_charge,
    status,
    told_of,
    told_of_invoice,
)
from tests.hotel import Hotel
from tests.paying import run_job
from tests.prepaying import available
from tests.proofs import state, told
from tests.subscribing import act, invoices, run_cycle, subscribed
from tests.together import at_once
from tests.trust.books import broken
from tests.webhooks import Webhook, event, refunded_there

pytestmark = [pytest.mark.req("WH-4", "SUB-6"), pytest.mark.usefixtures("noon")]
Clock = Callable[[str], None]


def started(hotel: Hotel, kind: str = "sandbox_visa") -> str:
    """A charge that is written down, and that nobody has asked for yet."""
    subscribed(hotel, paymentMethodId=card(hotel, kind))
    collect(hotel, settles=False)
    return last_charge(hotel)


def sent(hotel: Hotel, told: dict[str, Any]) -> str:
    """What became of an event."""
    answer = Webhook(hotel).send(told)
    assert answer.status_code == 200, answer.text
    return str(answer.json["outcome"])


def test_a_charge_that_was_taken_pays_its_invoice_once(hotel: Hotel) -> None:
    """The event, another one about the invoice, both again, and the job at once."""
    charge = started(hotel)
    taken = told_of(hotel, "payment_intent.succeeded", charge, 2_900)
    invoice = told_of_invoice(hotel, "invoice.paid", charge, 2_900)

    at_once(
        [
            lambda: sent(hotel, taken),
            lambda: sent(hotel, invoice),
            lambda: run_job(hotel, settle_subscription_payments),
        ]
    )

    assert (debts(hotel), status(hotel)) == (["paid"], "active")
    assert booked(hotel) == [["processor_clearing", "receivable", 2_900]]
    assert told(hotel).count("subscription_payment.succeeded") == 1
    assert {sent(hotel, taken), sent(hotel, invoice)} == {"duplicate"}
    late = told_of(hotel, "payment_intent.payment_failed", charge, 0)
    assert sent(hotel, late) == "applied"
    assert (debts(hotel), status(hotel)) == (["paid"], "active")
    assert broken(hotel) == []


def test_a_charge_that_was_declined_is_dunned(hotel: Hotel) -> None:
    charge = started(hotel)
    about = {"last_payment_error": {"code": "card_declined", "decline_code": "lost_card"}}
    failed = told_of(hotel, "payment_intent.payment_failed", charge, 0, **about)

    assert sent(hotel, failed) == "applied"

    assert charges(hotel) == [[1, "failed", "lost_card", 2_900]]
    assert status(hotel) == "past_due"
    assert hotel.events("subscription.payment_failed")[-1]["data"]["wantsMethod"] is True
    again = told_of_invoice(hotel, "invoice.payment_failed", charge, 0)
    assert sent(hotel, again) == "applied"
    assert told(hotel).count("subscription.payment_failed") == 1
    assert broken(hotel) == []


def test_money_that_comes_late_restores_who_was_suspended(hotel: Hotel, clock: Clock) -> None:
    charge = started(hotel, "sandbox_expired")
    run_job(hotel, settle_subscription_payments)
    clock("2026-03-11T12:30:00+00:00")
    collect(hotel)
    assert status(hotel) == "suspended"

    assert sent(hotel, told_of(hotel, "payment_intent.succeeded", charge, 2_900)) == "applied"

    assert (debts(hotel), status(hotel)) == (["paid"], "active")
    assert broken(hotel) == []


@pytest.mark.req("BEY-4")
def test_money_that_comes_twice_goes_back(hotel: Hotel) -> None:
    """A charge was declined and another card has paid; then the first one is said to be taken. What
    somebody gives back of it at the processor before it is known waits for that."""
    first = started(hotel, "sandbox_declined")
    run_job(hotel, settle_subscription_payments)
    assert choose(hotel, card(hotel)).status_code == 200
    collect(hotel)
    assert debts(hotel) == ["paid"]
    before = booked(hotel)

    back = refunded_there(f"sandbox_pi_{first.removeprefix('pin_')}", "re_twice", 2_900)
    back["data"]["object"]["metadata"] = {"tenantId": str(hotel.tenant_id)}
    assert sent(hotel, back) == "refused", "it is of no money of the books yet"

    assert sent(hotel, told_of(hotel, "payment_intent.succeeded", first, 2_900)) == "applied"

    assert (booked(hotel), debts(hotel)) == (before, ["paid"])
    assert sent(hotel, back) == "applied"
    assert surplus(hotel) == [["succeeded", 2_900, f"sandbox_pi_{first.removeprefix('pin_')}"]]
    assert broken(hotel) == []


def test_another_amount_is_kept_for_a_person(hotel: Hotel) -> None:
    charge = started(hotel)
    assert sent(hotel, told_of(hotel, "payment_intent.succeeded", charge, 100)) == "refused"
    assert debts(hotel) == ["open"]


@pytest.mark.parametrize("fact", ["created", "updated", "deleted", "trial_will_end"])
def test_subscriptions_of_the_processors_own_are_kept_and_change_nothing(
    hotel: Hotel, fact: str
) -> None:
    about = {
        "id": f"sub_{uuid4().hex[:20]}",
        "object": "subscription",
        "status": "canceled",
        "metadata": {"tenantId": str(hotel.tenant_id)},
    }
    subscribed(hotel)
    before = {name: each for name, each in state(hotel).items() if "webhook" not in name}

    assert sent(hotel, event(f"customer.subscription.{fact}", about)) == "applied"

    assert {name: each for name, each in state(hotel).items() if "webhook" not in name} == before
    assert act(hotel, "pause").status_code == 200


def renewed(hotel: Hotel, kind: str, subscription: str, **changed: Any) -> dict[str, Any]:
    """The processor tells of a subscription of its own that is kept here, or of its invoice."""
    about = {
        "id": f"sub_{uuid4().hex[:20]}",
        "object": "subscription" if kind.startswith("customer") else "invoice",
        "status": "active",
        "amount_paid": 2_900,
        "currency": "usd",
        "payment_intent": f"pi_{uuid4().hex[:20]}",
        "metadata": {"tenantId": str(hotel.tenant_id), "subscriptionId": subscription},
        **changed,
    }
    return event(kind, about)


@pytest.mark.req("SUB-11", "CRD-3", "SUB-4")
def test_a_renewal_that_is_told_of_begins_one_period_beside_the_cycle(
    hotel: Hotel, clock: Clock
) -> None:
    """1 March and 1 April: one invoice and 1,000 credits each, though the processor tells of the
    renewal by two events, twice, beside the cycle; what was taken there pays each, once."""
    mine = subscribed(hotel)["subscription"]["subscriptionId"]
    early = renewed(hotel, "invoice.paid", mine)
    assert sent(hotel, early) == "applied"
    assert len(invoices(hotel)) == 1
    clock("2026-04-01T12:30:00+00:00")
    updated = renewed(hotel, "customer.subscription.updated", mine)
    theirs = {"metadata": {"tenantId": str(hotel.tenant_id), "subscriptionId": mine}}
    paid = renewed(hotel, "invoice.paid", "", metadata={}, parent={"subscription_details": theirs})
    other = renewed(hotel, "invoice.paid", "sub_another")
    assert sent(hotel, other) == "applied"
    assert len(invoices(hotel)) == 1

    at_once(
        [
            lambda: sent(hotel, paid),
            lambda: sent(hotel, updated),
            lambda: run_cycle(hotel).outcome,
            lambda: sent(hotel, paid),
        ]
    )

    assert invoices(hotel) == [["period", 1, 2_900, 2_900], ["period", 2, 2_900, 2_900]]
    assert available(hotel) == 2_000_000_000
    assert debts(hotel) == ["paid", "paid"]
    assert charges(hotel) == [[1, "succeeded", None, 2_900]] * 2
    assert booked(hotel) == [["processor_clearing", "receivable", 2_900]] * 2
    assert told(hotel).count("subscription.renewed") == 1
    assert broken(hotel) == []
