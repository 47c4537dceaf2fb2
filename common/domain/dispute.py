"""A dispute: a guest's bank asks for the money of a card payment back (WH-4, WH-5).

The processor tells of it by events, which come late, twice and out of order. So a dispute has a
place in the order of its states, and moves forward only: an inquiry (`warning_...`) may become a
dispute, a dispute is answered, looked at, and won or lost. What is told of an earlier state once a
later one is known changes nothing.

From the moment that it is a dispute and no inquiry, the processor withholds the money: it is booked
out of what the processor holds for the house, whatever event told of it first. Won, it comes back;
lost, it is written off. What the processor charges for the dispute is booked as it is told: as
much more, or less, as was known before. No line is made of it: the folio of a guest who has left is
closed, and what the guest owes the house is another matter than what a bank took.

A company's payment is on an account, and no folio (`company_taking_back`): what of the claim it had
paid, the company owes again from then on, and what is lost is lost to the company. Only what a bank
adds beyond the payment is written off. Won, the account has it back.

A payment that came for a closed folio is on none, and goes back by itself (`returned_payment`):
what of it has not gone when a claim of it is lost has gone by that, and is no loss. What has gone
back before is lost twice, and that is one. The same holds of money that came second for an invoice
of the platform (`subscription_refund`), in the platform's own books.

A payment that bought credits is on no folio and in no ledger of the house's: of its dispute the
state is kept, by which its credits are taken back, and given back where it is won (CRD-5). Nor is
one that paid an invoice of the platform: of that the platform's own books know
(`platform_credit`).
"""

from dataclasses import field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import (
    DisputeId,
    FolioId,
    PaymentId,
    PaymentIntentId,
    PropertyId,
    ReceiptId,
    SubscriptionInvoiceId,
)
from common.domain.ledger import (
    CARD_CLEARING,
    DISPUTE_FEES,
    DISPUTE_LOSSES,
    DISPUTED_FUNDS,
    Entry,
    movement,
)
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money
from common.domain.payment import Payment
from common.domain.webhook import WebhookContradictsBooks

if TYPE_CHECKING:  # a claim of another payment is kept without it
    from common.domain.returned_payment import ReturnedPayment


class DisputeStatus(StrEnum):
    """Where a dispute stands, in the processor's words."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


INQUIRIES: Final = frozenset(
    status for status in DisputeStatus if status.value.startswith("warning_")
)
"""A bank asks, and withholds nothing."""
_ORDER: Final = {status: place for place, status in enumerate(DisputeStatus)} | {
    DisputeStatus.LOST: list(DisputeStatus).index(DisputeStatus.WON)
}
"""Won and lost have one place: what was said first stays."""

DECIDED: Final = frozenset({DisputeStatus.WON, DisputeStatus.LOST, DisputeStatus.WARNING_CLOSED})
"""Nobody asks for the money any more."""
_OUTCOME: Final = {DisputeStatus.WON: CARD_CLEARING, DisputeStatus.LOST: DISPUTE_LOSSES}
"""Where withheld money goes in the end."""
_WITHHELD, _DECIDED, _FEE = 0, 1, 2
"""The parts of a dispute's entries; a fee's part is so many behind `_FEE` as its state has before
it, so that each state books its fee once."""


@dataclass(frozen=True, slots=True)
class DisputedAccount:
    """A dispute as the ledger sees it."""

    id: str
    property_id: PropertyId
    kind: str = "dispute"


@dataclass(frozen=True, slots=True)
class DisputeBooked:
    """What a dispute moves in the books of a property."""

    subject: DisputedAccount
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class DisputeFact(Fact):
    """Something that happened to a dispute, with the entries that it makes."""

    subject: "Dispute" = field(repr=False, compare=False)
    entries: tuple[Entry, ...] = ()

    @property
    def booked(self) -> "DisputeBooked | None":
        """What the ledger takes; nothing of a dispute that is no house's."""
        property_id = self.subject.property_id
        if property_id is None or not self.entries:
            return None
        return DisputeBooked(DisputedAccount(self.subject.id, property_id), self.entries)


@dataclass(frozen=True, kw_only=True)
class DisputeRecorded(DisputeFact):
    """A dispute of a folio's payment was heard of, or has moved on."""

    name = "dispute.recorded"


@dataclass(frozen=True, kw_only=True)
class CompanyDisputeRecorded(DisputeFact):
    """A dispute of a company's payment was heard of, or has moved on."""

    name = "receivable.disputed"


@dataclass(frozen=True, kw_only=True)
class PurchaseDisputeRecorded(DisputeFact):
    """A dispute of a purchase of credits was heard of, or has moved on."""

    name = "credits.disputed"


@dataclass(frozen=True, kw_only=True)
class InvoiceDisputeRecorded(DisputeFact):
    """A dispute of an invoice of the platform was heard of, or has moved on."""

    name = "subscription_invoice.disputed"


@dataclass(frozen=True, kw_only=True)
class SurplusDisputeRecorded(DisputeFact):
    """A dispute of money that came second for an invoice of the platform was heard of, or has moved
    on."""

    name = "subscription_surplus.disputed"


@dataclass(frozen=True, kw_only=True)
class PaymentDisputed(DisputeFact):
    """A bank has asked for the money of a payment: it is withheld from here on."""

    name = "payment.disputed"


@dataclass(kw_only=True)
class Dispute(Aggregate):
    """See the module. `amount` is what the bank asks for, in the payment's currency.

    `is_withheld` where that is booked as gone; `fee` is what the processor has charged for it, in
    the currency that it settles in; None while that was not told. `on_account` is what of it the
    company owes again whose payment it is, by `receipt_id`; or what of it had not gone back of a
    payment of a closed folio, `returned_id`, or of a charge that came second, `surplus_id`.
    """

    kind: ClassVar[str] = "dispute"
    id: DisputeId
    property_id: PropertyId | None
    folio_id: FolioId | None
    payment_id: PaymentId | None
    processor_dispute_id: str
    amount: Money
    reason: str
    status: DisputeStatus
    opened_at: datetime
    changed_at: datetime
    is_withheld: bool = False
    fee: Money | None = None
    receipt_id: ReceiptId | None = None
    on_account: Money | None = None
    invoice_id: SubscriptionInvoiceId | None = None
    returned_id: PaymentId | None = None
    surplus_id: PaymentIntentId | None = None

    @classmethod
    def opened(
        cls,
        payment: Payment | None,
        property_id: PropertyId | None,
        processor_dispute_id: str,
        amount: Money,
        reason: str,
        status: DisputeStatus,
        fee: Money | None,
        moment: Moment,
        *,
        receipt_id: ReceiptId | None = None,
        owed_again: Money | None = None,
        invoice_id: SubscriptionInvoiceId | None = None,
        returned: "ReturnedPayment | None" = None,
        surplus_id: PaymentIntentId | None = None,
    ) -> tuple[DisputeFact, ...]:
        """Write down a dispute that was not known, in whatever state. Refuses: AmountNotPositive.

        It may be about more than the payment came to: banks add their fees to it. One of a purchase
        of credits, or of an invoice of the platform, has no payment and no property.
        """
        if amount.amount_micro <= 0:
            raise AmountNotPositive()
        dispute = cls(
            id=moment.new_id(DisputeId),
            property_id=property_id,
            folio_id=next((each.folio_id for each in (payment, returned) if each), None),
            payment_id=payment.id if payment else None,
            processor_dispute_id=processor_dispute_id,
            amount=amount,
            reason=reason,
            status=status,
            opened_at=moment.now,
            changed_at=moment.now,
            receipt_id=receipt_id,
            invoice_id=invoice_id,
            returned_id=returned.id if returned else None,
            surplus_id=surplus_id,
        )
        return dispute._told(fee, owed_again, moment)

    def moved(
        self,
        status: DisputeStatus,
        fee: Money | None,
        moment: Moment,
        *,
        owed_again: Money | None = None,
    ) -> tuple[DisputeFact, ...]:
        """Move on to a later state; nothing for the same one, and for one that lies behind.

        The same state again may tell the fee that was not told before. Refuses:
        WebhookContradictsBooks (a fee in another currency than before).
        """
        is_told_first = status is self.status and self.fee is None and fee is not None
        if _ORDER[status] <= _ORDER[self.status] and not is_told_first:
            return ()
        self.status = status
        self.changed_at = moment.now
        return self._told(fee, owed_again, moment, only_its_fee=is_told_first)

    @property
    def takes_money(self) -> bool:
        """Whether it is more than an inquiry."""
        return _ORDER[self.status] >= _ORDER[DisputeStatus.NEEDS_RESPONSE]

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        fee = self.fee
        told: dict[str, object] = {}
        if fee:
            told |= {"feeCurrency": str(fee.currency), "feeMicro": fee.amount_micro}
        told |= {"invoiceId": self.invoice_id} if self.invoice_id else {}
        told |= {"receiptId": self.receipt_id} if self.receipt_id else {}
        told |= {"returnedId": self.returned_id} if self.returned_id else {}
        told |= {"surplusId": self.surplus_id} if self.surplus_id else {}
        return told | {
            "amountMicro": self.amount.amount_micro,
            "currency": str(self.amount.currency),
            "id": self.id,
            "paymentId": self.payment_id,
            "processorDisputeId": self.processor_dispute_id,
            "status": self.status.value,
        }

    def _told(
        self,
        fee: Money | None,
        owed_again: Money | None,
        moment: Moment,
        *,
        only_its_fee: bool = False,
    ) -> tuple[DisputeFact, ...]:
        """What is to be told of the state that it is in now, and booked; `only_its_fee` where the
        state was known before.

        `owed_again` is what is left of a company's payment as its money is withheld; of a claim
        that was won before it was heard of, nobody owes anything. Of a payment that goes back it is
        what has not, as a claim is lost.
        """
        is_new = self.takes_money and not self.is_withheld
        is_owed = is_new and self.status is not DisputeStatus.WON
        if self.returned_id is not None or self.surplus_id is not None:
            is_owed = self.status is DisputeStatus.LOST and not only_its_fee
        if is_owed and owed_again is not None:
            self.on_account = min(self.amount, owed_again)
        entries = self._entries(fee, moment, only_its_fee)
        self.is_withheld = self.is_withheld or is_new
        self.fee = self.fee if fee is None else fee
        recorded = self._kind()(subject=self, sequence=self.next_sequence(), entries=entries)
        if not is_new:
            return (recorded,)
        return recorded, PaymentDisputed(subject=self, sequence=self.next_sequence())

    def _kind(self) -> type[DisputeFact]:
        if self.payment_id is not None or self.returned_id is not None:
            return DisputeRecorded
        if self.receipt_id is not None:
            return CompanyDisputeRecorded
        if self.surplus_id is not None:
            return SurplusDisputeRecorded
        return PurchaseDisputeRecorded if self.invoice_id is None else InvoiceDisputeRecorded

    def _entries(self, fee: Money | None, moment: Moment, only_its_fee: bool) -> tuple[Entry, ...]:
        """What the state books that was not booked before. Refuses: WebhookContradictsBooks."""
        if fee and self.fee and fee.currency != self.fee.currency:
            raise WebhookContradictsBooks("Its fee is in another currency than before.")
        if self.property_id is None:
            return ()
        on = moment.settings.property(self.property_id).business_date(moment.now)
        withheld = () if only_its_fee else self._withheld(on)
        return (*withheld, *self._charged(fee, on))

    def _withheld(self, on: date) -> tuple[Entry, ...]:
        withheld: tuple[Entry, ...] = ()
        if self.takes_money and not self.is_withheld:
            gone = Entry(self.id, _WITHHELD, DISPUTED_FUNDS, CARD_CLEARING, self.amount, on)
            withheld = (gone,)
        if (into := _OUTCOME.get(self.status)) is None:
            return withheld
        decided = self.amount
        if self.status is DisputeStatus.LOST and self.on_account is not None:
            decided -= self.on_account
        if decided.is_zero:
            return withheld
        return (*withheld, Entry(self.id, _DECIDED, into, DISPUTED_FUNDS, decided, on))

    def _charged(self, fee: Money | None, on: date) -> tuple[Entry, ...]:
        if fee is None or (more := fee - (self.fee or Money.zero(fee.currency))).is_zero:
            return ()
        part = _FEE + _ORDER[self.status]
        return (movement(self.id, part, DISPUTE_FEES, CARD_CLEARING, more, on),)
