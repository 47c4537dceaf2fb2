"""What the house is told about its company accounts; who the company is can be asked for."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Self

from common.contracts.event import EventData
from common.contracts.fields import Amount, Day
from common.contracts.references import (
    AllocationRef,
    CompanyAccountRef,
    CreditNoteRef,
    FolioRef,
    InvoiceRef,
    PaymentRef,
    PropertyRef,
    ReceiptRef,
    RefundRef,
    SetOffRef,
    WriteOffRef,
)
from common.contracts.shapes import Shape
from common.domain.identifiers import ReceiptId, SetOffId

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.company_account import (
        AccountChanged,
        AccountCharged,
        AccountCredited,
        AccountFact,
        AccountOpened,
        ReceivableCreated,
    )
    from common.domain.company_settling import (
        AllocationReversed,
        CreditAllocated,
        CreditNoteSetOff,
        ReceiptRecorded,
        ReceivableWrittenOff,
    )
    from common.domain.company_taking_back import ReceiptGivenAgain, ReceiptTakenBack
    from common.domain.receivable import Allocation
    from common.domain.write_off_taken_back import WriteOffTakenBack


class AllocationData(Shape):
    """A part of an account's credit that went to an invoice, or was taken back from it."""

    allocation_id: AllocationRef
    invoice_id: InvoiceRef
    amount: Amount

    @classmethod
    def of(cls, allocation: "Allocation") -> "AllocationData":
        return cls(
            allocation_id=allocation.id,
            invoice_id=allocation.invoice_id,
            amount=allocation.amount,
        )

    @classmethod
    def all_of(cls, allocations: "Iterable[Allocation]") -> "tuple[AllocationData, ...]":
        return tuple(cls.of(each) for each in allocations)


class _Account(EventData):
    """`balance` is what the company owed afterwards."""

    company_account_id: CompanyAccountRef
    property_id: PropertyRef
    balance: Amount

    @classmethod
    def shared(cls, fact: "AccountFact") -> dict[str, Any]:
        account = fact.subject
        return {
            "company_account_id": account.id,
            "property_id": account.property_id,
            "balance": fact.balance,
        }


class _Terms(_Account):
    status: str
    terms_days: int
    credit_limit: Amount

    @classmethod
    def shared(cls, fact: "AccountFact") -> dict[str, Any]:
        account = fact.subject
        return {
            **super().shared(fact),
            "status": account.status.value,
            "terms_days": account.terms_days,
            "credit_limit": account.credit_limit,
        }


class CompanyAccountOpenedV1(_Terms):
    fact = "company_account.opened"

    @classmethod
    def of(cls, fact: "AccountOpened") -> "CompanyAccountOpenedV1":
        return cls(**cls.shared(fact))


class CompanyAccountChangedV1(_Terms):
    fact = "company_account.changed"
    reason: str | None

    @classmethod
    def of(cls, fact: "AccountChanged") -> "CompanyAccountChangedV1":
        return cls(**cls.shared(fact), reason=fact.reason)


class CompanyAccountChargedV1(_Account):
    """A folio was settled onto the account; it is not invoiced yet."""

    fact = "company_account.charged"
    folio_id: FolioRef
    payment_id: PaymentRef
    amount: Amount

    @classmethod
    def of(cls, fact: "AccountCharged") -> "CompanyAccountChargedV1":
        return cls(
            **cls.shared(fact),
            folio_id=fact.folio_id,
            payment_id=fact.payment_id,
            amount=fact.amount,
        )


class CompanyAccountCreditedV1(_Account):
    """A settlement was given back; `invoiced` says that it is a credit, to be allocated."""

    fact = "company_account.credited"
    folio_id: FolioRef
    refund_id: RefundRef
    amount: Amount
    invoiced: bool

    @classmethod
    def of(cls, fact: "AccountCredited") -> "CompanyAccountCreditedV1":
        return cls(
            **cls.shared(fact),
            folio_id=fact.folio_id,
            refund_id=fact.refund_id,
            amount=fact.amount,
            invoiced=fact.credit is not None,
        )


class ReceivableCreatedV1(_Account):
    """So much is owed by the invoice from now on, or so much more of it."""

    fact = "receivable.created"
    invoice_id: InvoiceRef
    folio_id: FolioRef
    amount: Amount
    issued_on: Day
    due_on: Day

    @classmethod
    def of(cls, fact: "ReceivableCreated") -> "ReceivableCreatedV1":
        item = fact.receivable
        return cls(
            **cls.shared(fact),
            invoice_id=item.invoice_id,
            folio_id=item.folio_id,
            amount=fact.amount,
            issued_on=item.issued_on,
            due_on=item.due_on,
        )


class ReceivablePaymentRecordedV1(_Account):
    """A company paid. What no allocation takes stays to its credit."""

    fact = "receivable.payment_recorded"
    receipt_id: ReceiptRef
    method: str
    amount: Amount
    allocations: tuple[AllocationData, ...]

    @classmethod
    def of(cls, fact: "ReceiptRecorded") -> "ReceivablePaymentRecordedV1":
        return cls(
            **cls.shared(fact),
            receipt_id=ReceiptId(fact.credit.id),
            method=fact.credit.kind.value,
            amount=fact.credit.amount,
            allocations=AllocationData.all_of(fact.allocations),
        )


class _ReceiptMoved(_Account):
    receipt_id: ReceiptRef | None
    kind: str
    amount: Amount
    allocations: tuple[AllocationData, ...]

    @classmethod
    def of(cls, fact: "ReceiptTakenBack | ReceiptGivenAgain") -> Self:
        return cls(
            **cls.shared(fact),
            receipt_id=fact.credit.takes_back,
            kind=fact.credit.kind.value,
            amount=fact.credit.amount,
            allocations=AllocationData.all_of(fact.allocations),
        )


class ReceivablePaymentTakenBackV1(_ReceiptMoved):
    """A company's card payment was taken back, `disputed` or `refunded_there`: it owes so much
    again. `amount` is less than nothing."""

    fact = "receivable.payment_taken_back"


class ReceivablePaymentGivenAgainV1(_ReceiptMoved):
    """What was taken back of a company's payment is to its credit again: `dispute_won`, or
    `refund_failed` where the refund failed after it was made."""

    fact = "receivable.payment_given_again"


class ReceivableCreditNoteSetOffV1(_Account):
    """A credit note pays what the company owes, as money would have."""

    fact = "receivable.credit_note_set_off"
    set_off_id: SetOffRef
    credit_note_id: CreditNoteRef | None
    amount: Amount
    allocations: tuple[AllocationData, ...]

    @classmethod
    def of(cls, fact: "CreditNoteSetOff") -> "ReceivableCreditNoteSetOffV1":
        return cls(
            **cls.shared(fact),
            set_off_id=SetOffId(fact.credit.id),
            credit_note_id=fact.credit.credit_note_id,
            amount=fact.credit.amount,
            allocations=AllocationData.all_of(fact.allocations),
        )


class ReceivableAllocatedV1(_Account):
    fact = "receivable.allocated"
    allocations: tuple[AllocationData, ...]

    @classmethod
    def of(cls, fact: "CreditAllocated") -> "ReceivableAllocatedV1":
        allocations = AllocationData.all_of(fact.allocations)
        return cls(**cls.shared(fact), allocations=allocations)


class ReceivableAllocationReversedV1(_Account):
    fact = "receivable.allocation_reversed"
    allocation: AllocationData
    reverses: AllocationRef | None
    reason: str | None

    @classmethod
    def of(cls, fact: "AllocationReversed") -> "ReceivableAllocationReversedV1":
        return cls(
            **cls.shared(fact),
            allocation=AllocationData.of(fact.allocation),
            reverses=fact.allocation.reverses,
            reason=fact.reason,
        )


class ReceivableWrittenOffV1(_Account):
    fact = "receivable.written_off"
    write_off_id: WriteOffRef
    invoice_id: InvoiceRef
    amount: Amount
    written_off_by: str
    reason: str | None

    @classmethod
    def of(cls, fact: "ReceivableWrittenOff") -> "ReceivableWrittenOffV1":
        write_off = fact.write_off
        return cls(
            **cls.shared(fact),
            write_off_id=write_off.id,
            invoice_id=write_off.invoice_id,
            amount=write_off.amount,
            written_off_by=write_off.confirmed.by,
            reason=fact.reason,
        )


class ReceivableWriteOffTakenBackV1(_Account):
    """The company owes again what was given up; `amount` is more than nothing."""

    fact = "receivable.write_off_taken_back"
    write_off_id: WriteOffRef
    reverses: WriteOffRef | None
    invoice_id: InvoiceRef
    amount: Amount
    taken_back_by: str
    reason: str | None

    @classmethod
    def of(cls, fact: "WriteOffTakenBack") -> "ReceivableWriteOffTakenBackV1":
        write_off = fact.write_off
        return cls(
            **cls.shared(fact),
            write_off_id=write_off.id,
            reverses=write_off.reverses,
            invoice_id=write_off.invoice_id,
            amount=-write_off.amount,
            taken_back_by=write_off.confirmed.by,
            reason=fact.reason,
        )


RECEIVABLE_EVENTS: Final = (
    CompanyAccountOpenedV1,
    CompanyAccountChangedV1,
    CompanyAccountChargedV1,
    CompanyAccountCreditedV1,
    ReceivableCreatedV1,
    ReceivablePaymentRecordedV1,
    ReceivablePaymentTakenBackV1,
    ReceivablePaymentGivenAgainV1,
    ReceivableCreditNoteSetOffV1,
    ReceivableAllocatedV1,
    ReceivableAllocationReversedV1,
    ReceivableWrittenOffV1,
    ReceivableWriteOffTakenBackV1,
)
