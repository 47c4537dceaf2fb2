"""How an export of a customer reads: the customer, what was left to pay with, and each payment."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from common.contracts.customers import CustomerView, StoredMethodView
from common.contracts.fields import Amount, Day, Instant
from common.contracts.payments import PaymentIntentView
from common.contracts.references import DisputeRef, PaymentRef, RefundRef
from common.contracts.shapes import Outcome, Shape
from common.domain.customer_export import Asked, ExportedPayment
from common.domain.dispute import Dispute
from common.domain.payment import Payment
from common.domain.refund import Refund


class ExportedMoneyView(Shape):
    """The payment on its folio: what was taken, and what it was worth there."""

    payment_id: PaymentRef
    amount: Amount
    worth: Amount
    business_date: Day

    @classmethod
    def of(cls, payment: Payment) -> "ExportedMoneyView":
        return cls(
            payment_id=payment.id,
            amount=payment.paid,
            worth=payment.amount,
            business_date=payment.business_date,
        )


class ExportedRefundView(Shape):
    """What went back of it; one that is pending was promised, one that failed stayed here, and one
    that was made and failed afterwards has come back."""

    refund_id: RefundRef
    amount: Amount
    worth: Amount
    status: str = Field(examples=["succeeded"])
    reason: str | None
    business_date: Day
    settled_at: Instant | None
    came_back_at: Instant | None

    @classmethod
    def of(cls, refund: Refund) -> "ExportedRefundView":
        return cls(
            refund_id=refund.id,
            amount=refund.paid,
            worth=refund.amount,
            status=refund.status.value,
            reason=refund.reason,
            business_date=refund.business_date,
            settled_at=refund.settled_at,
            came_back_at=refund.came_back_at,
        )


class ExportedDisputeView(Shape):
    """What a bank asks for of it, and where that stands."""

    dispute_id: DisputeRef
    amount: Amount
    dispute_reason: str
    status: str = Field(examples=["needs_response"])
    opened_at: Instant

    @classmethod
    def of(cls, dispute: Dispute) -> "ExportedDisputeView":
        return cls(
            dispute_id=dispute.id,
            amount=dispute.amount,
            dispute_reason=dispute.reason,
            status=dispute.status.value,
            opened_at=dispute.opened_at,
        )


class ExportedPaymentView(Shape):
    """A payment that was asked of the customer. `payment` is null where none came of it yet."""

    intent: PaymentIntentView
    payment: ExportedMoneyView | None
    refunds: tuple[ExportedRefundView, ...]
    disputes: tuple[ExportedDisputeView, ...]

    @classmethod
    def of(cls, exported: ExportedPayment) -> "ExportedPaymentView":
        payment = exported.standing.payment
        return cls(
            intent=PaymentIntentView.whole(exported.standing),
            payment=None if payment is None else ExportedMoneyView.of(payment),
            refunds=tuple(ExportedRefundView.of(each) for each in exported.refunds),
            disputes=tuple(ExportedDisputeView.of(each) for each in exported.disputes),
        )


class CustomerExport(Outcome):
    """All that there is about a customer, as of `takenAt`; payments are those of the properties
    that the caller works at. `end` stands behind everything else, with how many there are: a file
    that has none was broken off."""

    taken_at: Instant
    customer: CustomerView
    payment_methods: tuple[StoredMethodView, ...] = ()
    payments: tuple[ExportedPaymentView, ...] = ()
    end: Mapping[Literal["paymentMethods", "payments"], int] = Field(default_factory=dict)
    _asked: Asked = PrivateAttr()

    @classmethod
    def begun(cls, customer: CustomerView, asked: Asked, at: Any) -> "CustomerExport":
        """The export before anything but the customer has been read."""
        export = cls(taken_at=at, customer=customer)
        export._asked = asked
        return export

    @property
    def asked(self) -> Asked:
        """What is to be read."""
        return self._asked

    @property
    def media_type(self) -> str:
        return "application/json"

    @property
    def file_name(self) -> str:
        return f"{self.customer.customer_id}.json"
