"""A company account: what a company owes a property, on terms, up to a limit (FOL-10).

What a guest does not pay and the company settles later stands here from the moment that it is
taken off the folio. It is not invoiced yet until the folio closes; then its invoice is an open
item with a due date (`receivable`). What the company paid and nobody gave to an invoice yet is a
credit. The balance is these three, `not_invoiced + open - unallocated`, and the sum of the
account's entries in the ledger.

The account is locked while it changes, behind the folio that it changes with: so two folios that
settle onto it at once stay within its limit together. Credit is what the house gives: an account
whose limit is nothing can use what it paid before, and no more.
"""

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar, TypeVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import (
    CompanyAccountId,
    FolioId,
    InvoiceId,
    PaymentId,
    PropertyId,
    RefundId,
)
from common.domain.money import Currency, Money
from common.domain.payment import Payment
from common.domain.receivable import (
    AccountCredit,
    CreditKind,
    Part,
    Receivable,
)
from common.domain.refund import Refund
from common.domain.refusal import Conflict, Missing


class CompanyAccountUnknown(Missing):
    code = "COMPANY_ACCOUNT_UNKNOWN"
    title = "There is no such company account"


class CompanyAccountNotActive(Conflict):
    code = "COMPANY_ACCOUNT_NOT_ACTIVE"
    title = "The company account takes nothing new"


class CompanyAccountNotSettled(Conflict):
    code = "COMPANY_ACCOUNT_NOT_SETTLED"
    title = "The company account still has something open"


class CreditLimitExceeded(Conflict):
    code = "CREDIT_LIMIT_EXCEEDED"
    title = "The company would owe more than its credit limit"


class AccountStatus(StrEnum):
    """An active account takes debts and payments, one on hold payments only, a closed one none
    until it is opened again."""

    ACTIVE = "active"
    ON_HOLD = "on_hold"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Who owes. May be a person's name and address: never logged, published or hashed."""

    name: str
    address_lines: tuple[str, ...] = ()
    tax_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class AccountFact(Fact):
    """Something that happened to a company account; `balance` is what it owed afterwards."""

    subject: "CompanyAccount" = field(repr=False, compare=False)
    balance: Money


@dataclass(frozen=True, kw_only=True)
class AccountOpened(AccountFact):
    name = "company_account.opened"


@dataclass(frozen=True, kw_only=True)
class AccountChanged(AccountFact):
    name = "company_account.changed"


@dataclass(frozen=True, kw_only=True)
class AccountCharged(AccountFact):
    """A guest's folio was settled onto the account: so much more is owed, not invoiced yet."""

    name = "company_account.charged"
    folio_id: FolioId
    payment_id: PaymentId
    amount: Money


@dataclass(frozen=True, kw_only=True)
class AccountCredited(AccountFact):
    """A settlement was given back. `credit` is there when its invoice had been issued already."""

    name = "company_account.credited"
    folio_id: FolioId
    refund_id: RefundId
    amount: Money
    credit: AccountCredit | None


@dataclass(frozen=True, kw_only=True)
class ReceivableCreated(AccountFact):
    """What was not invoiced is an open item now, or `more` of one that there was.

    `amount` is what it came to, `parts` the settlements that it was made of.
    """

    name = "receivable.created"
    receivable: Receivable
    amount: Money
    parts: tuple[Part, ...]
    more: bool


F = TypeVar("F", bound=AccountFact)


@dataclass(kw_only=True)
class CompanyAccount(Aggregate):
    """See the module. `terms_days` is how long the company has from an invoice's business date."""

    kind: ClassVar[str] = "company_account"
    id: CompanyAccountId
    property_id: PropertyId
    company: Company
    credit_limit: Money
    not_invoiced: Money
    open: Money
    unallocated: Money
    terms_days: int
    status: AccountStatus = AccountStatus.ACTIVE

    def state(self) -> dict[str, object]:
        """What the audit trail digests: nothing personal."""
        return {
            "id": self.id,
            "propertyId": str(self.property_id),
            "currency": self.currency,
            "status": self.status,
            "termsDays": self.terms_days,
            "creditLimitMicro": self.credit_limit.amount_micro,
            "notInvoicedMicro": self.not_invoiced.amount_micro,
            "openMicro": self.open.amount_micro,
            "unallocatedMicro": self.unallocated.amount_micro,
        }

    @classmethod
    def begin(
        cls,
        *,
        id: CompanyAccountId,
        property_id: PropertyId,
        company: Company,
        credit_limit: Money,
        terms_days: int,
    ) -> AccountOpened:
        """Open an account in the currency of its limit; it owes nothing."""
        nothing = Money.zero(credit_limit.currency)
        account = cls(
            id=id,
            property_id=property_id,
            company=company,
            credit_limit=credit_limit,
            not_invoiced=nothing,
            open=nothing,
            unallocated=nothing,
            terms_days=terms_days,
        )
        return account.told(AccountOpened)

    @property
    def currency(self) -> Currency:
        return self.credit_limit.currency

    @property
    def balance(self) -> Money:
        """What the company owes; less than nothing is owed to it."""
        return self.not_invoiced + self.open - self.unallocated

    @property
    def credit_left(self) -> Money:
        """What it may still settle later; less than nothing where its limit was lowered."""
        return self.credit_limit - self.balance

    @property
    def is_settled(self) -> bool:
        """Whether nothing is open on either side."""
        return self.not_invoiced.is_zero and self.open.is_zero and self.unallocated.is_zero

    def change(
        self,
        *,
        company: Company | None = None,
        terms_days: int | None = None,
        credit_limit: Money | None = None,
        status: AccountStatus | None = None,
        reason: str,
    ) -> AccountChanged | None:
        """Change what is given; None where it is so already. Items keep the date they are due on.

        What was closed is opened again first: a company comes back, or is owed something after all.
        Refuses: CurrenciesDiffer (of the limit), CompanyAccountNotActive (it is closed and is not
        opened), CompanyAccountNotSettled (it closes when nothing is open on either side).
        """
        before = (self.company, self.terms_days, self.credit_limit, self.status)
        terms_days = self.terms_days if terms_days is None else terms_days
        limit = (credit_limit or self.credit_limit) + Money.zero(self.currency)
        wanted = (company or self.company, terms_days, limit, status or self.status)
        if wanted == before:
            return None
        if status is None or status is AccountStatus.CLOSED:
            self.must_not_be_closed()
        if status is AccountStatus.CLOSED and not self.is_settled:
            raise CompanyAccountNotSettled(
                balanceMicro=self.balance.amount_micro, currency=self.currency
            )
        self.company, self.terms_days, self.credit_limit, self.status = wanted
        return self.told(AccountChanged, reason=reason)

    def charge(self, payment: Payment, property_id: PropertyId) -> AccountCharged:
        """Owe what a folio of the same property was settled by, in the account's currency.

        Refuses: CompanyAccountUnknown, CompanyAccountNotActive, CurrenciesDiffer,
        CreditLimitExceeded (with what is left of it).
        """
        if property_id != self.property_id:
            raise CompanyAccountUnknown()
        if self.status is not AccountStatus.ACTIVE:
            raise CompanyAccountNotActive(accountStatus=self.status.value)
        nothing = Money.zero(self.currency)
        amount = payment.paid + nothing  # refuses another currency, as of what it is worth:
        if payment.amount + nothing > self.credit_left:
            left = max(self.credit_left, nothing)
            raise CreditLimitExceeded(leftMicro=left.amount_micro, currency=self.currency)
        self.not_invoiced += amount
        return self.told(
            AccountCharged, folio_id=payment.folio_id, payment_id=payment.id, amount=amount
        )

    def give_back(
        self, refund: Refund, *, invoiced: bool, item: Receivable | None = None
    ) -> AccountCredited:
        """Owe less by a settlement that was given back, in full or in part.

        Once its invoice is issued that item stays what it was: what was given back is a credit
        then, to be allocated; what was written off of that `item` it has not paid. Refuses:
        CompanyAccountNotActive (it is closed), InvoiceWrittenOff.
        """
        self.must_not_be_closed()
        if item is not None:
            item.must_not_be_written_off(refund.paid)
        credit = None
        if invoiced:
            credit = AccountCredit(
                id=refund.id,
                account_id=self.id,
                kind=CreditKind.REFUND,
                amount=refund.paid,
                business_date=refund.business_date,
                reference=refund.reference,
            )
            self.unallocated += refund.paid
        else:
            self.not_invoiced -= refund.paid
        return self.told(
            AccountCredited,
            folio_id=refund.folio_id,
            refund_id=refund.id,
            amount=refund.paid,
            credit=credit,
        )

    def invoice(
        self,
        invoice_id: InvoiceId,
        folio_id: FolioId,
        parts: Sequence[Part],
        on: date,
        item: Receivable | None = None,
    ) -> ReceivableCreated:
        """Turn settlements that were not invoiced into an open item, due when the terms are over.

        An `item` of the same invoice becomes more, and is due as before. An account on hold owes
        what it owes all the same. Refuses: CurrenciesDiffer.
        """
        amount = Money.total((part.amount for part in parts), self.currency)
        self.not_invoiced -= amount
        self.open += amount
        new = Receivable(
            account_id=self.id,
            invoice_id=invoice_id,
            folio_id=folio_id,
            amount=amount,
            open=amount,
            issued_on=on,
            due_on=on + timedelta(days=self.terms_days),
        )
        return self.told(
            ReceivableCreated,
            receivable=item.more(amount) if item else new,
            amount=amount,
            parts=tuple(parts),
            more=item is not None,
        )

    def must_not_be_closed(self) -> None:
        """Refuses: CompanyAccountNotActive."""
        if self.status is AccountStatus.CLOSED:
            raise CompanyAccountNotActive(accountStatus=self.status.value)

    def told(self, fact: Callable[..., F], **details: object) -> F:
        """Tell what happened, with what is owed by now."""
        return fact(subject=self, sequence=self.next_sequence(), balance=self.balance, **details)
