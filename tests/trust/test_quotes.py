"""Charged less quoted is nought (BEY-5)."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.hotel import Hotel
from tests.platform_taxing import nobody_sells, somebody_sells
from tests.trust.quotes import play

CHANGES = int(os.environ.get("TRUST_SEEDS", "8"))


@pytest.fixture
def taxed(hotel: Hotel) -> Iterator[Hotel]:
    """A hotel in a house whose platform taxes."""
    nobody_sells(hotel.house)
    somebody_sells(hotel.house)
    yield hotel
    nobody_sells(hotel.house)


@pytest.mark.req("BEY-5")
def test_what_is_charged_is_what_was_quoted(taxed: Hotel, clock: Callable[[str], None]) -> None:
    """A few changes of one subscription; two thousand by the module, over many."""
    assert play(lambda: taxed, CHANGES, 5) == []
