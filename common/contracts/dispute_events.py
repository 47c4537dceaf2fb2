"""What is told of disputes, and of what comes and goes of closed folios: which payment, how much,
what next."""

from typing import TYPE_CHECKING, Any, Final, Self

from common.contracts.event import EventData
from common.contracts.fields import Amount
from common.contracts.references import (
    DisputeRef,
    FolioRef,
    PaymentIntentRef,
    PaymentRef,
    PropertyRef,
    ReceiptRef,
    RefundRef,
    SubscriptionInvoiceRef,
)

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.dispute import (
        CompanyDisputeRecorded,
        DisputeRecorded,
        InvoiceDisputeRecorded,
        PaymentDisputed,
        PurchaseDisputeRecorded,
        SurplusDisputeRecorded,
    )
    from common.domain.late_refund import LateRefundFact
    from common.domain.returned_payment import ReturnFact, ReturnWentOtherwise


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
        payment_id = dispute.payment_id or dispute.returned_id
        if dispute.folio_id is None or dispute.property_id is None or payment_id is None:
            raise ValueError(f"{dispute.id} is of no folio's payment")
        return cls(
            dispute_id=dispute.id,
            folio_id=dispute.folio_id,
            property_id=dispute.property_id,
            payment_id=payment_id,
            amount=dispute.amount,
            dispute_reason=dispute.reason,
            status=dispute.status.value,
        )


class ReceivableDisputedV1(EventData):
    """A bank asks for the money of a company's card payment back, or its claim has moved on."""

    fact = "receivable.disputed"
    dispute_id: DisputeRef
    property_id: PropertyRef | None
    receipt_id: ReceiptRef | None
    amount: Amount
    dispute_reason: str
    status: str

    @classmethod
    def of(cls, fact: "CompanyDisputeRecorded") -> "ReceivableDisputedV1":
        dispute = fact.subject
        return cls(
            dispute_id=dispute.id,
            property_id=dispute.property_id,
            receipt_id=dispute.receipt_id,
            amount=dispute.amount,
            dispute_reason=dispute.reason,
            status=dispute.status.value,
        )


class CreditsDisputedV1(EventData):
    """A bank asks for the money of a purchase of credits back, or its claim has moved on."""

    fact = "credits.disputed"
    dispute_id: DisputeRef
    amount: Amount
    dispute_reason: str
    status: str

    @classmethod
    def of(cls, fact: "PurchaseDisputeRecorded") -> "CreditsDisputedV1":
        dispute = fact.subject
        return cls(
            dispute_id=dispute.id,
            amount=dispute.amount,
            dispute_reason=dispute.reason,
            status=dispute.status.value,
        )


class SubscriptionInvoiceDisputedV1(EventData):
    """A bank asks for the money of an invoice of the platform back, or its claim has moved on."""

    fact = "subscription_invoice.disputed"
    dispute_id: DisputeRef
    invoice_id: SubscriptionInvoiceRef
    amount: Amount
    dispute_reason: str
    status: str

    @classmethod
    def of(cls, fact: "InvoiceDisputeRecorded") -> "SubscriptionInvoiceDisputedV1":
        dispute = fact.subject
        if dispute.invoice_id is None:
            raise ValueError(f"{dispute.id} is of no invoice of the platform")
        return cls(
            dispute_id=dispute.id,
            invoice_id=dispute.invoice_id,
            amount=dispute.amount,
            dispute_reason=dispute.reason,
            status=dispute.status.value,
        )


class SubscriptionSurplusDisputedV1(EventData):
    """A bank asks for money that came a second time for an invoice of the platform, and goes back
    by itself; or its claim has moved on. `notGone` is what of it goes by a claim that was lost."""

    fact = "subscription_surplus.disputed"
    dispute_id: DisputeRef
    surplus_payment_id: PaymentIntentRef
    amount: Amount
    not_gone: Amount | None
    dispute_reason: str
    status: str

    @classmethod
    def of(cls, fact: "SurplusDisputeRecorded") -> "SubscriptionSurplusDisputedV1":
        dispute = fact.subject
        if dispute.surplus_id is None:
            raise ValueError(f"{dispute.id} is of nothing that came second")
        return cls(
            dispute_id=dispute.id,
            surplus_payment_id=dispute.surplus_id,
            amount=dispute.amount,
            not_gone=dispute.on_account,
            dispute_reason=dispute.reason,
            status=dispute.status.value,
        )


class PaymentDisputedV1(EventData):
    """A bank has asked for a payment's money, and it is withheld. Told once of a dispute.

    Of a purchase of credits, and of an invoice of the platform, there is no folio, no property and
    no payment of a guest's.
    """

    fact = "payment.disputed"
    dispute_id: DisputeRef
    folio_id: FolioRef | None
    property_id: PropertyRef | None
    payment_id: PaymentRef | None
    amount: Amount
    dispute_reason: str
    status: str

    @classmethod
    def of(cls, fact: "PaymentDisputed") -> "PaymentDisputedV1":
        dispute = fact.subject
        return cls(
            dispute_id=dispute.id,
            folio_id=dispute.folio_id,
            property_id=dispute.property_id,
            payment_id=dispute.payment_id or dispute.returned_id,
            amount=dispute.amount,
            dispute_reason=dispute.reason,
            status=dispute.status.value,
        )


class _LateRefund(EventData):
    refund_id: RefundRef
    folio_id: FolioRef
    property_id: PropertyRef
    payment_id: PaymentRef
    amount: Amount

    @classmethod
    def shared(cls, fact: "LateRefundFact") -> dict[str, Any]:
        late = fact.subject
        return {
            "refund_id": late.id,
            "folio_id": late.folio_id,
            "property_id": late.property_id,
            "payment_id": late.payment_id,
            "amount": late.paid,
        }


class LateRefundRecordedV1(_LateRefund):
    """Money of a closed folio went back at the processor: a person opens the folio again."""

    fact = "late_refund.recorded"

    @classmethod
    def of(cls, fact: "LateRefundFact") -> "LateRefundRecordedV1":
        return cls(**cls.shared(fact))


class LateRefundSettledV1(_LateRefund):
    """It stands on its folio, which was opened again."""

    fact = "late_refund.settled"

    @classmethod
    def of(cls, fact: "LateRefundFact") -> "LateRefundSettledV1":
        return cls(**cls.shared(fact))


class LateRefundFailedV1(_LateRefund):
    """It has failed after it was made: the house has the money again, and the folio never lost
    it. `failureCode` is the processor's word."""

    fact = "late_refund.failed"
    failure_code: str | None

    @classmethod
    def of(cls, fact: "LateRefundFact") -> "LateRefundFailedV1":
        return cls(**cls.shared(fact), failure_code=fact.subject.failure_code)


class _Return(EventData):
    payment_id: PaymentRef
    folio_id: FolioRef
    property_id: PropertyRef
    refund_id: RefundRef
    amount: Amount
    status: str
    failure_code: str | None

    @classmethod
    def of(cls, fact: "ReturnFact") -> Self:
        return cls(**cls.shared(fact))

    @classmethod
    def shared(cls, fact: "ReturnFact") -> dict[str, Any]:
        returned = fact.subject
        return {
            "payment_id": returned.id,
            "folio_id": returned.folio_id,
            "property_id": returned.property_id,
            "refund_id": returned.refund_id,
            "amount": returned.paid,
            "status": returned.status.value,
            "failure_code": returned.failure_code,
        }


class ReturnedPaymentPromisedV1(_Return):
    """A card payment came for a closed folio: the processor is asked to give all of it back."""

    fact = "returned_payment.promised"


class ReturnedPaymentSettledV1(_Return):
    """The processor gave it back, or will not: a person opens the folio again then."""

    fact = "returned_payment.settled"


class ReturnedPaymentPlacedV1(_Return):
    """It could not go back, and stands on its folio, which was opened again."""

    fact = "returned_payment.placed"


class ReturnedPaymentContestedV1(_Return):
    """A bank asks for its money: it goes back when that is decided, by the bank or by a refund."""

    fact = "returned_payment.contested"


class ReturnedPaymentWentOtherwiseV1(_Return):
    """A part of it went back otherwise than by our refund; what is left is promised anew.

    `kind` is how: `refunded_there` at the processor, `lost` to a bank, `made_after_all` by a refund
    of ours that had been called off; of `refund_failed` the part came again, and is less than
    nothing.
    """

    fact = "returned_payment.went_otherwise"
    kind: str
    part: Amount
    left: Amount

    @classmethod
    def of(cls, fact: "ReturnFact") -> Self:
        whole: ReturnWentOtherwise = fact  # type: ignore[assignment] # the fact of this shape
        return cls(
            **cls.shared(fact),
            kind=whole.part.kind.value,
            part=whole.part.amount,
            left=whole.subject.left,
        )


DISPUTE_EVENTS: Final = (
    DisputeRecordedV1,
    ReceivableDisputedV1,
    CreditsDisputedV1,
    SubscriptionInvoiceDisputedV1,
    SubscriptionSurplusDisputedV1,
    PaymentDisputedV1,
    LateRefundRecordedV1,
    LateRefundSettledV1,
    LateRefundFailedV1,
    ReturnedPaymentPromisedV1,
    ReturnedPaymentSettledV1,
    ReturnedPaymentPlacedV1,
    ReturnedPaymentContestedV1,
    ReturnedPaymentWentOtherwiseV1,
)
