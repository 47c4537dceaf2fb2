"""How company accounts read on the wire: who owes what, on which terms, and by which invoices."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from common.contracts.fields import (
    Amount,
    CurrencyCode,
    Day,
    Name,
    Payable,
    Token,
)
from common.contracts.references import (
    AllocationRef,
    CompanyAccountRef,
    CreditNoteRef,
    FolioRef,
    InvoiceRef,
    PropertyRef,
    ReceiptRef,
    SetOffRef,
    WriteOffRef,
)
from common.contracts.shapes import Outcome, Shape
from common.domain.company_account import AccountFact, Company, CompanyAccount
from common.domain.company_settling import (
    AllocationReversed,
    CreditAllocated,
    CreditNoteSetOff,
    ReceiptRecorded,
    ReceivableWrittenOff,
)
from common.domain.identifiers import ReceiptId, SetOffId
from common.domain.receivable import Allocation, Receivable, Share

if TYPE_CHECKING:  # only what takes one back loads it
    from common.domain.write_off_taken_back import WriteOffTakenBack

TermsDays = Annotated[int, Field(ge=0, le=365, examples=[30])]
"""Days from an invoice's business date to the day on which it is due."""

AccountStatusName = Literal["active", "on_hold", "closed"]


class CompanyGiven(Shape):
    """Who owes."""

    name: Name
    address_lines: Annotated[tuple[Name, ...], Field(max_length=6)] = ()
    tax_id: Token | None = None

    def company(self) -> Company:
        return Company(name=self.name, address_lines=self.address_lines, tax_id=self.tax_id)


class CompanyAccountView(Outcome):
    """An account. `balance` is `notInvoiced + open - unallocated`: what the company owes."""

    company_account_id: CompanyAccountRef
    property_id: PropertyRef
    name: str
    address_lines: tuple[str, ...]
    tax_id: str | None
    currency: CurrencyCode
    terms_days: int
    credit_limit: Amount
    status: str = Field(examples=["active"])
    not_invoiced: Amount
    open: Amount
    unallocated: Amount
    balance: Amount
    version: int

    @classmethod
    def of(cls, account: CompanyAccount) -> "CompanyAccountView":
        return cls(**cls.shared(account))

    @staticmethod
    def shared(account: CompanyAccount) -> dict[str, Any]:
        """The fields that every view of it has."""
        return {
            "company_account_id": account.id,
            "property_id": account.property_id,
            "name": account.company.name,
            "address_lines": account.company.address_lines,
            "tax_id": account.company.tax_id,
            "currency": account.currency,
            "terms_days": account.terms_days,
            "credit_limit": account.credit_limit,
            "status": account.status.value,
            "not_invoiced": account.not_invoiced,
            "open": account.open,
            "unallocated": account.unallocated,
            "balance": account.balance,
            "version": account.version,
        }


class ReceivableView(Shape):
    """What an account owes by an invoice; `open` is what is left of it."""

    invoice_id: InvoiceRef
    number: str | None
    folio_id: FolioRef
    amount: Amount
    open: Amount
    issued_on: Day
    due_on: Day

    @classmethod
    def of(cls, item: Receivable) -> "ReceivableView":
        return cls(
            invoice_id=item.invoice_id,
            number=item.number,
            folio_id=item.folio_id,
            amount=item.amount,
            open=item.open,
            issued_on=item.issued_on,
            due_on=item.due_on,
        )


class CompanyAccountWithItems(CompanyAccountView):
    """An account with its open items, what is due first before the others."""

    items: tuple[ReceivableView, ...]

    @classmethod
    def whole(
        cls, account: CompanyAccount, items: tuple[Receivable, ...]
    ) -> "CompanyAccountWithItems":
        views = tuple(ReceivableView.of(item) for item in items)
        return cls(**cls.shared(account), items=views)


class ShareGiven(Shape):
    """So much for the item of an invoice."""

    invoice_id: InvoiceRef
    amount: Payable

    def share(self) -> Share:
        return Share(self.invoice_id, self.amount)


Shares = Annotated[tuple[ShareGiven, ...], Field(max_length=200)]
"""What goes to which invoice; left out, what is due first is paid first."""


class AllocationView(Shape):
    """What went to an invoice; less than nothing takes back the allocation that it `reverses`."""

    allocation_id: AllocationRef
    invoice_id: InvoiceRef
    amount: Amount
    business_date: Day
    reverses: AllocationRef | None

    @classmethod
    def of(cls, allocation: Allocation) -> "AllocationView":
        return cls(
            allocation_id=allocation.id,
            invoice_id=allocation.invoice_id,
            amount=allocation.amount,
            business_date=allocation.business_date,
            reverses=allocation.reverses,
        )


class _Standing(Outcome):
    """Where an account stands after what was done."""

    company_account_id: CompanyAccountRef
    open: Amount
    unallocated: Amount
    balance: Amount
    version: int

    @staticmethod
    def standing(told: AccountFact) -> dict[str, Any]:
        account = told.subject
        return {
            "company_account_id": account.id,
            "open": account.open,
            "unallocated": account.unallocated,
            "balance": told.balance,
            "version": told.sequence,
        }


class AllocationsAnswer(_Standing):
    """The allocations that were made, the items that they changed, and what is left."""

    allocations: tuple[AllocationView, ...]
    items: tuple[ReceivableView, ...]

    @classmethod
    def of(cls, told: CreditAllocated | AllocationReversed) -> "AllocationsAnswer":
        match told:
            case AllocationReversed(allocation=allocation, item=item):
                allocations, items = (allocation,), (item,)
            case CreditAllocated(allocations=allocations, items=items):
                pass
        return cls(
            **cls.standing(told),
            allocations=tuple(AllocationView.of(each) for each in allocations),
            items=tuple(ReceivableView.of(item) for item in items),
        )


class CompanyPaymentAnswer(_Standing):
    """A company's payment, and what it was allocated to."""

    receipt_id: ReceiptRef
    method: str
    amount: Amount
    allocations: tuple[AllocationView, ...]
    items: tuple[ReceivableView, ...]

    @classmethod
    def of(cls, told: ReceiptRecorded) -> "CompanyPaymentAnswer":
        return cls(
            **cls.standing(told),
            receipt_id=ReceiptId(told.credit.id),
            method=told.credit.kind.value,
            amount=told.credit.amount,
            allocations=tuple(AllocationView.of(each) for each in told.allocations),
            items=tuple(ReceivableView.of(item) for item in told.items),
        )

    @property
    def moved_minor_units(self) -> int:
        return self.amount.amount_micro // self.amount.currency.minor_unit_micro


class SetOffAnswer(_Standing):
    """What a credit note came to on the account, and what it paid."""

    set_off_id: SetOffRef
    credit_note_id: CreditNoteRef | None
    amount: Amount
    allocations: tuple[AllocationView, ...]
    items: tuple[ReceivableView, ...]

    @classmethod
    def of(cls, told: CreditNoteSetOff) -> "SetOffAnswer":
        return cls(
            **cls.standing(told),
            set_off_id=SetOffId(told.credit.id),
            credit_note_id=told.credit.credit_note_id,
            amount=told.credit.amount,
            allocations=tuple(AllocationView.of(each) for each in told.allocations),
            items=tuple(ReceivableView.of(item) for item in told.items),
        )

    @property
    def moved_minor_units(self) -> int:
        return self.amount.amount_micro // self.amount.currency.minor_unit_micro


class WriteOffAnswer(_Standing):
    """What was given up of an invoice, and what is left of it; one that `reverses` another takes
    that back, and is less than nothing."""

    write_off_id: WriteOffRef
    amount: Amount
    reverses: WriteOffRef | None
    item: ReceivableView

    @classmethod
    def of(cls, told: "ReceivableWrittenOff | WriteOffTakenBack") -> "WriteOffAnswer":
        return cls(
            **cls.standing(told),
            write_off_id=told.write_off.id,
            amount=told.write_off.amount,
            reverses=told.write_off.reverses,
            item=ReceivableView.of(told.item),
        )

    @property
    def moved_minor_units(self) -> int:
        return abs(self.amount).amount_micro // self.amount.currency.minor_unit_micro
