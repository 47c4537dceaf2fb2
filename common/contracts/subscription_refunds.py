"""How a refund of an invoice of the platform reads on the wire."""

from common.contracts.fields import Amount, Instant
from common.contracts.references import RefundRef, SubscriptionInvoiceRef
from common.contracts.shapes import Outcome
from common.domain.subscription_refund import SubscriptionRefund


class SubscriptionRefundAnswer(Outcome):
    """A refund: `pending` until the processor has made it, or has refused it."""

    refund_id: RefundRef
    invoice_id: SubscriptionInvoiceRef
    amount: Amount
    status: str
    reason: str | None
    requested_at: Instant

    @classmethod
    def of(cls, refund: SubscriptionRefund) -> "SubscriptionRefundAnswer":
        return cls(
            refund_id=refund.id,
            invoice_id=refund.invoice_id,
            amount=refund.amount,
            status=refund.status.value,
            reason=refund.reason,
            requested_at=refund.requested_at,
        )
