"""The invariants of payments hold in a hotel that has taken some, in every state (REL-5)."""

import pytest

from tests.hotel import Hotel
from tests.trust.books import broken

pytestmark = pytest.mark.req("REL-5", "GW-3")


def test_a_hotel_with_payments_breaks_none(payments: Hotel) -> None:
    there = payments.rows("SELECT DISTINCT status FROM {s}.payment_intents ORDER BY 1")

    assert broken(payments) == []
    assert [status for (status,) in there] == [
        "failed",
        "processing",
        "requires_action",
        "requires_payment_method",
        "succeeded",
    ]


@pytest.mark.req("FRD-1", "FRD-2")
def test_a_hotel_with_reviews_breaks_none(reviewed: Hotel) -> None:
    states = reviewed.rows("SELECT status FROM {s}.reviews ORDER BY 1")
    courses = reviewed.rows("SELECT DISTINCT course FROM {s}.risk_checks ORDER BY 1")

    assert broken(reviewed) == []
    assert states == [["approved"], ["expired"], ["open"], ["refused"]]
    assert courses == [["challenge"], ["pass"], ["refuse"], ["review"]]
