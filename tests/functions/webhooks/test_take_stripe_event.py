"""Taking in the processor's events: once, in any order, with the effect that the books ask for."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest

from common.sandbox.gateway import LOST
from tests.hotel import Hotel, charge, usd
from tests.proofs import told
from tests.refunding import card_payment, refund, standing
from tests.webhooks import (
    GUEST,
    Webhook,
    captured,
    disputed,
    event,
    kept,
    paid_cents,
    refund_told,
)


def processors_id(hotel: Hotel, payment: str) -> str:
    """What the processor calls a payment of ours."""
    found = hotel.rows("SELECT processor_payment_id FROM {s}.payments WHERE id = :id", id=payment)
    identifier: str = found[0][0]
    return identifier


def refund_under_way(hotel: Hotel, cents: int = 3_000) -> tuple[str, str, str]:
    """A refund of a card whose answer was lost: folio, refund, and the processor's payment."""
    folio = hotel.open_folio()
    payment = card_payment(hotel, folio, usd(5_000), LOST)
    answer = refund(hotel, folio, payment, usd(cents))
    assert answer.status_code == 201, answer.text
    return folio, answer.json["refund"]["refundId"], processors_id(hotel, payment)


@pytest.mark.req("WH-2", "WH-4")
def test_a_payment_that_was_captured_is_on_its_folio(hotel: Hotel) -> None:
    """A room of 100.00 and 10.00 of tax; 110.00 are captured: nothing is owed."""
    folio = hotel.open_folio()
    hotel.post(f"/folios/{folio}/charges", charge("room", 10_000))

    answer = Webhook(hotel).send(captured(hotel, folio, 11_000))

    assert (answer.status_code, answer.json["outcome"]) == (200, "applied")
    assert paid_cents(hotel, folio) == 0
    assert kept(hotel) == [["payment_intent.succeeded", ["applied"]]]
    assert told(hotel)[-1] == "payment.recorded"


@pytest.mark.req("WH-2")
def test_the_same_event_again_has_no_second_effect(hotel: Hotel) -> None:
    """At once, and when all that is forgotten after a while is forgotten: forty days later."""
    folio = hotel.open_folio()
    sent = captured(hotel, folio, 5_000)
    first, again = (Webhook(hotel).send(sent) for _ in range(2))
    hotel.rows("DELETE FROM {s}.idempotency_keys")
    for kept_in in ("webhook_events", "webhook_bodies"):
        past = "SET received_at = received_at - interval '40 days'"
        hotel.rows(f"UPDATE {{s}}.{kept_in} {past}")
    hotel.rows("UPDATE {s}.webhook_attempts SET attempted_at = attempted_at - interval '40 days'")
    hotel.rows("DELETE FROM {s}.inbox")

    late = Webhook(hotel).send(sent)

    outcomes = [each.json["outcome"] for each in (first, again, late)]
    assert outcomes == ["applied", "duplicate", "duplicate"]
    assert paid_cents(hotel, folio) == 5_000
    assert kept(hotel) == [["payment_intent.succeeded", ["applied"]]]


@pytest.mark.req("WH-2")
def test_five_deliveries_at_once_apply_once(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    sent = captured(hotel, folio, 5_000)

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: Webhook(hotel).send(sent), range(5)))

    assert Counter(each.json["outcome"] for each in answers) == {"applied": 1, "duplicate": 4}
    assert paid_cents(hotel, folio) == 5_000
    assert kept(hotel) == [["payment_intent.succeeded", ["applied"]]]


@pytest.mark.req("WH-2", "PAY-3")
def test_whoever_tells_of_a_payment_first_is_the_only_one(hotel: Hotel) -> None:
    """The platform's event, two events of the processor's and the desk: one payment of 50.00."""
    folio = hotel.open_folio()
    payment = f"pi_{uuid4().hex[:24]}"
    assert Webhook(hotel).send(captured(hotel, folio, 5_000, payment)).status_code == 200
    platform = {"paymentId": payment, "folioId": folio, "amount": usd(5_000)}
    assert hotel.deliver("on_payment_captured", platform).status_code == 204
    again = Webhook(hotel).send(captured(hotel, folio, 5_000, payment))
    desk = {"method": "card", "amount": usd(5_000), "paymentId": payment, "allowCredit": True}

    assert again.json["outcome"] == "applied"
    assert hotel.post(f"/folios/{folio}/payments", desk).status_code == 409
    assert paid_cents(hotel, folio) == 5_000


@pytest.mark.req("WH-4", "WH-5", "REF-1")
@pytest.mark.parametrize(
    ("status", "kind", "became", "left"),
    [
        ("succeeded", "refund.updated", "succeeded", 2_000),
        ("succeeded", "charge.refund.updated", "succeeded", 2_000),
        ("failed", "refund.failed", "failed", 5_000),
        ("canceled", "refund.updated", "failed", 5_000),
        ("pending", "refund.updated", "pending", 2_000),
        ("requires_action", "refund.created", "pending", 2_000),
    ],
)
def test_a_refund_is_settled_as_the_processor_says(
    hotel: Hotel, status: str, kind: str, became: str, left: int
) -> None:
    """30.00 of 50.00 are promised: 20.00 are left of them, and 50.00 where it failed."""
    folio, promised, payment = refund_under_way(hotel)

    answer = Webhook(hotel).send(refund_told(payment, promised, 3_000, status, kind))

    assert answer.json["outcome"] == "applied"
    assert standing(hotel) == [[promised, became]]
    assert paid_cents(hotel, folio) == left


@pytest.mark.req("WH-4", "REF-1")
def test_events_of_a_refund_in_any_order_never_move_it_back(hotel: Hotel) -> None:
    """What comes first of what is final stays, what only runs changes nothing; and what fails after
    it was made has come again, beside it."""
    stories: list[tuple[str, ...]] = list(permutations(("pending", "succeeded", "failed")))
    for story in stories:
        folio, promised, payment = refund_under_way(hotel)
        first = next(status for status in story if status != "pending")
        for status in story:
            assert Webhook(hotel).send(refund_told(payment, promised, 3_000, status)).json == {
                "eventId": kept_id(hotel),
                "outcome": "applied",
            }
        assert dict(standing(hotel))[promised] == first
        assert paid_cents(hotel, folio) == 5_000


def kept_id(hotel: Hotel) -> str:
    """The event that was kept last."""
    rows = hotel.rows("SELECT event_id FROM {s}.webhook_events ORDER BY received_at DESC LIMIT 1")
    event_id: str = rows[0][0]
    return event_id


@pytest.mark.req("WH-4")
@pytest.mark.parametrize(
    "wrong",
    [{"payment_intent": "pi_of_another"}, {"amount": 2_999}, {"currency": "eur"}],
    ids=["payment", "amount", "currency"],
)
def test_a_refund_that_contradicts_the_books_is_refused_and_kept(
    hotel: Hotel, wrong: dict[str, Any]
) -> None:
    folio, promised, payment = refund_under_way(hotel)
    sent = refund_told(payment, promised, 3_000)
    sent["data"]["object"]["metadata"]["tenantId"] = str(hotel.tenant_id)
    sent["data"]["object"].update(wrong)

    answer = Webhook(hotel).send(sent)

    assert (answer.status_code, answer.json["outcome"]) == (200, "refused")
    assert standing(hotel) == [[promised, "pending"]]
    assert paid_cents(hotel, folio) == 2_000
    assert kept(hotel) == [["refund.updated", ["refused"]]]


@pytest.mark.req("WH-4", "WH-5")
def test_a_dispute_is_recorded_on_its_payment_and_told(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    payment = card_payment(hotel, folio, usd(5_000))

    answer = Webhook(hotel).send(
        disputed(processors_id(hotel, payment), "dp_1", "needs_response", "created")
    )

    assert answer.json["outcome"] == "applied"
    (dispute,) = hotel.events("dispute.recorded")
    assert dispute["data"]["paymentId"] == payment
    assert dispute["data"]["folioId"] == folio
    assert dispute["data"]["amount"] == usd(5_000)
    assert (dispute["data"]["status"], dispute["data"]["disputeReason"]) == (
        "needs_response",
        "product_not_received",
    )
    assert paid_cents(hotel, folio) == 5_000


@pytest.mark.req("WH-4")
def test_a_dispute_moves_forward_only(hotel: Hotel) -> None:
    """24 orders of four events: it is won or lost in the end, whichever was told first."""
    payment = processors_id(hotel, card_payment(hotel, hotel.open_folio(), usd(5_000)))
    states = ("needs_response", "under_review", "won", "lost")
    for place, story in enumerate(permutations(states)):
        for status in story:
            Webhook(hotel).send(disputed(payment, f"dp_{place}", status))
        final = next(status for status in story if status in ("won", "lost"))
        assert hotel.rows(
            "SELECT status FROM {s}.payment_disputes WHERE processor_dispute_id = :id",
            id=f"dp_{place}",
        ) == [[final]]
        told = [each["data"]["status"] for each in hotel.events("dispute.recorded")]
        assert told[-1] == final


@pytest.mark.req("WH-4", "WH-6")
def test_an_event_of_another_type_is_kept_and_changes_nothing(hotel: Hotel) -> None:
    about = {"id": "po_1", "object": "payout", "metadata": {"tenantId": str(hotel.tenant_id)}}
    before = told(hotel)

    answer = Webhook(hotel).send(event("something.we_never_heard_of", about))

    assert (answer.status_code, answer.json["outcome"]) == (200, "applied")
    assert kept(hotel) == [["something.we_never_heard_of", ["applied"]]]
    assert told(hotel) == before


@pytest.mark.req("WH-6", "GDPR-1")
def test_nothing_about_a_guest_is_kept(hotel: Hotel) -> None:
    """Of the whole there is the hash, with which who has the original can prove it."""
    folio = hotel.open_folio()
    payment = card_payment(hotel, folio, usd(5_000))
    Webhook(hotel).send(captured(hotel, folio, 5_000))
    Webhook(hotel).send(disputed(processors_id(hotel, payment), "dp_1", "needs_response"))
    about = {"id": f"x {GUEST['email']}", "status": GUEST["name"], "reason": GUEST["phone"]}
    Webhook(hotel).send(event("customer.updated", {**about, "id": "cus_1", "email": "a@b.c"}))

    rows = hotel.rows("SELECT payload FROM {s}.webhook_bodies") + hotel.house.sql(
        "SELECT message FROM billing_central.dead_letters WHERE consumer = 'take_stripe_event'"
    )

    assert len(rows) >= 3
    for said in (*GUEST.values(), "Zarmina", "a@b.c"):
        assert not any(said in row[0] for row in rows), said


@pytest.mark.req("WH-2")
def test_what_the_business_refuses_is_kept_with_the_reason_and_can_be_replayed(
    hotel: Hotel,
) -> None:
    """A folio that nobody knows: sent again, it is refused again, and tried three times in all."""
    sent = captured(hotel, "fol_none", 5_000)

    first, second = Webhook(hotel).send(sent), Webhook(hotel).send(sent)
    replayed = hotel.post("/webhooks/replay", {"eventId": sent["id"]})

    assert [each.json["outcome"] for each in (first, second)] == ["refused", "refused"]
    assert (replayed.status_code, replayed.json["code"][-13:]) == (404, "FOLIO_UNKNOWN")
    assert kept(hotel) == [["payment_intent.succeeded", ["refused", "refused"]]]


@pytest.mark.req("WH-2")
def test_a_failure_rolls_everything_back_and_is_sent_again(
    hotel: Hotel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The effect breaks in its middle; the attempt is written down apart, the event comes again."""
    from common.postgres.ledger import Ledger

    folio = hotel.open_folio()
    sent = captured(hotel, folio, 5_000)
    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "post", lambda *_: 1 // 0)
        failed = Webhook(hotel).send(sent)
    after = paid_cents(hotel, folio), kept(hotel)

    again = Webhook(hotel).send(sent)

    assert failed.status_code == 500
    assert after == (0, [["payment_intent.succeeded", ["failed"]]])
    assert (again.status_code, again.json["outcome"]) == (200, "applied")
    assert paid_cents(hotel, folio) == 5_000
    assert kept(hotel) == [["payment_intent.succeeded", ["failed", "applied"]]]


@pytest.mark.req("WH-3", "SEC-3")
def test_an_event_whose_tenant_is_not_its_payments_is_quarantined(hotel: Hotel) -> None:
    """Its metadata say one house, the payment is another's: no effect, and both are untouched."""
    other = hotel.house.new_hotel()
    theirs = processors_id(other, card_payment(other, other.open_folio(), usd(5_000)))
    folio = hotel.open_folio()
    nobody = str(uuid4())
    for sent in (
        captured(hotel, folio, 5_000, theirs),
        event("payout.paid", {"id": "po_1", "object": "payout"}),
        event("payout.paid", {"id": "po_1", "object": "payout", "metadata": {"tenantId": nobody}}),
        event("payout.paid", {"id": "po_1", "object": "payout", "metadata": {"tenantId": "x"}}),
        event("payout.paid", {"id": "po_1", "object": "payout", "metadata": 7}),
        event("payout.paid", {"object": "payout"}),
    ):
        answer = Webhook(hotel).send(sent)
        assert (answer.status_code, answer.json["outcome"]) == (200, "quarantined"), answer.text
        (letter,) = hotel.house.sql(
            "SELECT reason, message FROM billing_central.dead_letters WHERE message_id = :id",
            id=sent["id"],
        )
        assert json.loads(letter[1])["eventId"] == sent["id"]

    assert paid_cents(hotel, folio) == 0
    assert kept(hotel) == kept(other) == []


@pytest.mark.req("WH-3")
def test_a_payment_that_two_houses_claim_is_nobodys(hotel: Hotel) -> None:
    """Whoever writes down somebody else's payment by hand gets none of its events."""
    other, payment = hotel.house.new_hotel(), f"pi_{uuid4().hex[:24]}"
    for claiming in (hotel, other):
        paid = {"method": "card", "paymentId": payment, "allowCredit": True}
        claiming.paid(claiming.open_folio(), usd(5_000), **paid)

    answer = Webhook(hotel).send(disputed(payment, "dp_1", "lost"))

    assert answer.json["outcome"] == "quarantined"
    assert hotel.rows("SELECT id FROM {s}.payment_disputes") == []
