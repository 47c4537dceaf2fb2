"""Signals are shown, and reviewed once by somebody else (AI-1)."""

from typing import Any

import pytest

from tests.hotel import Hotel, House, new_id
from tests.proofs import assert_books_are_right, assert_refused, state, trail
from tests.signals import a_signal
from tests.together import at_once

pytestmark = pytest.mark.req("AI-1")
LOOKED = {"verdict": "dismissed", "note": "The coin counter was broken"}


def review(hotel: Hotel, signal: str, by: str = "farid", **more: Any) -> Any:
    body = {**LOOKED, **more}
    return hotel.post(f"/ai-signals/{signal}/review", body, token=hotel.token(sub=by))


def test_a_review_says_who_looked_and_why(hotel: Hotel) -> None:
    signal = a_signal(hotel)

    answer = review(hotel, signal)

    assert answer.status_code == 200, answer.text
    shown = answer.json
    assert (shown["verdict"], shown["reviewedBy"]) == ("dismissed", "farid")
    assert shown["reviewNote"] == LOOKED["note"]
    assert hotel.get("/ai-signals", reviewed="true").json["items"] == [shown]
    assert hotel.get("/ai-signals", reviewed="false").json["items"] == []
    (entry,) = trail(hotel, "ai_signal.reviewed")
    assert (entry["actor"], entry["reason"]) == ("farid", LOOKED["note"])
    assert_books_are_right(hotel)


def test_is_reviewed_once_and_not_by_whom_it_is_about(hotel: Hotel) -> None:
    signal = a_signal(hotel, actor="karim")
    before = state(hotel)

    assert_refused(review(hotel, signal, by="karim"), 409, "SIGNAL_OF_ONESELF")
    assert_refused(review(hotel, new_id("sig")), 404, "SIGNAL_UNKNOWN")
    assert state(hotel) == before
    assert review(hotel, signal).status_code == 200
    assert_refused(review(hotel, signal, by="nadia"), 409, "SIGNAL_REVIEWED")


def test_two_managers_at_once_leave_one_verdict(hotel: Hotel) -> None:
    signal = a_signal(hotel)

    answers = at_once(
        [
            lambda: review(hotel, signal, by="farid"),
            lambda: review(hotel, signal, by="nadia", verdict="confirmed"),
        ]
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(trail(hotel, "ai_signal.reviewed")) == 1
    assert_books_are_right(hotel)


@pytest.mark.req("API-4")
def test_a_retry_is_answered_the_same(hotel: Hotel) -> None:
    signal, key = a_signal(hotel), "review-1"

    first, again = (
        hotel.post(f"/ai-signals/{signal}/review", LOOKED, key=key, token=hotel.token(sub="farid"))
        for _ in range(2)
    )

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.data == again.data


@pytest.mark.req("SEC-2", "SEC-3", "TEN-2")
def test_is_for_who_reviews_signals_of_the_property(hotel: Hotel, house: House) -> None:
    signal, other = a_signal(hotel), house.new_hotel()

    assert hotel.get("/ai-signals", pattern="quick_refunds").json["items"] == []
    assert len(hotel.get("/ai-signals", pattern="variance_trend").json["items"]) == 1
    assert other.get("/ai-signals").json["items"] == []
    assert_refused(review(other, signal), 404, "SIGNAL_UNKNOWN")
    blind = hotel.get("/ai-signals", token=hotel.token("billing.report.read"))
    assert_refused(blind, 403, "MELMASTOON.IAM.SCOPE_MISSING")
