"""In whatever order usage is told, how often and how late: the same invoice (SUB-12)."""

import pytest

from tests.hotel import Hotel, House
from tests.metering import usage_lines
from tests.trust.books import broken
from tests.trust.usage_orders import play


@pytest.mark.req("SUB-12")
def test_usage_in_another_order_makes_the_same_invoices(house: House) -> None:
    """2,000 events, a fifth of them twice and a tenth late; a hundred thousand by the module."""
    assert play(house, 2_000, 7) == []


def test_a_hotel_with_usage_breaks_none(metered: Hotel) -> None:
    """Of a period that is over and billed, of the one that runs, and some that came late."""
    assert broken(metered) == []
    assert usage_lines(metered) == [
        [2, "usage", "active_users", 1, 2, 200],
        [2, "usage", "ai_tokens", 1, 100, 100],
    ]
