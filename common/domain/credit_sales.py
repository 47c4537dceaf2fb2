"""The money of credits that were sold, in a double-entry book of its own (MON-6, BEY-9).

Credits are sold by the platform, and not by a house: their money is on no folio, of no property and
of no business date, and would falsify a hotel's trial balance. So it is booked by the ledger's own
convention beside it: one row names the account debited, the account credited, and one positive
amount. What the processor holds for the platform grows by debit, and what was sold is owed in
credits until they are spent: it grows by credit. Meets the book of credits by its key: `source` is
the key under which the credits were granted, or taken back.

A dispute that is won brings its money back, once: the second part of its source.
"""

from typing import Final

from common.domain.dataclass import dataclass
from common.domain.money import Money

PROCESSOR: Final = "processor_clearing"
SOLD: Final = "credits_sold"
MOVED, RETURNED = 0, 1


@dataclass(frozen=True, slots=True)
class SaleEntry:
    """So much money from the credited account to the debited one."""

    source: str
    part: int
    debit: str
    credit: str
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.amount_micro <= 0:
            raise ValueError(f"an entry moves a positive amount, not {self.amount}")


def sold(source: str, amount: Money) -> SaleEntry:
    """A purchase was paid."""
    return SaleEntry(source, MOVED, PROCESSOR, SOLD, amount)


def taken_back(source: str, amount: Money) -> SaleEntry:
    """The money of a purchase went back, or is withheld: a refund, or a dispute."""
    return SaleEntry(source, MOVED, SOLD, PROCESSOR, amount)


def returned(source: str, amount: Money) -> SaleEntry:
    """What was withheld came back: the dispute was won."""
    return SaleEntry(source, RETURNED, PROCESSOR, SOLD, amount)
