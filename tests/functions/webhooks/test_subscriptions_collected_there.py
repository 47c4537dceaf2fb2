"""A subscription that the processor collects by one of its own is never paid twice (WH-4, SUB-6).

Pro is 29.00 a month; the clock begins at noon of 1 March.
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from jobs.settle_subscription_payments import settle_subscription_payments
from tests.buying import card
from tests.charging import (
    asked_of_the_processor,
    booked,
    charges,
    collect,
    collection,
    debts,
    status,
)
from tests.hotel import Hotel
from tests.paying import run_job
from tests.proofs import state, told, trail
from tests.subscribing import act, invoices, run_cycle, shown, subscribed
from tests.together import at_once
from tests.trialing import run_reminder, tried
from tests.trust.books import broken
from tests.webhooks import Webhook, event

pytestmark = [pytest.mark.req("WH-4", "SUB-6"), pytest.mark.usefixtures("noon")]
Clock = Callable[[str], None]
THEIRS = "sub_at_the_processor"
APRIL = "2026-04-01T12:30:00+00:00"


def mine(hotel: Hotel) -> str:
    found: str = shown(hotel)["subscription"]["subscriptionId"]
    return found


def tell(hotel: Hotel, kind: str, **changed: Any) -> str:
    """What became of an event about the processor's subscription, or of an invoice of it."""
    named = {"tenantId": str(hotel.tenant_id), "subscriptionId": mine(hotel)}
    if kind.startswith("invoice"):
        details = {"subscription": theirs(hotel), "metadata": named}
        about = {
            "id": f"in_{uuid4().hex[:20]}",
            "object": "invoice",
            "amount_paid": 2_900,
            "currency": "usd",
            "metadata": {},
            "parent": {"type": "subscription_details", "subscription_details": details},
        }
    else:
        about = {
            "id": theirs(hotel),
            "object": "subscription",
            "status": "active",
            "metadata": named,
        }
    when = {"created": changed.pop("told_at")} if "told_at" in changed else {}
    answer = Webhook(hotel).send(event(kind, {**about, **changed}, **when))
    assert answer.status_code == 200, answer.text
    return str(answer.json["outcome"])


def theirs(hotel: Hotel) -> str:
    return f"{THEIRS}_{hotel.tenant_id.hex}"


def paid_by(payment: str) -> dict[str, Any]:
    """What an invoice says of the payment that has paid it, where that is sent along."""
    part = {"type": "payment_intent", "payment_intent": payment}
    return {"payments": {"object": "list", "data": [{"status": "paid", "payment": part}]}}


def test_is_left_alone_and_paid_by_what_is_taken_there(hotel: Hotel) -> None:
    """Handed over once though told of twice; late there is late here, and paid there is paid here,
    once for an invoice of theirs; what is told late of that one moves nothing back."""
    subscribed(hotel, paymentMethodId=card(hotel))
    assert tell(hotel, "customer.subscription.created") == "applied"
    assert tell(hotel, "customer.subscription.updated") == "applied"
    collect(hotel)
    known = collection(hotel)
    assert (known["collectedBy"], known["nextAttemptAt"]) == ("processor", None)
    assert known["processorSubscriptionId"] == theirs(hotel)
    assert len(trail(hotel, "subscription_collection.handed_over")) == 1
    assert (charges(hotel), debts(hotel)) == ([], ["open"])

    bill = {"id": "in_march", **paid_by(f"pi_{hotel.tenant_id.hex}")}
    assert tell(hotel, "invoice.payment_failed", **bill) == "applied"
    collect(hotel)
    assert (status(hotel), charges(hotel)) == ("past_due", [])
    assert tell(hotel, "invoice.paid", **bill) == "applied"
    assert tell(hotel, "invoice.paid", **bill) == "applied"
    assert tell(hotel, "invoice.payment_failed", **bill) == "applied"
    collect(hotel)

    assert (debts(hotel), status(hotel)) == (["paid"], "active")
    assert charges(hotel) == [[1, "succeeded", None, 2_900]]
    assert booked(hotel) == [["processor_clearing", "receivable", 2_900]]
    assert told(hotel).count("subscription_payment.succeeded") == 1
    assert broken(hotel) == []


def test_one_invoice_of_theirs_pays_one_of_ours_however_often_it_is_told(
    hotel: Hotel, clock: Clock
) -> None:
    """Two months of 29.00 are owed; theirs of March is told by two events, and pays one of them."""
    subscribed(hotel, paymentMethodId=card(hotel))
    assert tell(hotel, "customer.subscription.created") == "applied"
    clock(APRIL)
    run_cycle(hotel)
    assert debts(hotel) == ["open", "open"]

    for _ in range(2):
        assert tell(hotel, "invoice.paid", id="in_march") == "applied"

    assert debts(hotel) == ["paid", "open"]
    assert broken(hotel) == []


def test_other_money_is_kept_for_a_person_and_had_once_it_is_owed(hotel: Hotel) -> None:
    """Another amount, another currency, and a second 29.00 before anything more is owed."""
    subscribed(hotel)
    assert tell(hotel, "invoice.paid", amount_paid=2_901) == "refused"
    assert tell(hotel, "invoice.paid", currency="eur") == "refused"
    assert debts(hotel) == ["open"]
    assert tell(hotel, "invoice.paid") == "applied"
    before = booked(hotel)

    assert tell(hotel, "invoice.paid") == "refused"

    assert (booked(hotel), debts(hotel)) == (before, ["paid"])
    assert broken(hotel) == []


@pytest.mark.req("SUB-4", "SUB-11")
def test_a_renewal_is_paid_once_beside_cycle_and_collector(hotel: Hotel, clock: Clock) -> None:
    """1 April: two events of one invoice of theirs beside the cycle and the collector."""
    subscribed(hotel, paymentMethodId=card(hotel))
    assert tell(hotel, "invoice.paid") == "applied"
    clock(APRIL)

    at_once(
        [
            lambda: tell(hotel, "invoice.paid", id="in_april"),
            lambda: tell(hotel, "invoice.paid", id="in_april"),
            lambda: run_cycle(hotel).outcome,
            lambda: collect(hotel),
        ]
    )

    collect(hotel)
    assert [row[:2] for row in invoices(hotel)] == [["period", 1], ["period", 2]]
    assert debts(hotel) == ["paid", "paid"]
    assert charges(hotel) == [[1, "succeeded", None, 2_900]] * 2
    assert asked_of_the_processor(hotel) == 0
    assert broken(hotel) == []


def test_a_charge_that_nobody_has_asked_for_is_not_asked_for_any_more(
    hotel: Hotel, clock: Clock
) -> None:
    """It was written down before; it has failed after a quarter of an hour, and is not dunned."""
    subscribed(hotel, paymentMethodId=card(hotel))
    collect(hotel, settles=False)
    assert tell(hotel, "customer.subscription.created") == "applied"
    run_job(hotel, settle_subscription_payments)
    clock("2026-03-01T12:20:00+00:00")
    collect(hotel)
    assert charges(hotel) == [[1, "failed", "never_arrived", 2_900]]
    assert (asked_of_the_processor(hotel), status(hotel)) == (0, "active")

    assert tell(hotel, "invoice.paid") == "applied"

    assert charges(hotel)[1:] == [[2, "succeeded", None, 2_900]]
    assert (debts(hotel), broken(hotel)) == (["paid"], [])


def test_what_waits_at_the_bank_for_us_is_called_off(hotel: Hotel) -> None:
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_3ds"))
    collect(hotel)
    assert charges(hotel) == [[1, "requires_action", None, 2_900]]

    assert tell(hotel, "customer.subscription.created") == "applied"
    run_job(hotel, settle_subscription_payments)

    assert charges(hotel) == [[1, "canceled", None, 2_900]]
    assert collection(hotel)["nextAttemptAt"] is None
    assert broken(hotel) == []


def test_ends_with_the_period_in_which_theirs_has_ended(hotel: Hotel, clock: Clock) -> None:
    """Theirs ends on 10 March: no April is billed, what is open is collected here again, and what
    is told late of theirs hands nothing over again."""
    subscribed(hotel, paymentMethodId=card(hotel))
    assert tell(hotel, "customer.subscription.created") == "applied"
    clock("2026-03-10T12:00:00+00:00")
    gone = {"status": "canceled", "ended_at": 1_773_144_000}

    at_once([lambda: tell(hotel, "customer.subscription.deleted", **gone)] * 2)
    assert tell(hotel, "customer.subscription.created") == "applied"
    assert tell(hotel, "customer.subscription.updated", cancel_at=1_790_000_000) == "applied"
    collect(hotel)

    assert collection(hotel)["collectedBy"] == "platform"
    assert charges(hotel) == [[1, "succeeded", None, 2_900]]
    assert told(hotel).count("subscription.cancellation_scheduled") == 1
    clock(APRIL)
    run_cycle(hotel)
    assert status(hotel) == "canceled"
    assert [row[:2] for row in invoices(hotel)] == [["period", 1]]
    assert broken(hotel) == []


def test_an_announced_end_stands_before_the_cycle_comes(hotel: Hotel, clock: Clock) -> None:
    """Theirs says on 10 March that it ends on 1 May (12:00): April is the last period, whatever is
    told of it later."""
    subscribed(hotel)
    clock("2026-03-10T12:00:00+00:00")
    for at in (1_777_636_800, 1_780_000_000):
        assert tell(hotel, "customer.subscription.updated", cancel_at=at) == "applied"
    clock(APRIL)
    run_cycle(hotel)
    clock("2026-05-01T12:30:00+00:00")
    run_cycle(hotel)

    assert status(hotel) == "canceled"
    assert [row[:2] for row in invoices(hotel)] == [["period", 1], ["period", 2]]
    assert broken(hotel) == []


@pytest.mark.req("SUB-10")
def test_a_trial_is_told_of_once_and_goes_over_to_what_is_collected_there(
    hotel: Hotel, clock: Clock
) -> None:
    """From 20 February until 6 March, 10:00, without a method of ours."""
    clock("2026-02-20T10:00:30+00:00")
    tried(hotel)
    clock("2026-03-03T10:01:30+00:00")

    at_once(
        [
            lambda: tell(hotel, "customer.subscription.trial_will_end", status="trialing"),
            lambda: run_reminder(hotel),
            lambda: tell(hotel, "customer.subscription.trial_will_end", status="trialing"),
        ]
    )

    assert told(hotel).count("subscription.trial_will_end") == 1
    before = state(hotel)
    assert run_reminder(hotel).done == 0
    assert state(hotel) == before
    clock("2026-03-06T10:01:30+00:00")
    run_cycle(hotel)
    assert tell(hotel, "invoice.paid") == "applied"
    assert (status(hotel), debts(hotel)) == ("active", ["paid"])
    assert broken(hotel) == []


@pytest.mark.parametrize("says", ["when", "with its period", "with the period of its items"])
def test_an_end_that_is_taken_back_there_is_taken_back_here(
    hotel: Hotel, clock: Clock, says: str
) -> None:
    """Announced on 10 March for 1 April (12:00), in each way that the API has for it, and taken
    back on 11 March; what was said before that and comes late ends nothing. April is billed."""
    ends, tenth, eleventh = 1_775_044_800, 1_773_144_000, 1_773_230_400
    announced: dict[str, Any] = {
        "when": {"cancel_at": ends, "cancel_at_period_end": False},
        "with its period": {"cancel_at_period_end": True, "current_period_end": ends},
        "with the period of its items": {
            "cancel_at": None,
            "cancel_at_period_end": True,
            "items": {"object": "list", "data": [{"id": "si_1", "current_period_end": ends}]},
        },
    }[says]
    goes_on = {"cancel_at": None, "cancel_at_period_end": False}
    subscribed(hotel)
    clock("2026-03-11T12:30:00+00:00")

    assert tell(hotel, "customer.subscription.updated", told_at=tenth, **announced) == "applied"
    assert shown(hotel)["subscription"]["endsAt"][:10] == "2026-04-01"
    at_once([lambda: tell(hotel, "customer.subscription.updated", told_at=eleventh, **goes_on)] * 2)
    assert tell(hotel, "customer.subscription.updated", told_at=tenth, **announced) == "applied"

    assert shown(hotel)["subscription"]["endsAt"] is None
    assert told(hotel).count("subscription.cancellation_withdrawn") == 1
    clock(APRIL)
    run_cycle(hotel)
    assert (status(hotel), len(invoices(hotel))) == ("active", 2)
    assert broken(hotel) == []


def test_an_end_that_somebody_here_has_set_is_not_taken_back_there(hotel: Hotel) -> None:
    """Announced there, and canceled here as well, by its period: taken back there, ours stands."""
    subscribed(hotel)
    ends = {"cancel_at": 1_775_044_800, "cancel_at_period_end": True}
    assert tell(hotel, "customer.subscription.updated", **ends) == "applied"
    assert act(hotel, "cancel").status_code == 200

    goes_on = {"cancel_at": None, "cancel_at_period_end": False}
    assert tell(hotel, "customer.subscription.updated", **goes_on) == "applied"

    assert shown(hotel)["subscription"]["endsAt"][:10] == "2026-04-01"
    assert told(hotel).count("subscription.cancellation_withdrawn") == 0
    assert broken(hotel) == []
