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

from common.domain.folio_line import Line, LineType
from common.domain.money import Money
from common.domain.payment import Payment

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


def line_entries(line: Line) -> tuple[Entry, ...]:
    """The ledger entries of a line: the guest owes it, the house earns it or owes it on.

    A line of nothing (a tax below half a minor unit) moves nothing. A payment's entries come from
    the payment, which knows what was handed over.
    """
    if line.amount.is_zero:
        return ()
    match line.type:
        case LineType.PAYMENT:
            raise ValueError(f"{line.id} is booked as a payment")
        case LineType.ROUNDING:
            account = ROUNDING
        case _:
            account = tax_payable(line.tax.rule_code) if line.tax else revenue(line.kind)
    return (movement(line.id, 0, GUEST_LEDGER, account, line.amount, line.business_date),)


def payment_entries(payment: Payment) -> tuple[Entry, ...]:
    """Money came in; in another currency it passes through the FX clearing account."""
    clearing, on = CLEARING[payment.method], payment.business_date
    if not payment.is_foreign:
        return (movement(payment.id, 0, clearing, GUEST_LEDGER, payment.amount, on),)
    return (
        movement(payment.id, 0, clearing, FX_CLEARING, payment.paid, on),
        movement(payment.id, 1, FX_CLEARING, GUEST_LEDGER, payment.amount, on),
    )
