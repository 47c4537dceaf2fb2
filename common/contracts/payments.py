"""How a payment that the processor takes reads on the wire."""

from typing import Any

from pydantic import Field

from common.contracts.fields import Amount, Instant
from common.contracts.references import (
    CustomerRef,
    FolioRef,
    PaymentIntentRef,
    PaymentRef,
    PropertyRef,
    RefundRef,
    ReviewRef,
    StoredMethodRef,
)
from common.contracts.shapes import Outcome, Shape
from common.domain.payment_intent import PaymentIntent
from common.domain.returned_payment import ReturnedPayment
from common.domain.standing_payment import StandingPayment


class NextActionView(Shape):
    """How the guest confirms the payment to the bank: by the processor's own library with the
    secret, or at the address. Neither is kept here: each answer asks the processor anew."""

    client_secret: str | None
    redirect_url: str | None


class ReturnView(Shape):
    """How money goes back that came when its folio was closed: all of it, by one refund. One that
    has `failed` stands on the folio once that is opened again: `placed`."""

    refund_id: RefundRef
    status: str = Field(examples=["returned"])
    failure_code: str | None
    promised_at: Instant
    settled_at: Instant | None

    @classmethod
    def of(cls, returned: ReturnedPayment) -> "ReturnView":
        return cls(
            refund_id=returned.refund_id,
            status=returned.status.value,
            failure_code=returned.failure_code,
            promised_at=returned.promised_at,
            settled_at=returned.settled_at,
        )


class PaymentIntentView(Outcome):
    """A payment. `paymentId` is the payment on the folio once it has succeeded; null then while the
    folio is closed, and `returned` says how the money goes back, where the payment is shown.
    `nextAction` is there where it is asked for, and waits for the guest. One that
    `requires_payment_method` and has a `reviewId` waits for a person, and takes no other method."""

    payment_intent_id: PaymentIntentRef
    folio_id: FolioRef
    property_id: PropertyRef
    customer_id: CustomerRef
    amount: Amount
    status: str = Field(examples=["succeeded"])
    payment_method_id: StoredMethodRef | None
    failure_code: str | None
    payment_id: PaymentRef | None
    review_id: ReviewRef | None
    next_action: NextActionView | None
    returned: ReturnView | None
    created_at: Instant
    version: int

    @classmethod
    def of(cls, intent: PaymentIntent) -> "PaymentIntentView":
        """The intent itself, as a command has left it."""
        return cls(**cls.shared(intent, intent.status.value))

    @classmethod
    def whole(
        cls, found: StandingPayment, next_action: NextActionView | None = None
    ) -> "PaymentIntentView":
        """The intent with what became of its money, and what the guest has to do."""
        view = cls(**cls.shared(found.intent, found.status.value))
        returned = ReturnView.of(found.returned) if found.returned else None
        return view.model_copy(update={"next_action": next_action, "returned": returned})

    @staticmethod
    def shared(intent: PaymentIntent, status: str) -> dict[str, Any]:
        """The fields that every view of it has."""
        return {
            "payment_intent_id": intent.id,
            "folio_id": intent.folio_id,
            "property_id": intent.property_id,
            "customer_id": intent.customer_id,
            "amount": intent.amount,
            "status": status,
            "payment_method_id": intent.method_id,
            "failure_code": intent.failure_code,
            "payment_id": intent.payment_id,
            "review_id": intent.review_id,
            "next_action": None,
            "returned": None,
            "created_at": intent.created_at,
            "version": intent.version,
        }

    @property
    def moved_minor_units(self) -> int:
        return self.amount.amount_micro // self.amount.currency.minor_unit_micro
