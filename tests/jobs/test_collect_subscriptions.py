"""What subscriptions owe is charged once, and dunned where it is declined (SUB-6, SUB-7, WH-4)."""

from collections.abc import Callable

import pytest

from tests.buying import card
from tests.charging import booked, charges, collect, collection, debts, status
from tests.hotel import Hotel
from tests.subscribing import subscribed
from tests.trust.books import broken

pytestmark = pytest.mark.req("SUB-6", "JOB-1")
Clock = Callable[[str], None]


@pytest.fixture(autouse=True)
def noon(clock: Clock) -> None:
    clock("2026-03-01T12:00:00+00:00")


def test_charges_an_invoice_once_and_books_it(hotel: Hotel) -> None:
    """Pro costs 29.00 a month."""
    subscribed(hotel, paymentMethodId=card(hotel))
    assert debts(hotel) == ["open"]

    collect(hotel)

    assert charges(hotel) == [[1, "succeeded", None, 2_900]]
    assert (debts(hotel), status(hotel)) == (["paid"], "active")
    assert booked(hotel) == [["processor_clearing", "receivable", 2_900]]
    assert collection(hotel)["nextAttemptAt"] is None
    assert broken(hotel) == []
