"""Double-entry bookkeeping that is balanced by construction.

One entry names the account that is debited and the account that is credited, and one positive
amount in one currency: there is no way to write down half of a movement. Entries are only ever
added; a correction is a new entry in the other direction.

Convention, fixed from the first day: assets and receivables grow by debit, revenue and liabilities
by credit. A guest's folio is a receivable (`guest_ledger`): charges debit it, payments credit it.
Each session of a cash drawer has an account of its own, so that what should be in the drawer is
never a counter that somebody keeps, but a sum over what happened (CASH-2). So has each company
that settles later: what it owes is the sum of its account (FOL-10).

What a guest has paid beyond what is owed is the guest's, and the house owes it: a liability
(`guest_deposits`) from the moment that it is paid until a charge takes it up or it is given back
(FOL-11). So whenever a folio's balance has moved, what it is in credit by is brought over, and of
every folio the guest ledger holds what is owed and never less than nothing.
"""

from datetime import date
from typing import Final, Protocol

from common.domain.dataclass import dataclass
from common.domain.folio_line import Line, LineType
from common.domain.identifiers import CashSessionId, CompanyAccountId, PropertyId
from common.domain.money import Money
from common.domain.payment import Payment, PaymentMethod

GUEST_LEDGER: Final = "guest_ledger"
GUEST_DEPOSITS: Final = "guest_deposits"
DEPOSITS_IN_TRANSIT: Final = "deposits_in_transit"
"""Between the two folios of a deposit that moves; nothing is left on it when both are kept."""
FX_CLEARING: Final = "fx_clearing"
ROUNDING: Final = "rounding"
CARD_CLEARING: Final = "card_clearing"
"""What the processor holds of guests' card payments for the house."""
REFUNDS_TO_SETTLE: Final = "refunds_to_settle"
"""What the processor gave back of closed folios, until somebody opens them again (WH-5)."""
PAYMENTS_TO_RETURN: Final = "payments_to_return"
"""What came by card for closed folios, until it has gone back (BEY-4): the guest's, and owed."""
DISPUTED_FUNDS: Final = "disputed_funds"
"""What the processor withholds while a bank's claim runs."""
DISPUTE_LOSSES: Final = "dispute_losses"
DISPUTE_FEES: Final = "dispute_fees"
BANK_CLEARING: Final = "bank_clearing"
PAYOUTS_IN_TRANSIT: Final = "payouts_in_transit"
"""What is promised to the tenant's own account, until the processor has paid it (PO-1)."""
CREDITS_CLEARING: Final = "credits_clearing"
"""What the platform owes the house for bills that were settled with prepaid credits (BEY-9)."""
CLEARING: Final = {
    "card": CARD_CLEARING,
    "bank_transfer": BANK_CLEARING,
    "mobile_money": "mobile_money_clearing",
    "voucher": "voucher_liability",
    "city_ledger": "city_ledger",
    "credits": CREDITS_CLEARING,
}


def revenue(kind: str) -> str:
    """The revenue account of a kind of charge."""
    return f"revenue:{kind}"


BROUGHT_OVER: Final = 2
"""The part of the entry that brings deposits over, behind those of a foreign payment (0 and 1)."""

CASH: Final = "cash:"
"""How the accounts of drawer sessions begin; the session's id follows."""


def cash_in(session_id: CashSessionId) -> str:
    """The account of what should be in the drawer of a session, in each currency."""
    return CASH + session_id


CITY_LEDGER: Final = "city_ledger:"
"""How the accounts of companies begin; the company account's id follows."""


def owed_by(account_id: CompanyAccountId) -> str:
    """The account of what a company owes."""
    return CITY_LEDGER + account_id


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

    @property
    def cash_session(self) -> str | None:
        """The id of the drawer session whose cash it moves, if it moves any."""
        return self._named(CASH)

    @property
    def company_account(self) -> str | None:
        """The id of the company account whose debt it moves, if it moves any."""
        return self._named(CITY_LEDGER)

    def _named(self, beginning: str) -> str | None:
        for account in (self.debit, self.credit):
            if account.startswith(beginning):
                return account.removeprefix(beginning)
        return None


class Booked(Protocol):
    """A fact that moved money, as the ledger sees it: whose it is, and its entries."""

    @property
    def subject(self) -> "Account": ...
    @property
    def entries(self) -> tuple[Entry, ...]: ...


class Account(Protocol):
    """What has the entries: a folio, a drawer session or a company account of a property."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def property_id(self) -> PropertyId: ...


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
        case LineType.PAYMENT | LineType.REFUND | LineType.REFUND_REVERSAL:
            raise ValueError(f"{line.id} is booked as a payment, or as what was given back of one")
        case LineType.ROUNDING:
            account = ROUNDING
        case LineType.DEPOSIT_TRANSFER:
            account = DEPOSITS_IN_TRANSIT
        case _:
            account = tax_payable(line.tax.rule_code) if line.tax else revenue(line.kind)
    return (movement(line.id, 0, GUEST_LEDGER, account, line.amount, line.business_date),)


def brought_over(line: Line, more_micro: int) -> tuple[Entry, ...]:
    """So much more of what stands on the line's folio is a deposit by now, or so much less."""
    if not more_micro:
        return ()
    more, on = Money(more_micro, line.amount.currency), line.business_date
    return (movement(line.id, BROUGHT_OVER, GUEST_LEDGER, GUEST_DEPOSITS, more, on),)


def payment_entries(payment: Payment) -> tuple[Entry, ...]:
    """Money came in; in another currency it passes through the FX clearing account.

    Cash lies in the drawer of its session, in the currency that was handed over; what a company
    settles later is owed by its account.
    """
    account = account_of(payment, payment.id, payment.cash_session_id)
    return paid_entries(payment.id, account, payment.paid, payment.amount, payment.business_date)


def paid_entries(
    source: str, account: str, paid: Money, amount: Money, on: date
) -> tuple[Entry, ...]:
    """Money came in, or went out where it is less than nothing; `amount` is its worth on the folio.

    What was worth nothing there has moved all the same, and stays in the FX clearing account.
    """
    if paid.currency == amount.currency:
        return (movement(source, 0, account, GUEST_LEDGER, amount, on),)
    moved = movement(source, 0, account, FX_CLEARING, paid, on)
    if amount.is_zero:
        return (moved,)
    return (moved, movement(source, 1, FX_CLEARING, GUEST_LEDGER, amount, on))


def account_of(payment: Payment, source: str, session_id: CashSessionId | None) -> str:
    """The account that a payment came into, and that its refunds go out of.

    A debt from before there were company accounts names nobody, and stays where it was.
    """
    if payment.company_account_id is not None:
        return owed_by(payment.company_account_id)
    return clearing(source, payment.method, session_id)


def clearing(source: str, method: PaymentMethod, session_id: CashSessionId | None) -> str:
    """The account that money of a method comes into, and goes out of."""
    if method is not PaymentMethod.CASH:
        return CLEARING[method]
    if session_id is None:
        raise ValueError(f"{source} is cash that lies in no drawer")
    return cash_in(session_id)
