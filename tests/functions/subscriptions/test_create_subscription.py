"""A tenant subscribes once, is invoiced in advance, and is granted its credits (SUB-1 to SUB-4)."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.prepaying import lots
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.subscribing import (
    SCOPE,
    act,
    ask,
    invoices,
    shown,
    staff,
    subscribe,
    subscribed,
)
from tests.together import at_once
from tests.trust.books import broken

Clock = Callable[[str], None]


@pytest.mark.req("SUB-3", "SUB-11")
def test_subscribes_a_tenant_and_bills_its_first_period(hotel: Hotel, clock: Clock) -> None:
    """Pro from 31 January, noon in Kabul (07:30 UTC): 29.00 until 28 February, and 1,000 credits.
    """
    clock("2026-01-31T07:30:00+00:00")

    answer = subscribed(hotel, "pro", timeZone="Asia/Kabul", reason="They asked for it")

    mine = answer["subscription"]
    assert (mine["status"], mine["terms"]["fee"]) == ("active", usd(2_900))
    assert mine["period"] == {"start": "2026-01-31T07:30:00Z", "end": "2026-02-28T07:30:00Z"}
    bill = answer["invoice"]["bill"]
    assert [line["kind"] for line in bill["lines"]] == ["plan_fee"]
    assert (bill["total"], bill["due"], answer["invoice"]["status"]) == (
        usd(2_900),
        usd(2_900),
        "open",
    )
    assert lots(hotel) == [["renewal", 1_000, 0]]
    told_of = ("subscription.created", "credits.granted", "subscription_invoice.issued")
    assert tuple(told(hotel))[-3:] == told_of
    assert trail(hotel, "subscription.created")[0]["reason"] == "They asked for it"
    following = shown(hotel)["nextInvoice"]
    assert (following["periodNumber"], following["due"]) == (2, usd(2_900))
    assert_books_are_right(hotel)
    assert broken(hotel) == []
