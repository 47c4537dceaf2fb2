"""The double-entry book of prepaid credits, balanced by construction.

Credits are no money: they have no currency of ISO 4217, belong to no property and no business date,
and what one was paid for depends on how it was bought. So they are booked in micro credits and on
their own, by the convention of the ledger of money: one row names the account debited, the account
credited, and one positive amount. `outstanding` is what the house owes in credits, an account of
the book for each account of credits, and grows by credit; `debt` is what is owed to it, and grows
by debit. What settles a guest's bill is owed on, to the house of the folio, in money at the rate of
its payment. At any moment issued = outstanding + spent + owed to houses + expired + clawed back
- owed - waived.
"""

from typing import Final

from common.domain.dataclass import dataclass
from common.domain.identifiers import CreditAccountId
from common.domain.prepaid_account import CreditEntry, EntryKind

ISSUED: Final = "issued"
SPENT: Final = "spent"
EXPIRED: Final = "expired"
CLAWED_BACK: Final = "clawed_back"
WAIVED: Final = "waived"
OWED_TO_HOUSE: Final = "owed_to_house"
"""What settled folios: the house has its worth in money to get, on its `credits_clearing`."""


@dataclass(frozen=True, slots=True)
class BookEntry:
    """So many micro credits from the credited account to the debited one."""

    part: int
    debit: str
    credit: str
    amount_micro: int


def outstanding(account_id: CreditAccountId) -> str:
    """What the house owes an account in credits."""
    return f"outstanding:{account_id}"


def debt(account_id: CreditAccountId) -> str:
    """What an account owes the house, as it spent what was then taken back."""
    return f"debt:{account_id}"


def book(entry: CreditEntry) -> tuple[BookEntry, ...]:
    """How an entry is booked. What moves nothing is not, and a transfer where it leaves."""
    mine, owed = outstanding(entry.account_id), debt(entry.account_id)
    match entry.kind:
        case EntryKind.GRANT:
            pairs = [(ISSUED, mine, entry.amount_micro)]
        case EntryKind.SPEND | EntryKind.CAPTURE:
            pairs = [(mine, SPENT, -entry.amount_micro)]
        case EntryKind.EXPIRE:
            pairs = [(mine, EXPIRED, -entry.amount_micro)]
        case EntryKind.TRANSFER_OUT if entry.counterpart:
            pairs = [(mine, outstanding(entry.counterpart), -entry.amount_micro)]
        case EntryKind.CLAW_BACK:
            pairs = [
                (mine, CLAWED_BACK, -entry.amount_micro),
                (owed, CLAWED_BACK, entry.debt_micro),
            ]
        case EntryKind.GIVE_BACK:
            pairs = [
                (CLAWED_BACK, mine, entry.amount_micro),
                (CLAWED_BACK, owed, -entry.debt_micro),
            ]
        case EntryKind.DEBT_PAID:
            pairs = [(mine, owed, -entry.amount_micro)]
        case EntryKind.REDEEM:
            pairs = [(mine, OWED_TO_HOUSE, -entry.amount_micro)]
        case EntryKind.RESTORE:
            pairs = [(OWED_TO_HOUSE, mine, entry.amount_micro)]
        case EntryKind.DEBT_WAIVED:
            pairs = [(WAIVED, owed, -entry.debt_micro)]
        case _:
            pairs = []
    return tuple(
        BookEntry(part, debit, credit, micro)
        for part, (debit, credit, micro) in enumerate(pairs)
        if micro
    )
