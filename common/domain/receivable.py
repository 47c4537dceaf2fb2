"""What a company has to pay by an invoice, and what came in that pays it.

An item is open from the close of the folio until it is paid, or written off. What came to an
account's credit (money that the company paid, or a settlement that was given back after its
invoice) is one sum, in which nobody asks whose coin is whose; an allocation gives a part of it to
one item. Nothing is deleted: an allocation that was wrong is reversed by another one that names it.

Every movement has its business date, and none is ever dated back: so what was open at the end of a
day that is over is the same whenever it is asked (`ageing`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from datetime import date
from enum import StrEnum

from common.domain.cash import Confirmed
from common.domain.dataclass import dataclass
from common.domain.identifiers import (
    AllocationId,
    CashSessionId,
    CompanyAccountId,
    CreditNoteId,
    FolioId,
    Identifier,
    InvoiceId,
    PaymentId,
    ReceiptId,
    SetOffId,
    WriteOffId,
)
from common.domain.money import AmountNotPositive, Money
from common.domain.refusal import Conflict, Missing


class TakenBackId(Identifier):
    """What was taken back of a company's card payment, or given again."""

    __slots__ = ()
    prefix = "tkb_"


class ReceivableUnknown(Missing):
    code = "RECEIVABLE_UNKNOWN"
    title = "The company owes nothing by such an invoice"


class ReceivableExceeded(Conflict):
    code = "RECEIVABLE_EXCEEDED"
    title = "The amount is more than what is open on the invoice"


class CreditExceeded(Conflict):
    code = "COMPANY_CREDIT_EXCEEDED"
    title = "The allocations are more than the company has to its credit"


class AllocationUnknown(Missing):
    code = "ALLOCATION_UNKNOWN"
    title = "The company account has no such allocation"


class AllocationAlreadyReversed(Conflict):
    code = "ALLOCATION_ALREADY_REVERSED"
    title = "The allocation has been reversed already"


class CreditNoteAlreadySetOff(Conflict):
    code = "CREDIT_NOTE_ALREADY_SET_OFF"
    title = "The credit note has been set off already"


class SetOffExceedsCreditNote(Conflict):
    code = "SET_OFF_EXCEEDS_CREDIT_NOTE"
    title = "The amount is more than what is left of the credit note"


class WriteOffUnknown(Missing):
    code = "WRITE_OFF_UNKNOWN"
    title = "The company account has no such write-off"


class WriteOffTakenBackAlready(Conflict):
    code = "WRITE_OFF_TAKEN_BACK"
    title = "The write-off has been taken back already"


class WriteOffExceedsDebt(Conflict):
    code = "WRITE_OFF_EXCEEDS_DEBT"
    title = "What was credited of the invoice pays it: less of it than that is lost"


class InvoiceWrittenOff(Conflict):
    code = "INVOICE_WRITTEN_OFF"
    title = "What the company never paid of the invoice was written off: take that back first"


class CreditKind(StrEnum):
    """What came to an account's credit: a payment by its method, a refund of a settlement, or a
    credit note; and what went of a card payment: by a dispute, which may be won, or by a refund
    that was made at the processor."""

    CASH = "cash"
    CARD = "card"
    BANK_TRANSFER = "bank_transfer"
    MOBILE_MONEY = "mobile_money"
    REFUND = "refund"
    CREDIT_NOTE = "credit_note"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    REFUNDED_THERE = "refunded_there"
    REFUND_FAILED = "refund_failed"

    @property
    def takes_back(self) -> bool:
        """Whether it is less than nothing."""
        return self in (CreditKind.DISPUTED, CreditKind.REFUNDED_THERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivable:
    """An open item: what an account owes by one invoice, and what of it is still open.

    Of it `written_off_micro` stand as given up, and `credited_micro` were given back after it was
    issued (of its settlements, or by credit notes), as far as anybody looked.
    """

    account_id: CompanyAccountId
    invoice_id: InvoiceId
    folio_id: FolioId
    amount: Money
    open: Money
    issued_on: date
    due_on: date
    number: str | None = None
    written_off_micro: int = field(default=0, compare=False)
    credited_micro: int = field(default=0, compare=False)

    @property
    def untouched(self) -> Money:
        """What of it was neither given up nor credited: nobody is credited what nobody has paid,
        so that the two are never more than the item together."""
        gone = self.written_off_micro + self.credited_micro
        return max(
            self.amount - Money(gone, self.amount.currency), Money.zero(self.amount.currency)
        )

    def must_not_be_written_off(self, amount: Money) -> None:
        """Refuses: InvoiceWrittenOff, where so much more was credited of what was given up."""
        if self.written_off_micro and amount > self.untouched:
            left = self.untouched.amount_micro
            raise InvoiceWrittenOff(invoiceId=self.invoice_id, leftMicro=left)

    def more(self, amount: Money) -> "Receivable":
        """The item when so much more of its invoice was left to the company. It is due as before.

        Refuses: CurrenciesDiffer.
        """
        return replace(self, amount=self.amount + amount, open=self.open + amount)

    def less(self, amount: Money) -> "Receivable":
        """The item when so much of it is settled; a negative amount opens it again.

        Refuses: ReceivableExceeded (with what is open), CurrenciesDiffer.
        """
        left = self.open - amount
        if left.amount_micro < 0:
            raise ReceivableExceeded(
                invoiceId=self.invoice_id,
                openMicro=self.open.amount_micro,
                currency=self.open.currency,
            )
        return replace(self, open=left)


@dataclass(frozen=True, slots=True)
class Part:
    """A settlement of an item's folio: what was kept of the payment by which it was made."""

    payment_id: PaymentId
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCredit:
    """What came to an account's credit, written once; its `id` says by what.

    `processor_payment_id` is the processor's, of a card; `cash_session_id` the drawer of cash;
    `credit_note_id` the document that was set off, and `set_off_before` how much of it was before.
    What `takes_back` money of a card payment is less than nothing, and has the processor's id of
    the dispute or refund as its `cause`.
    Refuses: AmountNotPositive.
    """

    id: Identifier
    account_id: CompanyAccountId
    kind: CreditKind
    amount: Money
    business_date: date
    reference: str | None = None
    processor_payment_id: str | None = None
    cash_session_id: CashSessionId | None = None
    credit_note_id: CreditNoteId | None = None
    set_off_before: Money | None = None
    takes_back: ReceiptId | None = None
    cause: str | None = None

    def __post_init__(self) -> None:
        came = -self.amount if self.kind.takes_back else self.amount
        if came.amount_micro <= 0:
            raise AmountNotPositive()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenNote:
    """A credit note over an invoice, and how much of it was set off already, by whomever."""

    id: CreditNoteId
    invoice_id: InvoiceId
    number: str
    total: Money
    set_off: Money

    @property
    def left(self) -> Money:
        """What of it is still owed to the customer."""
        return self.total - self.set_off


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A part of an account's credit for one item; one that `reverses` another is less than nothing.

    `credit_id` is the payment that brought it, where it was allocated as it came in.
    """

    id: AllocationId
    account_id: CompanyAccountId
    invoice_id: InvoiceId
    amount: Money
    business_date: date
    credit_id: ReceiptId | SetOffId | None = None
    reverses: AllocationId | None = None
    reason: str | None = None

    def reversal(self, id: AllocationId, on: date, reason: str) -> "Allocation":
        """What takes it back as a whole, on a day."""
        return replace(
            self,
            id=id,
            amount=-self.amount,
            business_date=on,
            credit_id=None,
            reverses=self.id,
            reason=reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """What will never be paid of an item, why, and who confirmed to give it up.

    One that `reverses` another takes it back as a whole, and is less than nothing.
    Refuses: AmountNotPositive.
    """

    id: WriteOffId
    account_id: CompanyAccountId
    invoice_id: InvoiceId
    amount: Money
    reason: str
    confirmed: Confirmed
    business_date: date
    reverses: WriteOffId | None = None

    def __post_init__(self) -> None:
        given_up = self.amount if self.reverses is None else -self.amount
        if given_up.amount_micro <= 0:
            raise AmountNotPositive()


@dataclass(frozen=True, slots=True)
class Share:
    """So much for the item of an invoice."""

    invoice_id: InvoiceId
    amount: Money


def oldest_first(items: Iterable[Receivable], credit: Money) -> tuple[Share, ...]:
    """Share a credit out: what is due first is paid first; among equals, what was invoiced first.

    What no item asks for is left over. Refuses: CurrenciesDiffer.
    """
    shares: list[Share] = []
    for item in sorted(items, key=lambda each: (each.due_on, each.issued_on, each.invoice_id)):
        part = min(item.open, credit)
        if part.amount_micro > 0:
            shares.append(Share(item.invoice_id, part))
            credit -= part
    return tuple(shares)


def settled_by(
    items: Sequence[Receivable], shares: Iterable[Share]
) -> tuple[tuple[Receivable, ...], Money | None]:
    """The items that the shares change, as they are then, and what the shares come to.

    None for no share at all. Refuses: AmountNotPositive, ReceivableUnknown, ReceivableExceeded,
    CurrenciesDiffer.
    """
    known, changed = {item.invoice_id: item for item in items}, {}
    total: Money | None = None
    for share in shares:
        if share.amount.amount_micro <= 0:
            raise AmountNotPositive()
        if share.invoice_id not in known:
            raise ReceivableUnknown(invoiceId=share.invoice_id)
        item = known[share.invoice_id].less(share.amount)
        known[share.invoice_id] = changed[share.invoice_id] = item
        total = share.amount if total is None else total + share.amount
    return tuple(changed.values()), total
