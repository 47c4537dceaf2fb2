"""How the age of debts reads on the wire, and a company account's statement."""

from collections.abc import Iterable
from typing import Literal

from common.contracts.fields import (
    Amount,
    CurrencyCode,
    Day,
    Instant,
)
from common.contracts.references import (
    CompanyAccountRef,
    FolioRef,
    InvoiceRef,
    PropertyRef,
)
from common.contracts.shapes import Outcome, Shape
from common.contracts.statement import IssuerView
from common.domain.account_statement import AccountStatement, Step
from common.domain.ageing import AgedItem, Ageing, Buckets
from common.domain.moment import Moment
from common.domain.money import Currency, Money


class BucketsView(Shape):
    """What was open on the day, by days past due; together it is `open`."""

    not_due: Amount
    days_1_to_30: Amount
    days_31_to_60: Amount
    days_61_to_90: Amount
    over_90: Amount
    open: Amount

    @classmethod
    def of(cls, buckets: Buckets) -> "BucketsView":
        return cls(
            not_due=buckets.not_due,
            days_1_to_30=buckets.days_1_to_30,
            days_31_to_60=buckets.days_31_to_60,
            days_61_to_90=buckets.days_61_to_90,
            over_90=buckets.over_90,
            open=buckets.open,
        )


class AgedItemView(Shape):
    """What was open of an invoice; `daysOverdue` is 0 or less while it is not overdue."""

    invoice_id: InvoiceRef
    number: str
    issued_on: Day
    due_on: Day
    days_overdue: int
    open: Amount

    @classmethod
    def of(cls, item: AgedItem, ageing: Ageing) -> "AgedItemView":
        return cls(
            invoice_id=item.invoice_id,
            number=item.number,
            issued_on=item.issued_on,
            due_on=item.due_on,
            days_overdue=item.days_overdue(ageing.as_of),
            open=item.open,
        )


class AgedAccountView(Shape):
    """An account on the day: `balance` is `notInvoiced + buckets.open - unallocated`."""

    company_account_id: CompanyAccountRef
    name: str
    buckets: BucketsView
    not_invoiced: Amount
    unallocated: Amount
    balance: Amount

    @classmethod
    def of(cls, ageing: Ageing) -> "AgedAccountView":
        return cls(
            company_account_id=ageing.account_id,
            name=ageing.company_name,
            buckets=BucketsView.of(ageing.buckets),
            not_invoiced=ageing.not_invoiced,
            unallocated=ageing.unallocated,
            balance=ageing.balance,
        )


class AgeingView(Outcome):
    """The ageing of one account, item by item."""

    as_of: Day
    account: AgedAccountView
    items: tuple[AgedItemView, ...]

    @classmethod
    def of(cls, ageing: Ageing) -> "AgeingView":
        return cls(
            as_of=ageing.as_of,
            account=AgedAccountView.of(ageing),
            items=tuple(AgedItemView.of(item, ageing) for item in ageing.items),
        )


class AgedTotalView(Shape):
    """All accounts of a property in a currency."""

    currency: CurrencyCode
    buckets: BucketsView
    balance: Amount

    @classmethod
    def all_of(cls, found: Iterable[Ageing]) -> "tuple[AgedTotalView, ...]":
        by_currency: dict[Currency, list[Ageing]] = {}
        for ageing in found:
            by_currency.setdefault(ageing.balance.currency, []).append(ageing)
        return tuple(
            cls(
                currency=currency,
                buckets=BucketsView.of(Buckets.total((each.buckets for each in each_of), currency)),
                balance=Money.total((each.balance for each in each_of), currency),
            )
            for currency, each_of in sorted(by_currency.items())
        )


class StatedEntryView(Shape):
    """What moved the account, and the `balance` that it left."""

    kind: str
    business_date: Day
    amount: Amount
    balance: Amount
    folio_id: FolioRef | None
    number: str | None
    reference: str | None

    @classmethod
    def of(cls, step: Step) -> "StatedEntryView":
        moved = step.moved
        return cls(
            kind=moved.kind.value,
            business_date=moved.business_date,
            amount=moved.amount,
            balance=step.balance,
            folio_id=moved.folio_id,
            number=moved.number,
            reference=moved.reference,
        )


class DebtorView(Shape):
    """Whom it is for."""

    name: str
    address_lines: tuple[str, ...]
    tax_id: str | None


class AccountStatementView(Outcome):
    """A company account's statement, which is not an invoice: it is neither numbered nor signed.

    `closing` is `opening` and all entries; `items` and `buckets` are what was open on the last day.
    """

    document: Literal["account_statement"] = "account_statement"
    is_invoice: Literal[False] = False
    language: str
    stated_at: Instant
    property_id: PropertyRef
    property_name: str
    issuer: IssuerView
    company: DebtorView
    company_account_id: CompanyAccountRef
    currency: CurrencyCode
    first: Day
    last: Day
    opening: Amount
    entries: tuple[StatedEntryView, ...]
    closing: Amount
    buckets: BucketsView
    items: tuple[AgedItemView, ...]

    @classmethod
    def of(cls, statement: AccountStatement, moment: Moment) -> "AccountStatementView":
        """A statement in the tenant's language. Refuses: PropertyUnknown."""
        account, settings, ageing = statement.account, moment.settings, statement.ageing
        house, company = settings.property(account.property_id), account.company
        return cls(
            language=settings.language,
            stated_at=moment.now,
            property_id=house.id,
            property_name=house.name,
            issuer=IssuerView.of(settings.issuer),
            company=DebtorView(
                name=company.name, address_lines=company.address_lines, tax_id=company.tax_id
            ),
            company_account_id=account.id,
            currency=account.currency,
            first=statement.first,
            last=statement.last,
            opening=statement.opening,
            entries=tuple(StatedEntryView.of(step) for step in statement.steps),
            closing=statement.closing,
            buckets=BucketsView.of(ageing.buckets),
            items=tuple(AgedItemView.of(item, ageing) for item in ageing.items),
        )
