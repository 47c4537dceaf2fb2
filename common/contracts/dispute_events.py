"""What is told of disputes: which payment, how much, and where the dispute stands."""

from typing import TYPE_CHECKING, Final

from common.contracts.event import EventData
from common.contracts.fields import Amount, DisputeRef, FolioRef, PaymentRef, PropertyRef

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.dispute import DisputeRecorded


class DisputeRecordedV1(EventData):
    """A bank asks for the money of a card payment back, or its claim has moved on."""

    fact = "dispute.recorded"
    dispute_id: DisputeRef
    folio_id: FolioRef
    property_id: PropertyRef
    payment_id: PaymentRef
    amount: Amount
    dispute_reason: str
    status: str

    @classmethod
    def of(cls, fact: "DisputeRecorded") -> "DisputeRecordedV1":
        dispute = fact.subject
        return cls(
            dispute_id=dispute.id,
            folio_id=dispute.folio_id,
            property_id=dispute.property_id,
            payment_id=dispute.payment_id,
            amount=dispute.amount,
            dispute_reason=dispute.reason,
            status=dispute.status.value,
        )


DISPUTE_EVENTS: Final = (DisputeRecordedV1,)
