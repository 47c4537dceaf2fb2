"""What is taken back, owed, paid, waived and given back, and how it is booked; by hand."""

from datetime import timedelta

import pytest

from common.domain.prepaid_book import book
from common.domain.prepaid_claw_back import ClawBackExceedsGrant, WaiverExceedsDebt
from common.domain.prepaid_reconciliation import CreditSums, differences
from tests.domain.credit_desk import HOUR, Credits

pytestmark = pytest.mark.req("CRD-5")

DAY = timedelta(days=1)


@pytest.mark.req("CRD-5", "BEY-7")
def test_what_was_taken_back_is_exactly_what_was_granted_less_what_expired() -> None:
    """10 bought for a day: 2 spent, 3 moved, 1 of these spent, 4 held; then all are refunded.

    Free are 1 here and 2 there: 3 taken. Spent are 3, promised 4: 7 owed.
    """
    credits = Credits()
    lot = credits.grant(10, "purchase", DAY)
    credits.deduct(2)
    credits.transfer(3)
    credits.deduct(1, "spa")
    credits.hold(4)

    taken = credits.claw_back(lot, 10)

    assert (taken.taken_micro, taken.debt_micro) == (3, 7)
    assert credits.account().debt_micro == 7
    with pytest.raises(ClawBackExceedsGrant):
        credits.claw_back(lot, 1)


@pytest.mark.req("CRD-5")
def test_a_debt_is_paid_by_purchases_until_there_is_none() -> None:
    """7 owed. A gift of 5 pays nothing; 4 bought pay 4, of the next 4 bought 3."""
    credits = Credits()
    lot = credits.grant(7, "purchase")
    credits.deduct(7)
    credits.claw_back(lot, 7)
    for source, owed, available in (
        ("promotion", 7, 5),
        ("renewal", 7, 9),
        ("purchase", 3, 9),
        ("purchase", 0, 10),
    ):
        credits.grant(5 if source == "promotion" else 4, source)
        assert (credits.account().debt_micro, credits.available()) == (owed, available)
    with pytest.raises(WaiverExceedsDebt):
        credits.waive(1)


@pytest.mark.req("CRD-5", "BEY-7")
def test_a_debt_that_was_settled_comes_back_to_whose_it_was() -> None:
    """Owed 5 and 4. 3 waived (of the first), 4 paid (2 of the first, 2 of the second), 2 are owed.

    The second is won first: 2 are owed no more, 2 come back. The first: 2 come back, 3 were waived.
    """
    credits = Credits()
    lots = [credits.grant(micro, "purchase") for micro in (5, 4)]
    credits.deduct(9)
    for lot, micro in zip(lots, (5, 4), strict=True):
        credits.claw_back(lot, micro)
    credits.waive(3)
    credits.grant(4, "purchase")
    assert credits.account().debt_micro == 2

    assert credits.reverse(1) == 2
    assert credits.account().debt_micro == 0
    assert credits.reverse(0) == 2
    assert credits.available() == 4


@pytest.mark.req("CRD-7")
def test_every_movement_is_booked_between_two_accounts_of_the_book() -> None:
    """Bought 10, spent 3, moved 2; 8 taken back (5 there, 3 owed), 1 waived, 2 paid, 1 expired."""
    credits = Credits()
    lot = credits.grant(10, "purchase")
    credits.deduct(3)
    credits.transfer(2)
    credits.claw_back(lot, 10)
    credits.waive(1)
    credits.grant(3, "purchase", HOUR)
    credits.passes(HOUR)
    credits.expire()

    main, spa = (f"outstanding:{credits.account(name).id}" for name in ("main", "spa"))
    owed = f"debt:{credits.account().id}"
    booked = [(b.debit, b.credit, b.amount_micro) for e in credits.entries for b in book(e)]
    assert booked == [
        ("issued", main, 10),
        (main, "spent", 3),
        (main, spa, 2),
        (main, "clawed_back", 5),
        (owed, "clawed_back", 3),
        (spa, "clawed_back", 2),
        ("waived", owed, 1),
        ("issued", main, 3),
        (main, owed, 2),
        (main, "expired", 1),
    ]


@pytest.mark.req("CRD-7")
def test_counts_the_accounts_that_differ_in_something() -> None:
    agreed = {
        "account_id": Credits().account().id,
        **dict.fromkeys(("balance", "balance_by_entries", "balance_by_lots", "balance_by_book"), 7),
        **dict.fromkeys(("held", "held_by_entries", "held_by_lots", "held_by_holds"), 2),
        **dict.fromkeys(("debt", "debt_by_entries", "debt_by_book"), 1),
    }
    sums = [
        CreditSums(**agreed),  # type: ignore[arg-type]
        CreditSums(**{**agreed, "balance_by_lots": 8}),  # type: ignore[arg-type]
        CreditSums(**{**agreed, "balance_by_lots": 6, "held_by_holds": 1}),  # type: ignore[arg-type]
    ]

    assert differences(sums) == {
        "credit_lots_do_not_come_to_the_balance": 2,
        "credits_held_are_not_what_the_holds_hold": 1,
    }
