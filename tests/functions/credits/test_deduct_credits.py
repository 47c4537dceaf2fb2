"""Credits are spent exactly, in their order, and never more than there are (CRD-1, CRD-2)."""

import pytest

from tests.hotel import Hotel, House
from tests.prepaying import (
    available,
    balance,
    deduct,
    entries,
    granted,
    lots,
    micro,
    use,
)
from tests.proofs import assert_answers_once, assert_books_are_right, assert_refused, state, told
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("CRD-1")


def test_takes_what_is_asked_for_and_answers_what_is_left(hotel: Hotel) -> None:
    """10 are there, 4 are spent: 6 are left."""
    lot = granted(hotel, 10)

    answer = deduct(hotel, 4)

    assert answer.status_code == 201, answer.text
    shown = answer.json
    assert (shown["account"], shown["availableMicro"]) == ("main", 6_000_000)
    entry = shown["entry"]
    assert (entry["kind"], entry["amountMicro"], entry["balanceMicro"]) == (
        "spend",
        -4_000_000,
        6_000_000,
    )
    assert entry["lots"] == [{"lotId": lot, "amountMicro": -4_000_000, "heldMicro": 0}]
    assert (entry["service"], entry["reference"]) == ("concierge", "chat-1")
    assert available(hotel) == 6_000_000
    assert_books_are_right(hotel)
    assert broken(hotel) == []
