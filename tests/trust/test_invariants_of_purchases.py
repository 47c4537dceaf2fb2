"""The invariants of purchases hold in a hotel that has bought credits, in every state (REL-5)."""

import pytest

from tests.hotel import Hotel
from tests.trust.books import broken

pytestmark = pytest.mark.req("REL-5", "CRD-7")


def test_a_hotel_with_purchases_breaks_none(bought: Hotel) -> None:
    there = bought.rows("SELECT DISTINCT status FROM {s}.credit_purchases ORDER BY 1")

    assert broken(bought) == []
    assert [status for (status,) in there] == [
        "failed",
        "processing",
        "requires_action",
        "succeeded",
    ]
