"""What our own collector and the processor's own have both taken for one invoice goes back by
itself, once (BEY-4, WH-4, REF-1).

Pro is 29.00 a month; the clock begins at noon of 1 March. Theirs tells of an invoice from 1 March
on; in the shape of the API before 2025-03-31 it names its payment, in the later one it may not.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from common.domain.money import Currency, Money
from common.local.files import write_once
from common.sandbox.outage import SandboxOutage
from jobs.retry_refunds import retry_refunds
from jobs.settle_subscription_payments import settle_subscription_payments
from tests.billing_there import OLD, paid_there, sent, surplus
from tests.buying import card
from tests.charging import (
    booked,
    charges,
    choose,
    collect,
    debts,
    first_invoice,
    last_charge,
    refund_invoice,
    status,
    told_of,
)
from tests.hotel import Hotel
from tests.matching import differences, match
from tests.paying import acted, run_job
from tests.proofs import state, told
from tests.reconciling import sandbox
from tests.subscribing import subscribed
from tests.together import at_once
from tests.trust.books import broken
from tests.webhooks import refund_told, refunded_there

pytestmark = [pytest.mark.req("BEY-4", "WH-4", "REF-1"), pytest.mark.usefixtures("noon")]
Clock = Callable[[str], None]


def paid_here(hotel: Hotel, kind: str = "sandbox_visa") -> str:
    """Our own charge; of a card that asks for nothing it has paid the invoice."""
    subscribed(hotel, paymentMethodId=card(hotel, kind))
    collect(hotel)
    return last_charge(hotel)


def returned(hotel: Hotel) -> None:
    """The job asks for what was promised; who had no answer is due again."""
    hotel.house.sql(
        "UPDATE billing_central.subscription_refunds SET next_attempt_at = '2020-01-01'"
        " WHERE tenant_id = :t AND status = 'pending'",
        t=hotel.tenant_id,
    )
    assert run_job(hotel, retry_refunds).exit_code == 0


def of(hotel: Hotel, name: str) -> str:
    """A payment of the processor's; no other hotel's has the name."""
    return f"{name}_{hotel.tenant_id.hex}"


def moved(hotel: Hotel) -> list[list[Any]]:
    """What was booked of money that came second, and goes: the accounts, and cents."""
    return hotel.house.sql(
        "SELECT debit_account, credit_account, amount_micro / 10000"
        " FROM billing_central.platform_reversal_entries WHERE tenant_id = :t ORDER BY part",
        t=hotel.tenant_id,
    )


CAME = ["processor_clearing", "payments_to_return", 2_900]
WENT = ["payments_to_return", "processor_clearing", 2_900]
ONCE = ["processor_clearing", "receivable", 2_900]


def test_a_confirmation_that_comes_late_goes_back(hotel: Hotel) -> None:
    """The bank asks for our charge; theirs pays meanwhile; then the tenant confirms ours. Told of
    twice at once beside the job: 29.00 have paid, and 29.00 go back."""
    charge = paid_here(hotel, "sandbox_3ds")
    assert sent(hotel, paid_there(hotel, "in_march", of(hotel, "pi_theirs"))) == "applied"
    acted(hotel, charge)
    late = [told_of(hotel, "payment_intent.succeeded", charge, 2_900) for _ in range(2)]

    at_once(
        [
            lambda: sent(hotel, late[0]),
            lambda: sent(hotel, late[1]),
            lambda: run_job(hotel, settle_subscription_payments),
        ]
    )

    second = f"sandbox_pi_{charge.removeprefix('pin_')}"
    assert charges(hotel) == [[1, "refunded", None, 2_900], [2, "succeeded", None, 2_900]]
    assert surplus(hotel) == [["pending", 2_900, second]]
    returned(hotel)
    before = state(hotel)
    returned(hotel)
    assert sent(hotel, told_of(hotel, "payment_intent.payment_failed", charge, 0)) == "applied"
    assert {**state(hotel), **{n: before[n] for n in before if "webhook" in n}} == before
    assert surplus(hotel) == [["succeeded", 2_900, second]]
    assert (debts(hotel), status(hotel), booked(hotel)) == (["paid"], "active", [ONCE])
    assert moved(hotel) == [CAME, WENT]
    assert told(hotel).count("subscription_payment.sent_back") == 1
    assert told(hotel).count("subscription_refund.succeeded") == 1
    assert told(hotel).count("platform_credit_note.issued") == 0
    assert hotel.events("subscription_refund.requested")[-1]["data"]["surplusPaymentId"] == charge
    assert broken(hotel) == []


@pytest.mark.parametrize("version", [OLD, "2025-03-31.basil"])
def test_their_invoice_that_comes_behind_our_capture_goes_back(hotel: Hotel, version: str) -> None:
    """Ours has paid 1 March; theirs of 1 March is told by two events at once, in a shape of the
    API: it goes back once, and the word of its refund may come before our own answer."""
    paid_here(hotel)
    theirs = of(hotel, "pi_theirs")
    events = [paid_there(hotel, "in_march", theirs, version=version) for _ in range(2)]

    at_once([lambda: sent(hotel, events[0]), lambda: sent(hotel, events[1])])

    assert charges(hotel) == [[1, "succeeded", None, 2_900], [2, "refunded", None, 2_900]]
    assert surplus(hotel) == [["pending", 2_900, theirs]]
    ((refund,),) = hotel.house.sql(
        "SELECT id FROM billing_central.subscription_refunds WHERE tenant_id = :t",
        t=hotel.tenant_id,
    )
    assert sent(hotel, refund_told(theirs, refund, 2_900)) == "applied"
    before = state(hotel)
    returned(hotel)
    assert state(hotel) == before
    assert (surplus(hotel), moved(hotel)) == ([["succeeded", 2_900, theirs]], [CAME, WENT])
    assert (debts(hotel), booked(hotel)) == (["paid"], [ONCE])
    assert broken(hotel) == []


def test_a_payment_that_their_invoice_does_not_name_is_asked_for(
    hotel: Hotel, clock: Clock
) -> None:
    """The newer API names none: the processor is asked, again where it is silent. Our own refund of
    the invoice beside it counts for itself, and both sides agree."""
    paid_here(hotel)
    theirs, cents = of(hotel, "pi_theirs"), Money(29_000_000, Currency("USD"))
    sandbox(hotel).collect(f"in_march_{hotel.tenant_id.hex}", theirs)
    sandbox(hotel).capture(hotel.tenant_id, None, theirs, cents)
    assert sent(hotel, paid_there(hotel, "in_march", None)) == "applied"
    assert surplus(hotel) == [["pending", 2_900, None]]
    assert refund_invoice(hotel, first_invoice(hotel), 2_900).status_code == 201
    down = SandboxOutage(sandbox(hotel)._folder, write_once)
    down.begin()
    try:
        returned(hotel)
    finally:
        down.end()
    assert surplus(hotel) == [["pending", 2_900, None]]

    returned(hotel)

    assert surplus(hotel) == [["succeeded", 2_900, theirs]]
    assert told(hotel).count("platform_credit_note.issued") == 1
    clock("2026-03-02T12:00:00+00:00")
    match(hotel, date(2026, 3, 1))
    assert differences(hotel) == set()
    assert broken(hotel) == []


def test_what_cannot_go_back_lies_until_a_person_has_sent_it(hotel: Hotel) -> None:
    """The card is gone; then somebody gives it back at the processor: all of it, and once."""
    paid_here(hotel)
    theirs = of(hotel, "sandbox_declined_theirs")
    assert sent(hotel, paid_there(hotel, "in_march", theirs)) == "applied"
    returned(hotel)
    assert (surplus(hotel), moved(hotel)[2:]) == ([["failed", 2_900, theirs]], [CAME])
    assert broken(hotel) == []

    assert sent(hotel, refunded_there(theirs, of(hotel, "re_part"), 1_000)) == "refused"
    for _ in range(2):
        assert sent(hotel, refunded_there(theirs, of(hotel, "re_all"), 2_900)) == "applied"

    assert surplus(hotel) == [["succeeded", 2_900, theirs]]
    assert moved(hotel) == [CAME, WENT, CAME, WENT]
    assert told(hotel).count("subscription_refund.succeeded") == 1
    assert sent(hotel, refunded_there(theirs, of(hotel, "re_more"), 2_900)) == "refused"
    assert broken(hotel) == []


def test_what_went_back_and_comes_again_lies_until_a_person_has_sent_it(hotel: Hotel) -> None:
    """29.00 came second and went back by itself; the refund fails, and somebody gives it back at
    the processor: once, and it was never revenue."""
    paid_here(hotel)
    theirs = of(hotel, "pi_theirs")
    assert sent(hotel, paid_there(hotel, "in_march", theirs)) == "applied"
    returned(hotel)
    ((refund,),) = hotel.house.sql(
        "SELECT id FROM billing_central.subscription_refunds WHERE tenant_id = :t",
        t=hotel.tenant_id,
    )

    for _ in range(2):
        failed = refund_told(theirs, refund, 2_900, "failed", "refund.failed")
        assert sent(hotel, failed) == "applied"

    assert sorted(moved(hotel)) == sorted([CAME, WENT, CAME])
    assert surplus(hotel) == [["succeeded", 2_900, theirs]]
    assert broken(hotel) == []
    for _ in range(2):
        assert sent(hotel, refunded_there(theirs, of(hotel, "re_anew"), 2_900)) == "applied"
    assert sorted(moved(hotel)) == sorted([CAME, WENT, CAME, WENT])
    assert sent(hotel, refunded_there(theirs, of(hotel, "re_more"), 2_900)) == "refused"
    assert told(hotel).count("platform_credit_note.issued") == 0
    assert broken(hotel) == []


def test_what_nobody_knows_a_payment_of_is_left_for_a_person(hotel: Hotel) -> None:
    paid_here(hotel)
    assert sent(hotel, paid_there(hotel, "in_march", None)) == "applied"

    returned(hotel)

    assert surplus(hotel) == [["failed", 2_900, None]]
    failed = hotel.events("subscription_refund.failed")[-1]["data"]
    assert failed["failureCode"] == "payment_unknown_there"
    assert broken(hotel) == []


def test_what_is_of_another_period_is_not_sent_back(hotel: Hotel) -> None:
    """April is told before it begins here; another is of no period that it says, one of 29.01."""
    paid_here(hotel)
    april, before = 1_775_044_800, state(hotel)
    for told_there in (
        paid_there(hotel, "in_april", of(hotel, "pi_april"), since=april),
        paid_there(hotel, "in_unsaid", of(hotel, "pi_unsaid"), since=None),
        paid_there(hotel, "in_more", of(hotel, "pi_more"), cents=2_901),
    ):
        assert sent(hotel, told_there) == "refused"

    assert {n: v for n, v in state(hotel).items() if "webhook" not in n} == {
        n: v for n, v in before.items() if "webhook" not in n
    }


def test_what_was_declined_and_is_taken_after_all_calls_the_other_off(hotel: Hotel) -> None:
    """A charge was declined and another waits at the bank; then the first is said to be taken: it
    pays, and the other is called off. What the tenant has confirmed all the same goes back."""
    first = paid_here(hotel, "sandbox_declined")
    assert choose(hotel, card(hotel, "sandbox_3ds")).status_code == 200
    collect(hotel)
    other = last_charge(hotel)

    assert sent(hotel, told_of(hotel, "payment_intent.succeeded", first, 2_900)) == "applied"

    assert (debts(hotel), status(hotel)) == (["paid"], "active")
    acted(hotel, other)
    run_job(hotel, settle_subscription_payments)
    assert charges(hotel) == [[1, "succeeded", None, 2_900], [2, "refunded", None, 2_900]]
    returned(hotel)
    assert [row[0] for row in surplus(hotel)] == ["succeeded"]
    assert broken(hotel) == []


def test_who_has_paid_there_is_not_dunned_for_a_charge_of_ours(hotel: Hotel) -> None:
    """Our charge waits at the bank; theirs, which names no subscription that would collect from now
    on, has paid. Ours is declined then: that is no matter any more."""
    charge = paid_here(hotel, "sandbox_3ds")
    paid = paid_there(hotel, "in_march", None, version=OLD, subscription=None)
    assert sent(hotel, paid) == "applied"

    assert sent(hotel, told_of(hotel, "payment_intent.payment_failed", charge, 0)) == "applied"

    assert (debts(hotel), status(hotel)) == (["paid"], "active")
    assert [row[1] for row in charges(hotel)] == ["failed", "succeeded"]
    assert broken(hotel) == []
