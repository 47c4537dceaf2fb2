"""A review that nobody has decided for 72 hours has expired, and counts as refused (FRD-2)."""

from collections.abc import Callable

import pytest

from tests.hotel import Hotel
from tests.paying import charges, shown
from tests.proofs import assert_books_are_right, state, told, trail
from tests.together import at_once
from tests.weighing import HeldPayment, a_held_payment, decide, expire

pytestmark = pytest.mark.req("FRD-2", "JOB-1")

Clock = Callable[[str], None]


@pytest.fixture
def held(hotel: Hotel, clock: Clock) -> HeldPayment:
    clock("2026-03-01T10:00:00+00:00")
    return a_held_payment(hotel, hotel.open_folio())


def test_ends_what_nobody_has_decided(hotel: Hotel, held: HeldPayment, clock: Clock) -> None:
    """At 71:59 hours it waits, at 72:01 it is over."""
    clock("2026-03-04T09:59:00+00:00")
    assert expire(hotel).done == 0
    clock("2026-03-04T10:01:00+00:00")

    assert expire(hotel).done == 1

    found = hotel.get(f"/reviews/{held.review}").json
    assert (found["status"], found["decidedBy"]) == ("expired", "system:expire_reviews")
    payment = shown(hotel, held.intent)
    assert (payment["status"], payment["failureCode"]) == ("failed", "not_approved")
    assert told(hotel)[-2:] == ["review.decided", "payment.failed"]
    assert charges(hotel) == []
    assert_books_are_right(hotel)
    before = state(hotel)
    assert expire(hotel).done == 0
    assert state(hotel) == before


def test_leaves_alone_what_was_decided(hotel: Hotel, held: HeldPayment, clock: Clock) -> None:
    decide(hotel, held.review)
    clock("2026-03-08T10:00:00+00:00")

    assert expire(hotel).done == 0
    assert shown(hotel, held.intent)["status"] == "succeeded"


def test_twice_at_once_ends_it_once(hotel: Hotel, held: HeldPayment, clock: Clock) -> None:
    clock("2026-03-05T10:00:00+00:00")

    at_once([lambda: expire(hotel), lambda: expire(hotel), lambda: decide(hotel, held.review)])

    assert len(trail(hotel, "review.decided")) == 1
    assert charges(hotel) == []
    assert_books_are_right(hotel)
