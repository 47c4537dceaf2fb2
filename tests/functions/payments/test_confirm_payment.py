"""A payment is taken from a card once, however often and by whomever it is asked for (GW-3)."""

import threading
from dataclasses import replace
from uuid import uuid4

import pytest

from common.domain.processor_payment import Heard, PaymentStatus
from common.ports.answers import Unknown
from common.ports.cards import NotThere, Order
from tests.hotel import Hotel, usd
from tests.paying import (
    a_card,
    a_customer,
    acted,
    an_intent,
    charges,
    clerk,
    confirm,
    intents,
    pay,
    ready,
    shown,
)
from tests.proofs import assert_books_are_right, assert_refused, state, told
from tests.together import PATIENCE_SECONDS, at_once, meanwhile, until

pytestmark = pytest.mark.req("GW-3")


@pytest.fixture
def folio(hotel: Hotel) -> str:
    return hotel.open_folio()


def test_takes_the_money_and_puts_it_on_the_folio(hotel: Hotel, folio: str) -> None:
    """100.00 and 10 % are owed; 110.00 are taken, and nothing is left."""
    hotel.charged(folio)

    answer = pay(hotel, folio, usd(11_000))

    assert answer.status_code == 200, answer.text
    assert (answer.json["status"], answer.json["nextAction"]) == ("succeeded", None)
    found = hotel.get(f"/folios/{folio}").json
    assert found["balance"] == usd(0)
    assert found["lines"][-1]["lineId"] == answer.json["paymentId"]
    ((method, digest),) = hotel.rows(
        "SELECT method, payments.method_token_digest = encode(token_digest, 'hex')"
        " FROM {s}.payments CROSS JOIN {s}.payment_methods"
    )
    assert (method, digest) == ("card", True)
    assert told(hotel)[-2:] == ["payment.recorded", "payment.succeeded"]
    assert intents(hotel) == [["succeeded", True, False]]
    assert len(charges(hotel)) == 1
    assert_books_are_right(hotel)


@pytest.mark.req("API-4")
def test_is_charged_once_however_often_it_is_confirmed(hotel: Hotel, folio: str) -> None:
    intent, method = ready(hotel, folio, usd(5_000))
    key, by = str(uuid4()), clerk(hotel)

    first = confirm(hotel, intent, method, key=key, token=by)
    after = state(hotel)
    again = confirm(hotel, intent, method, key=key, token=by)
    other = confirm(hotel, intent, method)

    assert (again.status_code, again.data) == (200, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.json == first.json
    assert state(hotel, without=("idempotency_keys",)) == {
        name: rows for name, rows in after.items() if name != "idempotency_keys"
    }
    assert len(charges(hotel)) == 1


def test_is_charged_once_by_all_who_confirm_it_at_once(hotel: Hotel, folio: str) -> None:
    intent, method = ready(hotel, folio, usd(5_000))

    answers = at_once([lambda: confirm(hotel, intent, method) for _ in range(4)])

    assert [each.status_code for each in answers] == 4 * [200]
    assert shown(hotel, intent)["status"] == "succeeded"
    assert len(charges(hotel)) == 1
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000)
    assert_books_are_right(hotel)


@pytest.mark.req("GW-5", "API-4")
def test_keeps_what_is_heard_though_a_retry_was_answered_before(hotel: Hotel, folio: str) -> None:
    """The processor is slow, and the client sends the same request again beside the first: that
    hears nothing, and is answered. What the first one hears a moment later is kept all the same."""
    asked, answers = threading.Event(), threading.Event()

    class Slow:
        def standing(self, _order: Order) -> NotThere:
            return NotThere()

        def pay(self, order: Order) -> Heard | Unknown:
            if asked.is_set():
                return Unknown()
            asked.set()
            answers.wait(PATIENCE_SECONDS)
            status = PaymentStatus.SUCCEEDED
            return Heard(processor_payment_id=f"pi_{order.id}", status=status)

    intent, method = ready(hotel, folio, usd(5_000))
    instance = hotel.house.beside(powers={"cards": Slow()})
    through, same = replace(hotel, house=instance), {"key": "k", "token": clerk(hotel)}
    with meanwhile(lambda: confirm(through, intent, method, **same)) as first:
        until(asked.is_set)
        second = confirm(through, intent, method, **same)
        answers.set()
    instance.close()

    assert (second.status_code, second.json["status"]) == (200, "processing")
    assert (first().data, first().headers["Idempotency-Replayed"]) == (second.data, "true")
    assert shown(hotel, intent)["status"] == "succeeded"
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000)
    assert intents(hotel) == [["succeeded", True, False]]
    assert_books_are_right(hotel)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("sandbox_declined", "generic_decline"),
        ("sandbox_fraud", "fraudulent"),
        ("sandbox_insufficient_funds", "insufficient_funds"),
        ("sandbox_expired", "expired_card"),
    ],
)
def test_says_why_no_money_was_taken(hotel: Hotel, folio: str, card: str, code: str) -> None:
    answer = pay(hotel, folio, usd(5_000), card)

    assert (answer.json["status"], answer.json["failureCode"]) == ("failed", code)
    assert charges(hotel) == []
    assert told(hotel)[-1] == "payment.failed"
    refused = confirm(hotel, answer.json["paymentIntentId"])
    assert_refused(refused, 409, "PAYMENT_NOT_CONFIRMABLE")
    assert_books_are_right(hotel)


@pytest.mark.parametrize(("confirms", "status"), [(True, "succeeded"), (False, "failed")])
def test_waits_for_the_guest_to_confirm_it_to_the_bank(
    hotel: Hotel, folio: str, confirms: bool, status: str
) -> None:
    """What the guest needs is asked for anew each time, and kept nowhere."""
    answer = pay(hotel, folio, usd(5_000), "sandbox_3ds")
    intent = answer.json["paymentIntentId"]

    assert (answer.json["status"], answer.json["nextAction"]) == ("requires_action", None)
    action = shown(hotel, intent)["nextAction"]
    assert action["clientSecret"].startswith("sandbox_pi_")
    assert action["redirectUrl"].endswith(intent)
    kept = hotel.rows("SELECT body FROM {s}.idempotency_keys")
    assert not any(action["clientSecret"] in body for (body,) in kept)
    assert charges(hotel) == []

    acted(hotel, intent, confirms=confirms)
    assert confirm(hotel, intent).json["status"] == status
    assert shown(hotel, intent)["nextAction"] is None
    assert len(charges(hotel)) == int(confirms)
    assert_books_are_right(hotel)


@pytest.mark.req("GW-5")
@pytest.mark.parametrize("card", ["sandbox_lost", "sandbox_unreachable"])
def test_stays_processing_without_an_answer_and_is_asked_after(
    hotel: Hotel, folio: str, card: str
) -> None:
    """The next confirmation asks first; only what the processor never heard of is asked for."""
    answer = pay(hotel, folio, usd(5_000), card)

    assert answer.json["status"] == "processing"
    assert intents(hotel) == [["processing", False, True]]
    again = confirm(hotel, answer.json["paymentIntentId"])
    assert again.json["status"] == "succeeded"
    assert len(charges(hotel)) == 1
    assert_books_are_right(hotel)


@pytest.mark.req("PAY-1")
def test_takes_another_currency_by_the_folios_rate(hotel: Hotel, folio: str) -> None:
    """10.00 EUR at 1.10 are 11.00 USD."""
    answer = pay(hotel, folio, {"amountMicro": 10_000_000, "currency": "EUR"})

    assert answer.json["status"] == "succeeded"
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-1_100)
    assert_books_are_right(hotel)


def test_a_folio_that_was_closed_meanwhile_gets_the_money_once_it_is_open(
    hotel: Hotel, folio: str
) -> None:
    """The money was taken; it waits in its queue, and nothing of it is lost."""
    intent, method = ready(hotel, folio, usd(5_000), "sandbox_3ds")
    confirm(hotel, intent, method)
    hotel.charged(folio, cents=1_000)
    hotel.paid(folio, usd(1_100))
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    acted(hotel, intent)

    answer = confirm(hotel, intent)

    assert (answer.json["status"], answer.json["paymentId"]) == ("succeeded", None)
    assert intents(hotel) == [["succeeded", False, True]]
    assert_books_are_right(hotel)


def test_refuses_what_cannot_be_confirmed(hotel: Hotel, folio: str) -> None:
    customer = a_customer(hotel)
    intent = an_intent(hotel, folio, usd(5_000), customer)
    method, removed = a_card(hotel, customer), a_card(hotel, customer)
    strangers = a_card(hotel, a_customer(hotel))
    platforms = a_card(hotel, customer, purpose="platform_bills")
    hotel.call("DELETE", f"/payment-methods/{removed}")
    unknown = intent[:-4] + "0000"

    assert_refused(confirm(hotel, unknown, method), 404, "PAYMENT_INTENT_UNKNOWN")
    assert_refused(confirm(hotel, intent), 422, "PAYMENT_METHOD_MISSING")
    assert_refused(confirm(hotel, intent, strangers), 404, "PAYMENT_METHOD_UNKNOWN")
    assert_refused(confirm(hotel, intent, removed), 409, "PAYMENT_METHOD_REMOVED")
    assert_refused(confirm(hotel, intent, platforms), 422, "PAYMENT_METHOD_FOR_PLATFORM_BILLS")
    assert intents(hotel) == [["requires_payment_method", False, False]]
    waiting = an_intent(hotel, folio, usd(5_000), customer)
    confirm(hotel, waiting, a_card(hotel, customer, "sandbox_3ds"))
    assert_refused(confirm(hotel, waiting, method), 409, "PAYMENT_METHOD_DIFFERS")
    hotel.charged(folio, cents=1_000)
    hotel.paid(folio, usd(1_100))
    hotel.post(f"/folios/{folio}/close")
    assert_refused(confirm(hotel, intent, method), 409, "FOLIO_CLOSED")
    elsewhere = hotel.token(property_ids=[uuid4()])
    assert_refused(confirm(hotel, intent, method, token=elsewhere), 404, "PAYMENT_INTENT_UNKNOWN")
