"""A dispute: a guest's bank asks for the money of a card payment back (WH-4, WH-5).

The processor tells of it by events, which come late, twice and out of order. So a dispute has a
place in the order of its states, and moves forward only: an inquiry (`warning_...`) may become a
dispute, a dispute is answered, looked at, and won or lost. What is told of an earlier state once a
later one is known changes nothing.

It is recorded and told. No line and no entry is made of it here: what the bank takes is the
processor's to settle, and the folio of a guest who has left is closed.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.identifiers import DisputeId, FolioId, PaymentId, PropertyId
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money
from common.domain.payment import Payment


class DisputeStatus(StrEnum):
    """Where a dispute stands, in the processor's words."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


_ORDER: Final = {status: place for place, status in enumerate(DisputeStatus)} | {
    DisputeStatus.LOST: list(DisputeStatus).index(DisputeStatus.WON)
}
"""Won and lost have one place: what was said first stays."""


@dataclass(frozen=True, kw_only=True)
class DisputeRecorded(Fact):
    """A dispute was heard of, or has moved on."""

    name = "dispute.recorded"
    subject: "Dispute" = field(repr=False, compare=False)


@dataclass(kw_only=True)
class Dispute(Aggregate):
    """See the module. `amount` is what the bank asks for, in the payment's currency."""

    kind: ClassVar[str] = "dispute"
    id: DisputeId
    property_id: PropertyId
    folio_id: FolioId
    payment_id: PaymentId
    processor_dispute_id: str
    amount: Money
    reason: str
    status: DisputeStatus
    opened_at: datetime
    changed_at: datetime

    @classmethod
    def opened(
        cls,
        payment: Payment,
        property_id: PropertyId,
        processor_dispute_id: str,
        amount: Money,
        reason: str,
        status: DisputeStatus,
        moment: Moment,
    ) -> DisputeRecorded:
        """Write down a dispute that was not known, in whatever state. Refuses: AmountNotPositive.

        It may be about more than the payment came to: banks add their fees to it.
        """
        if amount.amount_micro <= 0:
            raise AmountNotPositive()
        dispute = cls(
            id=moment.new_id(DisputeId),
            property_id=property_id,
            folio_id=payment.folio_id,
            payment_id=payment.id,
            processor_dispute_id=processor_dispute_id,
            amount=amount,
            reason=reason,
            status=status,
            opened_at=moment.now,
            changed_at=moment.now,
        )
        return DisputeRecorded(subject=dispute, sequence=dispute.next_sequence())

    def moved(self, status: DisputeStatus, moment: Moment) -> DisputeRecorded | None:
        """Move on to a later state; None for the same one, and for one that lies behind."""
        if _ORDER[status] <= _ORDER[self.status]:
            return None
        self.status = status
        self.changed_at = moment.now
        return DisputeRecorded(subject=self, sequence=self.next_sequence())

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "amountMicro": self.amount.amount_micro,
            "currency": str(self.amount.currency),
            "id": self.id,
            "paymentId": self.payment_id,
            "processorDisputeId": self.processor_dispute_id,
            "status": self.status.value,
        }
