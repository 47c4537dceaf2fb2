"""Prepaid credits held against themselves: four ways to know what an account has (CRD-7).

The balance that is shown, the sum of its entries, what is left on its lots, and what the book says
is outstanding are one figure; so are what is held and what is owed, each by the ways that know it.
All are read by one statement and held under no lock: what moves meanwhile is in all of them or in
none, so that no traffic looks like a difference. Nothing is repaired but what a
tenant has paid for and lacks: books that repair themselves hide what broke them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.identifiers import CreditAccountId, PaymentIntentId

ENTRIES: Final = "credit_entries_do_not_come_to_the_balance"
LOTS: Final = "credit_lots_do_not_come_to_the_balance"
BOOK: Final = "credit_book_does_not_come_to_the_balance"
HELD: Final = "credits_held_are_not_what_the_holds_hold"
DEBT: Final = "credits_owed_are_not_what_the_book_says"
UNGRANTED: Final = "credits_were_paid_and_not_granted"
UNTAKEN: Final = "credits_were_not_taken_back_with_their_money"
UNPAID: Final = "credits_were_granted_for_a_payment_that_is_not_there"
MISBOOKED: Final = "credits_were_not_booked_as_they_were_paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditSums:
    """What an account has, holds and owes, in micro credits: as it shows it, and as others know it.

    Of what is held the lots and the open holds know, of what is owed the entries and the book.
    """

    account_id: CreditAccountId
    balance: int
    balance_by_entries: int
    balance_by_lots: int
    balance_by_book: int
    held: int
    held_by_entries: int
    held_by_lots: int
    held_by_holds: int
    debt: int
    debt_by_entries: int
    debt_by_book: int

    @property
    def differences(self) -> tuple[str, ...]:
        """What is not as it should be, by name."""
        wrong = {
            ENTRIES: self.balance_by_entries != self.balance,
            LOTS: self.balance_by_lots != self.balance,
            BOOK: self.balance_by_book != self.balance,
            HELD: {self.held_by_entries, self.held_by_lots, self.held_by_holds} != {self.held},
            DEBT: {self.debt_by_entries, self.debt_by_book} != {self.debt},
        }
        return tuple(name for name, is_wrong in wrong.items() if is_wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseDifferences:
    """What is paid without its credits, and has its credits without its money; what was granted
    without a payment, and what was not booked as it was paid.

    Of grants by hand only those are looked at that name a payment intent of ours.
    """

    ungranted: Sequence[PaymentIntentId]
    untaken: Sequence[PaymentIntentId]
    unpaid_grants: int
    misbooked: int


def differences(sums: Iterable[CreditSums]) -> Counter[str]:
    """How many accounts differ in what."""
    return Counter(name for each in sums for name in each.differences)


def purchase_differences(found: PurchaseDifferences) -> Counter[str]:
    """How many purchases, or grants for them, differ in what."""
    counted = {
        UNGRANTED: len(found.ungranted),
        UNTAKEN: len(found.untaken),
        UNPAID: found.unpaid_grants,
        MISBOOKED: found.misbooked,
    }
    return Counter({name: count for name, count in counted.items() if count})
