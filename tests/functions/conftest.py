"""What the tests of functions share."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.functions.crowd import crowd_at
from tests.hotel import Hotel, House


@pytest.fixture
def busy_hotel(hotel: Hotel, house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hotel]:
    """A hotel whose every further charge comes in a crowd; nobody's limit comes into it."""
    beside = house.beside(rate_limits=False)
    busy = replace(hotel, house=beside)
    crowd_at(busy, monkeypatch)
    yield busy
    beside.close()
