"""Settling what companies owe: money that they pay, what it is allocated to, and what is given up.

Everything here happens under the account's lock, so that no two payments find the same thing open.
A payment is credited as a whole, and allocated in the same deed: to the items that are named, or
to what is due first. What is left over stays to the account's credit, and is allocated later.

What a person confirms who writes something off is the SHA-256 of a canonical document (RFC 8785):
`deed` is `receivable.write_off`, then `tenant`, `account`, `invoice`, `writeOff`, `amountMicro` and
`currency`. Whoever asks for it makes its id, as with a refund (SEC-4).
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from common.domain.canonical import digest
from common.domain.cash import Confirmed
from common.domain.company_account import AccountFact, CompanyAccount
from common.domain.credit_note import CREDIT_NOTES_PAYABLE
from common.domain.dataclass import dataclass
from common.domain.identifiers import (
    AllocationId,
    CashSessionId,
    CompanyAccountId,
    InvoiceId,
    ReceiptId,
    SetOffId,
    WriteOffId,
)
from common.domain.ledger import Entry, clearing, owed_by
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.payment import NoOpenCashSession, PaymentMethod, ProcessorPaymentMissing
from common.domain.receivable import (
    AccountCredit,
    Allocation,
    AllocationAlreadyReversed,
    CreditExceeded,
    CreditKind,
    CreditNoteAlreadySetOff,
    OpenNote,
    Receivable,
    SetOffExceedsCreditNote,
    Share,
    WriteOff,
    WriteOffExceedsDebt,
    oldest_first,
    settled_by,
)

WRITING_OFF: Final = "receivable.write_off"
BAD_DEBT: Final = "bad_debt"


@dataclass(frozen=True, kw_only=True)
class CreditMoved(AccountFact):
    """Something came to an account's credit, or went of it. `items` are those that the allocations
    changed, as they are by now."""

    credit: AccountCredit
    allocations: tuple[Allocation, ...]
    items: tuple[Receivable, ...]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class ReceiptRecorded(CreditMoved):
    """A company paid."""

    name = "receivable.payment_recorded"


@dataclass(frozen=True, kw_only=True)
class CreditNoteSetOff(CreditMoved):
    """A credit note pays what a company owes, as money would have."""

    name = "receivable.credit_note_set_off"


@dataclass(frozen=True, kw_only=True)
class CreditAllocated(AccountFact):
    name = "receivable.allocated"
    allocations: tuple[Allocation, ...]
    items: tuple[Receivable, ...]


@dataclass(frozen=True, kw_only=True)
class AllocationReversed(AccountFact):
    name = "receivable.allocation_reversed"
    allocation: Allocation
    item: Receivable


@dataclass(frozen=True, kw_only=True)
class ReceivableWrittenOff(AccountFact):
    name = "receivable.written_off"
    write_off: WriteOff
    item: Receivable
    entries: tuple[Entry, ...]


def write_off_sha256(
    tenant_id: UUID,
    account_id: CompanyAccountId,
    invoice_id: InvoiceId,
    write_off_id: WriteOffId,
    amount: Money,
) -> bytes:
    """What is confirmed by whoever writes off: this amount of this invoice, by this write-off."""
    return digest(
        {
            "deed": WRITING_OFF,
            "tenant": str(tenant_id),
            "account": str(account_id),
            "invoice": str(invoice_id),
            "writeOff": str(write_off_id),
            "amountMicro": amount.amount_micro,
            "currency": str(amount.currency),
        }
    )


def receive(
    account: CompanyAccount,
    items: Sequence[Receivable],
    paid: Money,
    moment: Moment,
    *,
    id: ReceiptId,
    kind: CreditKind,
    wanted: Sequence[Share] | None = None,
    reference: str | None = None,
    processor_payment_id: str | None = None,
    cash_session_id: CashSessionId | None = None,
) -> ReceiptRecorded:
    """Take what a company paid, and allocate it: as `wanted`, or to what is due first.

    `items` are those that are open. Of what is `wanted` nothing may exceed the payment itself; what
    it leaves over stays to the account's credit. Refuses: CompanyAccountNotActive (closed),
    CurrenciesDiffer, AmountNotPositive, NoOpenCashSession, ProcessorPaymentMissing,
    ReceivableUnknown, ReceivableExceeded, CreditExceeded.
    """
    account.must_not_be_closed()
    if kind is CreditKind.CASH and cash_session_id is None:
        raise NoOpenCashSession()
    if kind is CreditKind.CARD and not processor_payment_id:
        raise ProcessorPaymentMissing()
    on = moment.settings.property(account.property_id).business_date(moment.now)
    credit = AccountCredit(
        id=id,
        account_id=account.id,
        kind=kind,
        amount=paid + Money.zero(account.currency),  # refuses another currency
        business_date=on,
        reference=reference,
        processor_payment_id=processor_payment_id,
        cash_session_id=cash_session_id,
    )
    shares = oldest_first(items, paid) if wanted is None else wanted
    account.unallocated += paid
    allocations, changed = allocated(account, items, shares, paid, moment, id)
    source = clearing(id, PaymentMethod(kind.value), cash_session_id)
    return account.told(
        ReceiptRecorded,
        credit=credit,
        allocations=allocations,
        items=changed,
        entries=(Entry(id, 0, source, owed_by(account.id), paid, on),),
    )


def set_off(
    account: CompanyAccount,
    item: Receivable,
    note: OpenNote,
    amount: Money | None,
    moment: Moment,
    *,
    id: SetOffId,
) -> CreditNoteSetOff:
    """Set a credit note off: the house owes the customer less, and the company it.

    An amount of it, or all that is left: companies that share an invoice set off each its part. It
    pays its own invoice as far as that is open, and is to the account's credit beyond: what was
    written off nobody has paid, and is nobody's credit. Refuses: CompanyAccountNotActive (closed),
    CreditNoteAlreadySetOff, CurrenciesDiffer, AmountNotPositive, SetOffExceedsCreditNote,
    InvoiceWrittenOff.
    """
    account.must_not_be_closed()
    if note.left.amount_micro <= 0:
        raise CreditNoteAlreadySetOff(creditNoteId=note.id)
    amount = (amount or note.left) + Money.zero(account.currency)  # refuses another currency
    if amount > note.left:
        raise SetOffExceedsCreditNote(
            totalMicro=note.total.amount_micro,
            leftMicro=note.left.amount_micro,
            currency=note.total.currency,
        )
    item.must_not_be_written_off(amount)
    on = moment.settings.property(account.property_id).business_date(moment.now)
    credit = AccountCredit(
        id=id,
        account_id=account.id,
        kind=CreditKind.CREDIT_NOTE,
        amount=amount,
        business_date=on,
        reference=note.number,
        credit_note_id=note.id,
        set_off_before=note.set_off,
    )
    account.unallocated += amount
    shares = oldest_first([item], amount)
    allocations, changed = allocated(account, [item], shares, amount, moment, id)
    return account.told(
        CreditNoteSetOff,
        credit=credit,
        allocations=allocations,
        items=changed,
        entries=(Entry(id, 0, CREDIT_NOTES_PAYABLE, owed_by(account.id), amount, on),),
    )


def allocate(
    account: CompanyAccount,
    items: Sequence[Receivable],
    wanted: Sequence[Share] | None,
    moment: Moment,
) -> CreditAllocated:
    """Give what is left of the account's credit to items: as `wanted`, or to what is due first.

    Refuses: CurrenciesDiffer, AmountNotPositive, ReceivableUnknown, ReceivableExceeded,
    CreditExceeded.
    """
    shares = oldest_first(items, account.unallocated) if wanted is None else wanted
    given = allocated(account, items, shares, account.unallocated, moment, None)
    return account.told(CreditAllocated, allocations=given[0], items=given[1])


def reverse(
    account: CompanyAccount,
    allocation: Allocation,
    item: Receivable,
    moment: Moment,
    *,
    reversed_already: bool,
    reason: str,
) -> AllocationReversed:
    """Take an allocation back as a whole: the item is open again, and the credit is there again.

    Refuses: CompanyAccountNotActive (closed), AllocationAlreadyReversed (also a reversal itself).
    """
    account.must_not_be_closed()
    if reversed_already or allocation.reverses is not None:
        raise AllocationAlreadyReversed(allocationId=allocation.id)
    on = moment.settings.property(account.property_id).business_date(moment.now)
    back = allocation.reversal(moment.new_id(AllocationId), on, reason)
    account.open += allocation.amount
    account.unallocated += allocation.amount
    return account.told(
        AllocationReversed, allocation=back, item=item.less(back.amount), reason=reason
    )


def write_off(
    account: CompanyAccount,
    items: Sequence[Receivable],
    invoice_id: InvoiceId,
    amount: Money,
    moment: Moment,
    *,
    id: WriteOffId,
    reason: str,
    confirmed: Confirmed,
) -> ReceivableWrittenOff:
    """Give up an amount of an item that is still open; `items` are those of the invoice.

    What was credited of it pays first, where that was not allocated: else the house would owe the
    company what it never had of it. Refuses: ReceivableUnknown, CurrenciesDiffer,
    AmountNotPositive, ReceivableExceeded, WriteOffExceedsDebt.
    """
    on = moment.settings.property(account.property_id).business_date(moment.now)
    given_up = WriteOff(
        id=id,
        account_id=account.id,
        invoice_id=invoice_id,
        amount=amount,
        reason=reason,
        confirmed=confirmed,
        business_date=on,
    )
    (left,), _ = settled_by(items, [Share(invoice_id, amount)])
    if amount > left.untouched:
        owed = left.untouched.amount_micro
        raise WriteOffExceedsDebt(owedMicro=owed, currency=account.currency)
    account.open -= amount
    return account.told(
        ReceivableWrittenOff,
        write_off=given_up,
        item=left,
        entries=(Entry(id, 0, BAD_DEBT, owed_by(account.id), amount, on),),
        reason=reason,
    )


def allocated(
    account: CompanyAccount,
    items: Sequence[Receivable],
    shares: Sequence[Share],
    credit: Money,
    moment: Moment,
    credit_id: ReceiptId | SetOffId | None,
) -> tuple[tuple[Allocation, ...], tuple[Receivable, ...]]:
    """The allocations of the shares of a credit, and the items that they change.

    Refuses: CurrenciesDiffer, AmountNotPositive, ReceivableUnknown, ReceivableExceeded,
    CreditExceeded.
    """
    changed, total = settled_by(items, shares)
    if total is None:
        return (), ()
    if total > credit:
        raise CreditExceeded(leftMicro=credit.amount_micro, currency=credit.currency)
    account.open -= total
    account.unallocated -= total
    on = moment.settings.property(account.property_id).business_date(moment.now)
    allocations = tuple(
        Allocation(
            id=moment.new_id(AllocationId),
            account_id=account.id,
            invoice_id=share.invoice_id,
            amount=share.amount,
            business_date=on,
            credit_id=credit_id,
        )
        for share in shares
    )
    return allocations, changed
