"""A company account's statement: what it owed, what moved it day by day, and what it owes.

It is read from the account's entries in the ledger, so that it adds up to the books by itself: a
folio that was settled onto it, a settlement that was given back, a payment, a credit note, what was
written off. An allocation moves nothing and is not in it; which invoices are open, and for how
long, stands below, as of the last day. It is drawn for who asks and kept nowhere, as a folio's is.
"""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from common.domain.ageing import Ageing
from common.domain.company_account import CompanyAccount
from common.domain.dataclass import dataclass
from common.domain.identifiers import FolioId
from common.domain.money import Money
from common.domain.refusal import Unmet


class PeriodInvalid(Unmet):
    code = "PERIOD_INVALID"
    title = "The period ends before it begins"


class EntryKind(StrEnum):
    """What moved the account."""

    SETTLEMENT = "settlement"
    REFUND = "refund"
    PAYMENT = "payment"
    WRITE_OFF = "write_off"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An entry: more than nothing is owed by it, less than nothing was paid or given up."""

    source: str
    kind: EntryKind
    business_date: date
    amount: Money
    folio_id: FolioId | None
    number: str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """An entry, and the balance that it left."""

    moved: Moved
    balance: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatement:
    """See the module. Both days are in it; `closing` is `opening` and all that moved."""

    account: CompanyAccount
    first: date
    last: date
    opening: Money
    steps: tuple[Step, ...]
    closing: Money
    ageing: Ageing


def must_be_a_period(first: date, last: date) -> None:
    """Refuses: PeriodInvalid."""
    if last < first:
        raise PeriodInvalid()


def account_statement_of(
    account: CompanyAccount,
    first: date,
    last: date,
    opening: Money,
    moved: Iterable[Moved],
    ageing: Ageing,
) -> AccountStatement:
    """State an account by what moved it, in its order. Refuses: CurrenciesDiffer."""
    balance, steps = opening, []
    for each in moved:
        balance += each.amount
        steps.append(Step(each, balance))
    return AccountStatement(
        account=account,
        first=first,
        last=last,
        opening=opening,
        steps=tuple(steps),
        closing=balance,
        ageing=ageing,
    )
