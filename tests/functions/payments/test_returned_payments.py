"""A card payment that comes for a closed folio goes back by itself, beside the folio (BEY-4)."""

from functools import partial
from uuid import uuid4

import pytest

from common.domain.identifiers import PropertyId
from jobs.settle_payments import settle_payments
from tests.hotel import Hotel, usd
from tests.matching import a_dollar, differences, match
from tests.paying import acted, confirm, intents, pay, run_job, shown
from tests.proofs import assert_books_are_right, assert_refused, told
from tests.reconciling import sandbox
from tests.reopening import reopened
from tests.returning import came_late, captured, cards, let_it_go, returns
from tests.together import at_once
from tests.webhooks import Webhook, event, refund_told
from tests.webhooks import captured as captured_there

pytestmark = pytest.mark.req("BEY-4")

OVER = "UPDATE {s}.collection_leases SET taken_at = taken_at - interval '1 hour',"
OVER += " expires_at = expires_at - interval '1 hour'"
LINES = "SELECT count(*) FROM {s}.folio_lines"


def closed_meanwhile(hotel: Hotel) -> tuple[str, str]:
    """110.00 that a guest is to confirm, of a folio that was paid otherwise and closed: the folio
    and the payment."""
    folio = hotel.open_folio()
    hotel.charged(folio)
    intent = pay(hotel, folio, usd(11_000), "sandbox_3ds", owed=True).json["paymentIntentId"]
    hotel.rows(OVER)
    hotel.paid(folio, usd(11_000))
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    return folio, intent


@pytest.mark.req("REF-1", "MON-6", "GW-3")
def test_a_guest_who_confirms_after_the_close_gets_all_of_it_back(hotel: Hotel) -> None:
    """110.00 came by transfer and 110.00 by card: those are in, out again, and gone to the guest.
    The folio has no line more; the payment says where its money went."""
    folio, intent = closed_meanwhile(hotel)
    before = hotel.rows(LINES), hotel.get(f"/folios/{folio}").json
    acted(hotel, intent)

    assert confirm(hotel, intent).json["status"] == "succeeded"

    assert told(hotel)[-3:] == [
        "payment.succeeded",
        "returned_payment.promised",
        "payment_intent.sent_back",
    ]
    assert (returns(hotel), cards(hotel)) == ([[11_000, "pending", None]], {})
    assert intents(hotel) == [["succeeded", False, False]]
    let_it_go(hotel)
    found = shown(hotel, intent)
    assert (found["status"], found["returned"]["status"]) == ("refunded", "returned")
    assert (returns(hotel), cards(hotel)) == ([[11_000, "returned", None]], {})
    assert told(hotel)[-1] == "returned_payment.settled"
    assert (hotel.rows(LINES), hotel.get(f"/folios/{folio}").json) == before
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-5", "PAY-3", "WH-4")
def test_it_goes_back_once_whoever_tells_of_it(hotel: Hotel) -> None:
    """The terminal at once with the processor, and each again, also when the folio is open; the
    desk hears that it is recorded."""
    folio, _ = hotel.closed_folio()
    payment = f"pi_{uuid4()}"
    tells = [partial(captured, hotel, folio, payment)] * 2
    by_intent = captured_there(hotel, folio, 4_000, payment)
    charge = {
        "id": "ch_1",
        "object": "charge",
        "amount_captured": 4_000,
        "currency": "usd",
        "payment_intent": payment,
        "metadata": by_intent["data"]["object"]["metadata"],
    }
    told_there = (by_intent, event("charge.captured", charge))
    hooks = [partial(Webhook(hotel).send, each) for each in told_there]

    at_once([*tells, *hooks])
    let_it_go(hotel)
    reopened(hotel, folio)
    for each in (*tells, *hooks):
        each()

    assert returns(hotel) == [[4_000, "returned", None]]
    body = {"method": "card", "amount": usd(4_000), "paymentId": payment, "allowCredit": True}
    at_the_desk = hotel.post(f"/folios/{folio}/payments", body)
    assert_refused(at_the_desk, 409, "PAYMENT_ALREADY_RECORDED")
    assert hotel.rows("SELECT count(*) FROM {s}.payments WHERE method = 'card'") == [[0]]
    assert told(hotel).count("returned_payment.promised") == 1
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1", "CLO-4")
def test_what_the_processor_cannot_give_back_stands_on_its_folio_when_that_is_opened(
    hotel: Hotel,
) -> None:
    """40.00 lie beside the folio then; opened, it is in credit by them, and a clerk refunds it."""
    folio, _ = came_late(hotel, processor="sandbox_declined_")
    let_it_go(hotel)
    assert returns(hotel) == [[4_000, "failed", "card_declined"]]
    assert cards(hotel) == {"card_clearing": 4_000, "payments_to_return": -4_000}
    assert_books_are_right(hotel)

    reopened(hotel, folio)

    assert returns(hotel) == [[4_000, "placed", "card_declined"]]
    assert cards(hotel) == {"card_clearing": 4_000}
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-4_000)
    assert told(hotel)[-2:] == ["returned_payment.placed", "payment.recorded"]
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1", "GW-3")
def test_an_intent_names_the_payment_that_could_not_go_back(hotel: Hotel) -> None:
    """The folio is open by the time that the processor says so: it stands on that at once."""
    folio, intent = closed_meanwhile(hotel)
    acted(hotel, intent)
    confirm(hotel, intent)
    reopened(hotel, folio)
    ((payment, refund),) = hotel.rows(
        "SELECT processor_payment_id, refund_id FROM {s}.returned_payments"
    )

    refused = refund_told(payment, refund, 11_000, "failed", "refund.failed")
    assert Webhook(hotel).send(refused).json["outcome"] == "applied"
    made = refund_told(payment, refund, 11_000)
    assert Webhook(hotel).send(made).json["outcome"] == "applied"

    found = shown(hotel, intent)
    assert (found["status"], found["returned"]["status"]) == ("succeeded", "placed")
    ((placed,),) = hotel.rows("SELECT id FROM {s}.payments WHERE method = 'card'")
    assert found["paymentId"] == placed
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-11_000)
    assert_books_are_right(hotel)


@pytest.mark.req("GW-5", "JOB-1")
def test_a_job_sends_back_what_waited_since_before_there_was_such_a_thing(hotel: Hotel) -> None:
    _, intent = closed_meanwhile(hotel)
    acted(hotel, intent)
    hotel.rows("UPDATE {s}.payment_intents SET allow_credit = true")
    confirm(hotel, intent)
    assert intents(hotel) == [["succeeded", False, True]]
    hotel.rows("UPDATE {s}.payment_intents SET allow_credit = false")
    hotel.rows("UPDATE {s}.payment_intent_queue SET next_attempt_at = now()")

    assert run_job(hotel, settle_payments).failed == 0

    assert returns(hotel) == [[11_000, "pending", None]]
    assert intents(hotel) == [["succeeded", False, False]]


@pytest.mark.req("REC-1")
def test_the_reconciliation_with_the_processor_finds_nothing(hotel: Hotel) -> None:
    """Of one that is promised, one that has gone back, and one that could not."""
    house = PropertyId(hotel.property_id)
    for processor in ("sandbox_declined_", "pi_", "sandbox_unreachable_"):
        _, payment = came_late(hotel, processor=processor)
        sandbox(hotel).capture(hotel.tenant_id, house, payment, a_dollar(4_000))
        if processor != "sandbox_unreachable_":
            let_it_go(hotel)

    match(hotel, None)

    assert [status for _, status, _ in returns(hotel)] == ["failed", "returned", "pending"]
    assert differences(hotel) == set()
