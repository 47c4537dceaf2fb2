"""Posting a charge: the five tests of a use case, over HTTP on a real PostgreSQL."""

import pytest

from tests.hotel import Hotel, charge, usd


@pytest.mark.req("FOL-3", "FOL-4", "TAX-1")
def test_posts_a_charge_with_its_tax_and_answers_the_balance(hotel: Hotel) -> None:
    """100.00 and 10 % of it: 110.00."""
    folio = hotel.open_folio()

    answer = hotel.post(f"/folios/{folio}/charges", charge("room", 10_000))

    assert answer.status_code == 201, answer.text
    assert answer.json["balance"] == usd(11_000)
    assert [line["amount"] for line in answer.json["lines"]] == [usd(10_000), usd(1_000)]
