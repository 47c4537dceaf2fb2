"""A payment that nobody wants any more is canceled, unless it was taken meanwhile (GW-3)."""

from uuid import uuid4

import pytest

from tests.hotel import Hotel, usd
from tests.paying import (
    acted,
    cancel,
    charges,
    clerk,
    confirm,
    intents,
    pay,
    ready,
    shown,
)
from tests.proofs import GENERAL, assert_books_are_right, assert_refused, state, told, trail
from tests.together import at_once

pytestmark = pytest.mark.req("GW-3")


@pytest.fixture
def folio(hotel: Hotel) -> str:
    """A folio that owes 110.00."""
    opened = hotel.open_folio()
    hotel.charged(opened)
    return opened


def waiting(hotel: Hotel, folio: str) -> str:
    """A payment of what is owed that waits for its guest."""
    answer = pay(hotel, folio, usd(11_000), "sandbox_3ds", owed=True)
    assert answer.json["status"] == "requires_action", answer.text
    intent: str = answer.json["paymentIntentId"]
    return intent


def test_cancels_what_nobody_was_asked_for(hotel: Hotel, folio: str) -> None:
    intent, method = ready(hotel, folio, usd(11_000), owed=True)

    answer = cancel(hotel, intent)

    assert (answer.status_code, answer.json["status"]) == (200, "canceled")
    assert_refused(confirm(hotel, intent, method), 409, "PAYMENT_NOT_CONFIRMABLE")
    assert intents(hotel) == [["canceled", False, False]]
    assert told(hotel)[-1] == "payment.canceled"
    assert_books_are_right(hotel)


@pytest.mark.req("BEY-4")
def test_cancels_at_the_processor_what_waits_for_its_guest_and_frees_the_debt(
    hotel: Hotel, folio: str
) -> None:
    intent = waiting(hotel, folio)

    answer = cancel(hotel, intent)

    assert (answer.status_code, answer.json["status"]) == (200, "canceled")
    acted(hotel, intent)  # too late: the processor has canceled it
    assert (shown(hotel, intent)["status"], charges(hotel)) == ("canceled", [])
    assert hotel.rows("SELECT * FROM {s}.collection_leases") == []
    assert hotel.paid(folio, usd(11_000))
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    assert_books_are_right(hotel)


def test_a_guest_who_was_faster_has_paid(hotel: Hotel, folio: str) -> None:
    intent = waiting(hotel, folio)
    acted(hotel, intent)

    answer = cancel(hotel, intent)

    assert (answer.status_code, answer.json["status"]) == (200, "succeeded")
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(0)
    assert_refused(cancel(hotel, intent), 409, "PAYMENT_NOT_CANCELABLE")
    assert_books_are_right(hotel)


def test_refuses_what_is_being_taken_has_ended_or_is_not_there(hotel: Hotel, folio: str) -> None:
    lost = pay(hotel, folio, usd(100), "sandbox_lost").json["paymentIntentId"]
    declined = pay(hotel, hotel.open_folio(), usd(100), "sandbox_declined").json["paymentIntentId"]
    before = state(hotel)

    for each, status in ((lost, "processing"), (declined, "failed")):
        refused = cancel(hotel, each)
        assert_refused(refused, 409, "PAYMENT_NOT_CANCELABLE")
        assert refused.json["paymentStatus"] == status
    assert_refused(cancel(hotel, lost[:-4] + "0000"), 404, "PAYMENT_INTENT_UNKNOWN")
    elsewhere = hotel.token(property_ids=[uuid4()])
    assert_refused(cancel(hotel, lost, token=elsewhere), 404, "PAYMENT_INTENT_UNKNOWN")
    assert state(hotel) == before


@pytest.mark.req("API-4")
def test_the_same_request_again_is_answered_the_same_and_changes_nothing(
    hotel: Hotel, folio: str
) -> None:
    intent = waiting(hotel, folio)
    key, by = str(uuid4()), clerk(hotel)

    first = cancel(hotel, intent, key=key, token=by)
    again = cancel(hotel, intent, key=key, token=by)
    other = cancel(hotel, intent)

    assert (again.status_code, again.data) == (200, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.json == first.json
    assert len(trail(hotel, "payment.canceled")) == 1


def test_is_canceled_or_taken_where_both_are_asked_for_at_once(hotel: Hotel, folio: str) -> None:
    customer_intent, method = ready(hotel, folio, usd(11_000), owed=True)

    confirmed, canceled = at_once(
        [
            lambda: confirm(hotel, customer_intent, method),
            lambda: cancel(hotel, customer_intent),
        ]
    )

    outcome = shown(hotel, customer_intent)["status"]
    won = {"succeeded": (200, 409), "canceled": (409, 200)}
    assert (confirmed.status_code, canceled.status_code) == won[outcome]
    assert len(charges(hotel)) == int(outcome == "succeeded")
    assert_books_are_right(hotel)


@pytest.mark.req("API-10")
def test_is_confirmed_and_canceled_by_who_knows_how_it_stands(hotel: Hotel, folio: str) -> None:
    """A tag of before is refused, at the processor as here; the right one serves the whole deed,
    which moves the version on itself before the processor is asked."""
    intent, method = ready(hotel, folio, usd(11_000), "sandbox_3ds", owed=True)
    made = {"headers": {"If-Match": hotel.get(f"/payments/{intent}").headers["ETag"]}}
    key, by = str(uuid4()), clerk(hotel)

    first = confirm(hotel, intent, method, key=key, token=by, **made)
    again = confirm(hotel, intent, method, key=key, token=by, **made)
    before = state(hotel)
    late = [confirm(hotel, intent, method, **made), cancel(hotel, intent, **made)]
    unchanged = state(hotel) == before
    now = {"headers": {"If-Match": hotel.get(f"/payments/{intent}").headers["ETag"]}}
    canceled = cancel(hotel, intent, **now)

    assert (first.status_code, first.json["status"]) == (200, "requires_action")
    assert again.data == first.data
    for answer in late:
        assert_refused(answer, 412, GENERAL + "VERSION_STALE")
    assert unchanged
    assert (canceled.status_code, canceled.json["status"]) == (200, "canceled")
    assert_books_are_right(hotel)
