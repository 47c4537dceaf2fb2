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
        "succeeded",
    ]
