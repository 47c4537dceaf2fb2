"""In whatever order usage is told, how often and how late: the same invoice (SUB-12)."""

import pytest

from tests.hotel import House
from tests.trust.usage_orders import play


@pytest.mark.req("SUB-12")
def test_usage_in_another_order_makes_the_same_invoices(house: House) -> None:
    """2,000 events, a fifth of them twice and a tenth late; a hundred thousand by the module."""
    assert play(house, 2_000, 7) == []
