"""Double-entry bookkeeping that is balanced by construction.

One entry names the account that is debited and the account that is credited, and one positive
amount in one currency: there is no way to write down half of a movement. Entries are only ever
added; a correction is a new entry in the other direction.

Convention, fixed from the first day: assets and receivables grow by debit, revenue and liabilities
by credit. A guest's folio is a receivable (`guest_ledger`): charges debit it, payments credit it.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from common.domain.money import Money

GUEST_LEDGER: Final = "guest_ledger"
FX_CLEARING: Final = "fx_clearing"
ROUNDING: Final = "rounding"
CLEARING: Final = {
    "card": "card_clearing",
    "bank_transfer": "bank_clearing",
    "mobile_money": "mobile_money_clearing",
    "voucher": "voucher_liability",
    "cash": "cash_in_drawer",
    "city_ledger": "city_ledger",
}


def revenue(kind: str) -> str:
    """The revenue account of a kind of charge."""
    return f"revenue:{kind}"


def tax_payable(code: str) -> str:
    """What is owed to the tax office under a rule."""
    return f"tax_payable:{code}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement of a positive amount from the credited account to the debited one.

    `source` is the id of the line that caused it and `part` numbers its entries: together they are
    unique in the database, so that nothing is booked twice.
    """

    source: str
    part: int
    debit: str
    credit: str
    amount: Money
    business_date: date

    def __post_init__(self) -> None:
        if self.amount.amount_micro <= 0:
            raise ValueError(f"an entry moves a positive amount, not {self.amount}")
        if self.debit == self.credit:
            raise ValueError(f"an entry needs two accounts, not {self.debit} twice")


def movement(
    source: str, part: int, debit: str, credit: str, amount: Money, business_date: date
) -> Entry:
    """Book a signed amount: a negative one turns the entry round."""
    if amount.amount_micro < 0:
        return Entry(source, part, credit, debit, -amount, business_date)
    return Entry(source, part, debit, credit, amount, business_date)
