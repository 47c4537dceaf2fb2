"""What was given back at the processor itself, and not by this house (WH-5).

Somebody at the processor's own dashboard gives a card's money back; the processor tells of it. By
then it is a fact: nothing here could refuse it. On an open folio it is a refund as ours are, with a
line and entries, and takes as much of its payment; the processor's id says which it is, so that it
is written down once, whoever tells of it.

A folio that is closed takes no line. The money has left all the same: it is booked beside the
folio, on `refunds_to_settle`, and waits as a `LateRefund` until a person opens the folio again.
Then it goes onto the folio, out of that account. Until then the reconciliation with the processor
names it.

It may fail after it was made. Waiting still, it is booked back and never reaches its folio; on its
folio it is taken back as any refund (`refund_failure`).

What the books cannot take is refused, and kept for a person: more than is left of the payment
beside what was promised to the guest here, and money that was moved to another folio.
"""

from dataclasses import field
from datetime import date, datetime
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.folio import Folio
from common.domain.identifiers import FolioId, PaymentId, PropertyId, RefundId
from common.domain.ledger import CARD_CLEARING, REFUNDS_TO_SETTLE, Entry
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money
from common.domain.payment import Payment, PaymentMethod
from common.domain.refund import (
    Refund,
    RefundExceedsPayment,
    RefundOfMovedMoney,
    RefundRecorded,
    less,
    refund_line,
    worth_of,
)
from common.domain.webhook import WebhookContradictsBooks

REASON: Final = "Refunded at the processor"
LATE, FAILED = 3, 6
"""The parts of the entries that book a refund beside its folio, and back where it failed while it
waited; those on the folio are 0 to 2, those of payments that go back 4 and 5."""


@dataclass(frozen=True, kw_only=True)
class LateRefundFact(Fact):
    """Something that happened to a refund of a closed folio."""

    subject: "LateRefund" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class LateRefundRecorded(LateRefundFact):
    """The processor gave money of a closed folio back: a person opens the folio again."""

    name = "late_refund.recorded"
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class LateRefundSettled(LateRefundFact):
    """It stands on its folio now."""

    name = "late_refund.settled"


@dataclass(frozen=True, kw_only=True)
class LateRefundFailed(LateRefundFact):
    """It failed while it waited: the processor has the money again, and the folio takes no line."""

    name = "late_refund.failed"
    entries: tuple[Entry, ...]


@dataclass(kw_only=True)
class LateRefund(Aggregate):
    """See the module. `paid` is what went back; its id is that of the refund that it becomes,
    unless it failed first (`failure_code`)."""

    kind: ClassVar[str] = "late_refund"
    id: RefundId
    property_id: PropertyId
    folio_id: FolioId
    payment_id: PaymentId
    processor_refund_id: str
    paid: Money
    business_date: date
    made_at: datetime
    settled_at: datetime | None = None
    failure_code: str | None = None

    @classmethod
    def recorded(
        cls, folio: Folio, payment: Payment, paid: Money, processor_refund_id: str, moment: Moment
    ) -> LateRefundRecorded:
        """Book a refund beside its closed folio. Refuses: AmountNotPositive,
        WebhookContradictsBooks."""
        _must_be_of(payment, paid)
        late = cls(
            id=moment.new_id(RefundId),
            property_id=folio.property_id,
            folio_id=folio.id,
            payment_id=payment.id,
            processor_refund_id=processor_refund_id,
            paid=paid,
            business_date=moment.settings.property(folio.property_id).business_date(moment.now),
            made_at=moment.now,
        )
        entry = Entry(late.id, LATE, REFUNDS_TO_SETTLE, CARD_CLEARING, paid, late.business_date)
        return LateRefundRecorded(subject=late, sequence=late.next_sequence(), entries=(entry,))

    def settled(self, moment: Moment) -> LateRefundSettled:
        """It has reached its folio. Raises ValueError where it had before."""
        if self.settled_at is not None:
            raise ValueError(f"{self.id} stands on its folio already")
        self.settled_at = max(moment.now, self.made_at)
        return LateRefundSettled(subject=self, sequence=self.next_sequence())

    def failed(self, failure_code: str, moment: Moment) -> LateRefundFailed | None:
        """It has failed after it was made: book it back. None where it waits no longer."""
        if self.settled_at is not None:
            return None
        self.settled_at = max(moment.now, self.made_at)
        self.failure_code = failure_code
        on = moment.settings.property(self.property_id).business_date(moment.now)
        back = Entry(self.id, FAILED, CARD_CLEARING, REFUNDS_TO_SETTLE, self.paid, on)
        return LateRefundFailed(
            subject=self, sequence=self.next_sequence(), entries=(back,), reason=failure_code
        )

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        failed = {"failureCode": self.failure_code} if self.failure_code else {}
        return failed | {
            "amountMicro": self.paid.amount_micro,
            "currency": str(self.paid.currency),
            "folioId": self.folio_id,
            "id": self.id,
            "isSettled": self.settled_at is not None,
            "processorRefundId": self.processor_refund_id,
        }


def given_back_there(
    folio: Folio,
    payment: Payment,
    paid: Money,
    standing: Money,
    processor_refund_id: str,
    moment: Moment,
    late: LateRefund | None = None,
) -> RefundRecorded:
    """Write a refund of the processor's onto its open folio; a `late` one out of its account.

    `standing` is what stands on the folio of all payments. Refuses: FolioAlreadyClosed,
    AmountNotPositive, WebhookContradictsBooks, RefundExceedsPayment, RefundOfMovedMoney.
    """
    folio.must_be_open()
    _must_be_of(payment, paid)
    if paid > payment.left:
        raise RefundExceedsPayment(
            leftMicro=payment.left.amount_micro, currency=payment.paid.currency
        )
    if worth_of(payment, paid) > standing:
        raise RefundOfMovedMoney(leftMicro=standing.amount_micro, currency=standing.currency)
    refund = Refund(
        id=late.id if late else moment.new_id(RefundId),
        folio_id=folio.id,
        payment_id=payment.id,
        method=PaymentMethod.CARD,
        paid=paid,
        amount=worth_of(payment, paid),
        reason=REASON,
        confirmed=None,
        promised_at=moment.now,
        business_date=moment.settings.property(folio.property_id).business_date(moment.now),
        settled_at=moment.now,
        processor_refund_id=processor_refund_id,
        advice=payment.advice,
    )
    line = refund_line(folio, refund, refund.id, payment.id, moment)
    return folio.posted(
        RefundRecorded,
        folio.add(line),
        entries=refund.entries(payment, REFUNDS_TO_SETTLE if late else None),
        refund=refund,
        payment=less(payment, refund.paid, refund.amount),
        reason=REASON,
    )


def _must_be_of(payment: Payment, paid: Money) -> None:
    """Refuses: AmountNotPositive, WebhookContradictsBooks."""
    if paid.amount_micro <= 0:
        raise AmountNotPositive()
    if payment.method is not PaymentMethod.CARD or paid.currency != payment.paid.currency:
        raise WebhookContradictsBooks("It is in another currency than its payment.")
