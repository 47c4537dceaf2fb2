"""What the processor tells of payments and methods that were made here (WH-3, WH-4)."""

from uuid import uuid4

import pytest

from common.procedures.hearing_effects import EFFECTS
from tests.hotel import Hotel, House, new_id, usd
from tests.paying import (
    a_card,
    a_customer,
    a_token,
    acted,
    add_card,
    charges,
    confirm,
    intent_told,
    intents,
    method_told,
    pay,
    processor_customer,
    ready,
    shown,
)
from tests.proofs import assert_books_are_right, assert_refused, state, told
from tests.together import at_once
from tests.webhooks import Webhook, disputed, event, kept

pytestmark = pytest.mark.req("WH-4")


@pytest.fixture
def folio(hotel: Hotel) -> str:
    return hotel.open_folio()


@pytest.fixture
def waiting(hotel: Hotel, folio: str) -> str:
    """50.00 that the guest has to confirm to the bank."""
    answer = pay(hotel, folio, usd(5_000), "sandbox_3ds")
    assert answer.json["status"] == "requires_action"
    intent: str = answer.json["paymentIntentId"]
    return intent


def send(hotel: Hotel, about: dict) -> str:
    answer = Webhook(hotel).send(about)
    assert answer.status_code == 200, answer.text
    outcome: str = answer.json["outcome"]
    return outcome


@pytest.mark.req("GW-3")
def test_a_success_is_a_payment_on_its_folio_once(hotel: Hotel, folio: str, waiting: str) -> None:
    acted(hotel, waiting)

    assert send(hotel, intent_told(hotel, waiting, "succeeded")) == "applied"
    assert send(hotel, intent_told(hotel, waiting, "succeeded")) == "applied"

    assert intents(hotel) == [["succeeded", True, False]]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000)
    assert confirm(hotel, waiting).json["status"] == "succeeded"
    assert told(hotel).count("payment.succeeded") == 1
    secrets = hotel.rows("SELECT payload FROM {s}.webhook_bodies")
    assert not any("pi_secret" in payload for (payload,) in secrets)
    assert_books_are_right(hotel)


def test_whoever_recorded_the_capture_first_it_is_one_payment(
    hotel: Hotel, folio: str, waiting: str
) -> None:
    """The platform's event comes before the processor's; the intent finds its payment there."""
    captured = {
        "folioId": folio,
        "paymentId": intent_told(hotel, waiting, "succeeded")["data"]["object"]["id"],
        "amount": usd(5_000),
    }
    assert hotel.deliver("on_payment_captured", captured).status_code == 204

    send(hotel, intent_told(hotel, waiting, "succeeded"))

    assert intents(hotel) == [["succeeded", True, False]]
    assert hotel.rows("SELECT count(*) FROM {s}.payments") == [[1]]
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000)
    assert_books_are_right(hotel)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("payment_failed", "failed", "do_not_honor"), ("canceled", "canceled", None)],
)
def test_an_end_without_money_is_kept(
    hotel: Hotel, waiting: str, kind: str, status: str, code: str | None
) -> None:
    send(hotel, intent_told(hotel, waiting, kind))

    found = shown(hotel, waiting)
    assert (found["status"], found["failureCode"]) == (status, code)
    assert_refused(confirm(hotel, waiting), 409, "PAYMENT_NOT_CONFIRMABLE")
    assert_books_are_right(hotel)


def test_nothing_that_is_told_late_moves_a_payment_back(
    hotel: Hotel, folio: str, waiting: str
) -> None:
    """Failed, then paid by another card after all; then everything else once more."""
    send(hotel, intent_told(hotel, waiting, "payment_failed"))
    send(hotel, intent_told(hotel, waiting, "succeeded"))
    aside = ("webhook_events", "webhook_bodies", "webhook_attempts")
    before = state(hotel, without=aside)

    for kind in ("requires_action", "payment_failed", "canceled", "succeeded"):
        assert send(hotel, intent_told(hotel, waiting, kind)) == "applied"

    assert state(hotel, without=aside) == before
    assert shown(hotel, waiting)["status"] == "succeeded"
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000)


@pytest.mark.req("GW-3", "WH-5")
def test_what_became_of_the_money_is_shown_with_it(hotel: Hotel, folio: str) -> None:
    answer = pay(hotel, folio, usd(5_000))
    intent, payment = (
        answer.json["paymentIntentId"],
        f"sandbox_pi_{answer.json['paymentIntentId'][4:]}",
    )

    send(hotel, disputed(payment, "dp_1", "needs_response", "created"))
    assert shown(hotel, intent)["status"] == "disputed"
    send(hotel, disputed(payment, "dp_1", "won", "closed"))
    assert shown(hotel, intent)["status"] == "succeeded"
    for refunded, status in ((2_000, "partially_refunded"), (5_000, "refunded")):
        hotel.rows(f"UPDATE {{s}}.payments SET refunded_paid_micro = {refunded * 10_000}")
        assert shown(hotel, intent)["status"] == status


def test_what_contradicts_the_books_changes_nothing(hotel: Hotel, waiting: str) -> None:
    other = intent_told(hotel, waiting, "succeeded", id=f"pi_{uuid4().hex}")
    less = intent_told(hotel, waiting, "succeeded", cents=4_999)
    unknown = intent_told(hotel, new_id("pin"), "succeeded")

    assert [send(hotel, each) for each in (other, less, unknown)] == 3 * ["refused"]

    assert intents(hotel) == [["requires_action", False, True]]
    codes = hotel.rows("SELECT code FROM {s}.webhook_attempts ORDER BY id")
    assert [code.rsplit(".", 1)[1] for (code,) in codes] == [
        "WEBHOOK_CONTRADICTS_BOOKS",
        "WEBHOOK_CONTRADICTS_BOOKS",
        "PAYMENT_INTENT_UNKNOWN",
    ]


@pytest.mark.req("WH-3")
def test_what_names_another_tenant_than_its_customer_waits_for_a_person(
    hotel: Hotel, house: House, waiting: str
) -> None:
    """Its metadata say one tenant, its customer is another one's: nobody's books are touched."""
    stranger = house.new_hotel()
    ((customer,),) = hotel.rows("SELECT processor_customer_id FROM {s}.customers")
    before = (state(hotel), state(stranger))
    crossed = intent_told(stranger, waiting, "succeeded", customer=customer)

    assert send(hotel, crossed) == "quarantined"

    assert (state(hotel), state(stranger)) == before
    assert send(hotel, intent_told(hotel, waiting, "succeeded", customer=customer)) == "applied"


def test_a_confirmation_beside_its_own_event_is_one_payment(
    hotel: Hotel, folio: str, waiting: str
) -> None:
    acted(hotel, waiting)

    at_once(
        [
            lambda: confirm(hotel, waiting).status_code,
            lambda: send(hotel, intent_told(hotel, waiting, "succeeded")),
            lambda: send(hotel, intent_told(hotel, waiting, "succeeded")),
        ]
    )

    assert (intents(hotel), len(charges(hotel))) == ([["succeeded", True, False]], 1)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000)
    assert_books_are_right(hotel)


@pytest.mark.req("GW-2", "WH-3")
def test_a_new_card_of_the_bank_is_shown_and_its_token_kept_nowhere(hotel: Hotel) -> None:
    """The customer alone says whose it is; what is older than what is known changes nothing."""
    customer, token = a_customer(hotel), a_token()
    add_card(hotel, customer, token)
    theirs = processor_customer(hotel, customer)

    old = method_told(token, theirs, "updated", created=1_000)
    new = method_told(token, theirs, "updated", created=4_102_444_800)
    assert [send(hotel, each) for each in (old, new, new)] == ["applied", "applied", "duplicate"]

    (item,) = hotel.get(f"/customers/{customer}/payment-methods").json["items"]
    assert (item["brand"], item["lastFour"], item["expiryYear"]) == ("mastercard", "4444", 2036)
    payloads = hotel.rows("SELECT payload FROM {s}.webhook_bodies")
    assert not any(token in payload or "Zarmina" in payload for (payload,) in payloads)
    assert_books_are_right(hotel)


@pytest.mark.req("GW-2")
def test_a_method_is_confirmed_attached_and_taken_away_as_the_processor_says(hotel: Hotel) -> None:
    customer, token = a_customer(hotel), a_token()
    method = add_card(hotel, customer, token).json["paymentMethodId"]
    theirs = processor_customer(hotel, customer)
    setup = {"id": "seti_1", "object": "setup_intent", "status": "succeeded"}
    confirmed = event(
        "setup_intent.succeeded", {**setup, "customer": theirs, "payment_method": token}
    )
    detached = method_told(token, None, "detached")
    detached["data"]["previous_attributes"] = {"customer": theirs}

    assert send(hotel, confirmed) == "applied"
    (item,) = hotel.get(f"/customers/{customer}/payment-methods").json["items"]
    assert item["authenticatedAt"] is not None
    assert send(hotel, method_told(token, theirs, "attached")) == "applied"
    assert send(hotel, detached) == "applied"

    assert hotel.get(f"/customers/{customer}/payment-methods").json["items"] == []
    folio = hotel.open_folio()
    intent, _ = ready(hotel, folio, usd(1_000))
    assert_refused(confirm(hotel, intent, method), 404, "PAYMENT_METHOD_UNKNOWN")
    assert send(hotel, method_told(a_token(), theirs, "updated")) == "applied"
    assert [outcomes for _, outcomes in kept(hotel)] == 4 * [["applied"]]
    assert_books_are_right(hotel)


def test_a_method_of_another_customer_here_is_refused(hotel: Hotel) -> None:
    customer, token = a_customer(hotel), a_token()
    add_card(hotel, customer, token)
    other = a_customer(hotel)
    a_card(hotel, other)

    told_wrongly = method_told(token, processor_customer(hotel, other), "detached")

    assert send(hotel, told_wrongly) == "refused"
    assert len(hotel.get(f"/customers/{customer}/payment-methods").json["items"]) == 1


HANDLED = {
    "payment_intent": ("succeeded", "payment_failed", "requires_action", "canceled"),
    "charge": ("refunded", "dispute.created", "dispute.updated", "dispute.closed"),
    "refund": ("updated", "failed"),
    "setup_intent": ("succeeded",),
    "payment_method": ("attached", "updated", "detached"),
    "invoice": ("paid", "payment_failed"),
    "customer": tuple(
        f"subscription.{each}" for each in ("created", "updated", "deleted", "trial_will_end")
    ),
    "payout": ("paid", "failed"),
    "account": ("updated",),
    "radar": ("early_fraud_warning.created", "early_fraud_warning.updated"),
}
"""The types that the requirement names."""


def test_every_type_of_the_requirement_is_heard() -> None:
    wanted = {f"{area}.{each}" for area, kinds in HANDLED.items() for each in kinds}

    assert wanted <= EFFECTS.keys()
