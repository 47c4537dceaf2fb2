"""A hotel to attack, and its books, which an attack must not change."""

from collections.abc import Iterator

import pytest

from tests.hotel import House
from tests.security.books import books_of
from tests.security.calls import Calls


@pytest.fixture(scope="module")
def calls(house: House) -> Calls:
    made = Calls.of(house.new_hotel())
    assert made.tills  # before anybody looks at the books
    assert made.sending
    return made


@pytest.fixture
def unchanged(calls: Calls) -> Iterator[None]:
    """The books are the same before and after."""
    before = books_of(calls.hotel.house, calls.hotel.tenant_id)
    yield
    assert books_of(calls.hotel.house, calls.hotel.tenant_id) == before
