"""What looks odd waits for a person other than who asked for it, and is decided once (FRD-2)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pg8000.exceptions
import pytest

from common.ports.cards import GatewayUnavailable, Order
from tests.hotel import Hotel, House, new_id, usd
from tests.paying import a_card, charges, confirm, intents, shown
from tests.proofs import GENERAL, assert_books_are_right, assert_refused, state, told, trail
from tests.together import at_once
from tests.weighing import WHY, HeldPayment, a_held_payment, at_most, decide, rules

pytestmark = pytest.mark.req("FRD-2")

Clock = Callable[[str], None]


@pytest.fixture
def held(hotel: Hotel) -> HeldPayment:
    return a_held_payment(hotel, hotel.open_folio())


def test_an_approved_payment_is_taken(hotel: Hotel, held: HeldPayment) -> None:
    answer = decide(hotel, held.review)

    assert answer.status_code == 200, answer.text
    found = answer.json
    assert (found["status"], found["decidedBy"], found["reason"]) == ("approved", "reviewer", WHY)
    payment = shown(hotel, held.intent)
    assert (payment["status"], payment["reviewId"]) == ("succeeded", held.review)
    assert (len(charges(hotel)), intents(hotel)) == (1, [["succeeded", True, False]])
    (event,) = hotel.events("review.decided")
    assert (event["data"]["status"], event["data"]["subjectId"]) == ("approved", held.intent)
    (entry,) = trail(hotel, "review.decided")
    assert (entry["actor"], entry["reason"]) == ("reviewer", WHY)
    assert_books_are_right(hotel)


def test_a_refused_payment_is_asked_of_nobody(hotel: Hotel, held: HeldPayment) -> None:
    answer = decide(hotel, held.review, "refuse")

    assert (answer.status_code, answer.json["status"]) == (200, "refused")
    payment = shown(hotel, held.intent)
    assert (payment["status"], payment["failureCode"]) == ("failed", "not_approved")
    assert told(hotel)[-2:] == ["review.decided", "payment.failed"]
    refused = confirm(hotel, held.intent, held.method)
    assert_refused(refused, 409, "PAYMENT_NOT_CONFIRMABLE")
    assert charges(hotel) == []
    assert_books_are_right(hotel)


def test_is_not_decided_by_who_asked_for_it_or_made_it_out(hotel: Hotel, held: HeldPayment) -> None:
    before = state(hotel)

    for by in ("asker", "maker"):
        assert_refused(decide(hotel, held.review, by=by), 403, "REVIEW_SAME_PERSON")

    assert state(hotel) == before
    with pytest.raises(pg8000.exceptions.DatabaseError, match="reviewer_is_another_person"):
        hotel.rows(
            "UPDATE {s}.reviews SET status = 'approved', decided_by = 'maker', reason = 'x',"
            " decided_at = opened_at"
        )


def test_is_decided_once(hotel: Hotel, held: HeldPayment) -> None:
    """Who sends the same again is answered the same, and anybody else is refused."""
    first = decide(hotel, held.review)
    after = state(hotel)

    assert decide(hotel, held.review).json == first.json
    assert_refused(decide(hotel, held.review, "refuse"), 409, "REVIEW_DECIDED")
    assert_refused(decide(hotel, held.review, by="other"), 409, "REVIEW_DECIDED")
    assert_refused(decide(hotel, new_id("rvw")), 404, "REVIEW_UNKNOWN")
    assert state(hotel, without=("idempotency_keys",)) == {
        name: rows for name, rows in after.items() if name != "idempotency_keys"
    }
    assert len(charges(hotel)) == 1


@pytest.mark.req("API-4")
def test_a_retry_is_answered_the_same(hotel: Hotel, held: HeldPayment) -> None:
    key = str(uuid4())

    first, again = (decide(hotel, held.review, key=key) for _ in range(2))

    assert (first.status_code, again.data) == (200, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(trail(hotel, "review.decided")) == 1
    assert_refused(
        decide(hotel, held.review, key=None), 400, "MELMASTOON.GENERAL.IDEMPOTENCY_KEY_REQUIRED"
    )


@pytest.mark.parametrize("others", ["approve", "refuse"])
def test_of_two_at_once_one_decides(hotel: Hotel, held: HeldPayment, others: str) -> None:
    answers = at_once(
        [
            lambda: decide(hotel, held.review, by="farid"),
            lambda: decide(hotel, held.review, others, by="nadia"),
            lambda: confirm(hotel, held.intent, held.method),
        ]
    )

    decided = [each.status_code for each in answers[:2]]
    assert sorted(decided) == [200, 409]
    taken = hotel.get(f"/reviews/{held.review}").json["status"] == "approved"
    assert len(charges(hotel)) == int(taken)
    assert len(trail(hotel, "review.decided")) == 1
    assert_books_are_right(hotel)


def test_nobody_approves_after_72_hours(hotel: Hotel, clock: Clock) -> None:
    """The job has not come by yet: the review has expired all the same."""
    clock("2026-03-01T10:00:00+00:00")
    held = a_held_payment(hotel, hotel.open_folio())
    clock("2026-03-04T10:01:00+00:00")

    refused = decide(hotel, held.review)

    assert_refused(refused, 409, "REVIEW_DECIDED")
    assert refused.json["status"] == 409
    assert confirm(hotel, held.intent, held.method).json["status"] == "requires_payment_method"
    assert charges(hotel) == []


def test_what_was_approved_is_challenged_where_it_would_have_been(hotel: Hotel) -> None:
    """50 points are a challenge, and the rule wants a person besides."""
    folio = hotel.open_folio()
    held = a_held_payment(hotel, folio)
    rules(hotel, at_most("buyer", 0, course="review", points=50))
    customer = shown(hotel, held.intent)["customerId"]
    body = {"folioId": folio, "customerId": customer, "amount": usd(100), "allowCredit": True}
    intent = hotel.post("/payments/intent", body).json["paymentIntentId"]
    review = confirm(hotel, intent, held.method).json["reviewId"]

    decide(hotel, review)

    assert shown(hotel, intent)["status"] == "requires_action"
    assert charges(hotel) == []
    assert_books_are_right(hotel)


@pytest.mark.req("GW-4")
@pytest.mark.parametrize("goes_on_by", ["the decision again", "the desk"])
def test_an_approval_stands_where_nobody_could_be_asked(
    hotel: Hotel, held: HeldPayment, goes_on_by: str
) -> None:
    class LeftAlone:
        def pay(self, order: Order) -> Any:
            raise GatewayUnavailable()

    house = hotel.house.beside(powers={"cards": LeftAlone()})
    refused = decide(replace(hotel, house=house), held.review)
    house.close()

    assert_refused(refused, 503, "GATEWAY_UNAVAILABLE")
    assert shown(hotel, held.intent)["status"] == "requires_payment_method"
    assert hotel.get(f"/reviews/{held.review}").json["status"] == "approved"
    assert_books_are_right(hotel)

    if goes_on_by == "the desk":
        assert confirm(hotel, held.intent).json["status"] == "succeeded"
    assert decide(hotel, held.review).status_code == 200
    assert shown(hotel, held.intent)["status"] == "succeeded"
    assert len(charges(hotel)) == 1
    assert_books_are_right(hotel)


@pytest.mark.req("API-4", "API-10")
def test_a_retry_of_an_approval_is_no_older_than_what_the_first_try_has_made(
    hotel: Hotel, held: HeldPayment
) -> None:
    """The approval stands, and its process dies before the processor is heard: the same request
    again brings the payment to its end, though the version that it expects was the first try's.
    Another one that expects that version comes too late."""

    class DiesAsking:
        def pay(self, order: Order) -> Any:
            raise MemoryError(order.id)

    seen = {"headers": {"If-Match": hotel.get(f"/reviews/{held.review}").headers["ETag"]}}
    house = hotel.house.beside(powers={"cards": DiesAsking()})
    died = decide(replace(hotel, house=house), held.review, key="k", **seen)
    house.close()
    late = decide(hotel, held.review, key="another", **seen)

    again = decide(hotel, held.review, key="k", **seen)
    replayed = decide(hotel, held.review, key="k", **seen)

    assert (died.status_code, again.status_code) == (500, 200)
    assert_refused(late, 412, GENERAL + "VERSION_STALE")
    assert (again.json["status"], shown(hotel, held.intent)["status"]) == ("approved", "succeeded")
    assert replayed.data == again.data
    assert len(charges(hotel)) == len(trail(hotel, "review.decided")) == 1
    assert_books_are_right(hotel)


def test_takes_no_other_card_while_it_waits(hotel: Hotel, held: HeldPayment) -> None:
    customer = shown(hotel, held.intent)["customerId"]
    other = a_card(hotel, customer)

    assert_refused(confirm(hotel, held.intent, other), 409, "PAYMENT_METHOD_DIFFERS")
    hotel.charged(shown(hotel, held.intent)["folioId"], cents=1_000)
    hotel.paid(shown(hotel, held.intent)["folioId"], usd(1_100))
    assert hotel.post(f"/folios/{shown(hotel, held.intent)['folioId']}/close").status_code == 200
    assert_refused(decide(hotel, held.review), 409, "FOLIO_CLOSED")
    assert hotel.get(f"/reviews/{held.review}").json["status"] == "open"


def test_the_list_has_the_oldest_first_by_status_and_age(hotel: Hotel, clock: Clock) -> None:
    folio = hotel.open_folio()
    clock("2026-03-01T10:00:00+00:00")
    old = a_held_payment(hotel, folio).review
    clock("2026-03-02T10:00:00+00:00")
    young = a_held_payment(hotel, folio).review
    decide(hotel, old, "refuse")

    def listed(**which: str) -> list[str]:
        return [each["reviewId"] for each in hotel.get("/reviews", **which).json["items"]]

    assert listed() == [old, young]
    assert listed(status="open") == [young]
    assert listed(openedBefore="2026-03-02T00:00:00Z") == [old]
    first = hotel.get("/reviews", limit="1").json
    assert [each["reviewId"] for each in first["items"]] == [old]
    assert listed(cursor=first["nextCursor"]) == [young]
    assert_refused(
        hotel.get("/reviews", cursor="nonsense"), 422, "MELMASTOON.GENERAL.CURSOR_INVALID"
    )
    one = hotel.get(f"/reviews/{young}").json
    assert one == hotel.get("/reviews", status="open").json["items"][0]
    assert [each["name"] for each in one["reasons"]] == ["buyer_often"]


@pytest.mark.req("SEC-2", "SEC-3", "TEN-2")
def test_is_for_who_reviews_at_the_property(hotel: Hotel, house: House, held: HeldPayment) -> None:
    elsewhere = {"token": hotel.token(sub="farid", property_ids=[uuid4()])}
    other = house.new_hotel()

    assert hotel.get("/reviews", **elsewhere).json["items"] == []
    assert_refused(hotel.get(f"/reviews/{held.review}", **elsewhere), 404, "REVIEW_UNKNOWN")
    assert_refused(decide(hotel, held.review, **elsewhere), 404, "REVIEW_UNKNOWN")
    assert_refused(decide(other, held.review), 404, "REVIEW_UNKNOWN")
    desk = {"token": hotel.token("billing.payment.write", sub="farid")}
    assert_refused(decide(hotel, held.review, **desk), 403, "MELMASTOON.IAM.SCOPE_MISSING")
