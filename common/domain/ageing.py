"""How old debts are: what of each company's items was open on a day, by how long it was overdue.

It is worked out from what happened and when (each item, allocation and write-off has its business
date), never from what is open now: so a day that is over is answered the same whenever it is asked.
An item that is due on the day itself is not overdue yet; the day after, it is one day past due.
"""

from collections.abc import Iterable
from datetime import date

from common.domain.dataclass import dataclass
from common.domain.identifiers import CompanyAccountId, InvoiceId
from common.domain.money import Currency, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AgedItem:
    """What was open of an invoice on the day that was asked for."""

    account_id: CompanyAccountId
    invoice_id: InvoiceId
    number: str
    issued_on: date
    due_on: date
    open: Money

    def days_overdue(self, as_of: date) -> int:
        """Days past due: 0 or less while it is not."""
        return (as_of - self.due_on).days


@dataclass(frozen=True, slots=True)
class Buckets:
    """What was open, by days past due. Together they are all that was invoiced and open."""

    not_due: Money
    days_1_to_30: Money
    days_31_to_60: Money
    days_61_to_90: Money
    over_90: Money

    @classmethod
    def of(cls, items: Iterable[AgedItem], as_of: date, currency: Currency) -> "Buckets":
        """Refuses: CurrenciesDiffer."""
        sums = [Money.zero(currency)] * 5
        for item in items:
            sums[_place(item.days_overdue(as_of))] += item.open
        return cls(*sums)

    @classmethod
    def total(cls, found: "Iterable[Buckets]", currency: Currency) -> "Buckets":
        """Several accounts together. Refuses: CurrenciesDiffer."""
        nothing = Money.zero(currency)
        columns = zip(*(each.parts for each in found), strict=True)
        return cls(*(sum(column, start=nothing) for column in columns))

    @property
    def parts(self) -> tuple[Money, ...]:
        """From what is not due to what is oldest."""
        return (
            self.not_due,
            self.days_1_to_30,
            self.days_31_to_60,
            self.days_61_to_90,
            self.over_90,
        )

    @property
    def open(self) -> Money:
        """All of it."""
        return Money.total(self.parts, self.not_due.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """An account on a day: `balance` is `not_invoiced + buckets.open - unallocated`."""

    account_id: CompanyAccountId
    company_name: str
    as_of: date
    buckets: Buckets
    items: tuple[AgedItem, ...]
    not_invoiced: Money
    unallocated: Money
    balance: Money

    @property
    def is_settled(self) -> bool:
        """Whether nothing was open on either side."""
        return not self.items and self.not_invoiced.is_zero and self.unallocated.is_zero


def aged(
    account_id: CompanyAccountId,
    company_name: str,
    as_of: date,
    items: Iterable[AgedItem],
    balance: Money,
    unallocated: Money,
) -> Ageing:
    """An account's ageing; `balance` is what the ledger held against it at the end of the day.

    What the ledger has beyond the items, less the credit, was not invoiced yet.
    Refuses: CurrenciesDiffer.
    """
    held = tuple(item for item in items if not item.open.is_zero)
    buckets = Buckets.of(held, as_of, balance.currency)
    return Ageing(
        account_id=account_id,
        company_name=company_name,
        as_of=as_of,
        buckets=buckets,
        items=held,
        not_invoiced=balance - buckets.open + unallocated,
        unallocated=unallocated,
        balance=balance,
    )


def _place(days: int) -> int:
    """The bucket of so many days past due."""
    if days <= 0:
        return 0
    return min(1 + (days - 1) // 30, 4)
