"""A refund of an invoice of the platform: somebody of the platform gives money back (WH-5).

It is promised first, and counts at once: however many run together, the promises never come to more
than what was paid and is left. The processor is asked by a job, under the refund's id. Once it was
made, a credit note says so (`platform_credit`); where it is refused, the amount is free again. What
the processor says first stays. What a bank withholds is not promised beside that, and is free again
once the dispute is won; somebody who does so at the processor itself is believed.
"""

from dataclasses import field
from datetime import datetime
from typing import ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import RefundId, SubscriptionId, SubscriptionInvoiceId
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.platform_credit import must_be_refundable
from common.domain.processor_units import to_processor
from common.domain.refund import RefundStatus
from common.domain.subscription_invoice import SubscriptionInvoice
from common.domain.subscription_payment import SubscriptionPayment


@dataclass(frozen=True, kw_only=True)
class SubscriptionRefundFact(Fact):
    """Something that happened to a refund of an invoice of the platform."""

    subject: "SubscriptionRefund" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class SubscriptionRefundRequested(SubscriptionRefundFact):
    """It is promised; the processor is asked for it from now on."""

    name = "subscription_refund.requested"


@dataclass(frozen=True, kw_only=True)
class SubscriptionRefundSucceeded(SubscriptionRefundFact):
    """The money went back."""

    name = "subscription_refund.succeeded"


@dataclass(frozen=True, kw_only=True)
class SubscriptionRefundFailed(SubscriptionRefundFact):
    """The processor has refused it; the reason is its code."""

    name = "subscription_refund.failed"


@dataclass(kw_only=True)
class SubscriptionRefund(Aggregate):
    """See the module."""

    kind: ClassVar[str] = "subscription_refund"
    id: RefundId
    subscription_id: SubscriptionId
    invoice_id: SubscriptionInvoiceId
    processor_payment_id: str
    amount: Money
    reason: str
    requested_at: datetime
    status: RefundStatus = RefundStatus.PENDING
    failure_code: str | None = None
    settled_at: datetime | None = None

    @classmethod
    def request(
        cls,
        invoice: SubscriptionInvoice,
        payment: SubscriptionPayment,
        amount: Money,
        promised: Money,
        moment: Moment,
        *,
        id: RefundId,
        reason: str,
    ) -> SubscriptionRefundRequested:
        """Promise to give so much back, beside what is `promised` and not made yet, and beside what
        banks ask for and have got: nobody is paid twice.

        Refuses: AmountNotPositive, AmountNotInMinorUnits, CurrenciesDiffer, RefundExceedsPayment.
        """
        to_processor(amount)
        must_be_refundable(invoice, amount, promised + invoice.withheld + invoice.lost)
        refund = cls(
            id=id,
            subscription_id=invoice.subscription_id,
            invoice_id=invoice.id,
            processor_payment_id=payment.processor_payment_id or "",
            amount=amount,
            reason=reason,
            requested_at=moment.now,
        )
        return SubscriptionRefundRequested(
            subject=refund, sequence=refund.next_sequence(), reason=reason
        )

    @property
    def is_pending(self) -> bool:
        return self.status is RefundStatus.PENDING

    def settle(self, failure_code: str | None, moment: Moment) -> SubscriptionRefundFact:
        """It was made, or was refused for this. Raises ValueError where that is known."""
        if not self.is_pending:
            raise ValueError(f"{self.id} is {self.status}")
        self.settled_at = moment.now
        if failure_code is None:
            self.status = RefundStatus.SUCCEEDED
            return SubscriptionRefundSucceeded(subject=self, sequence=self.next_sequence())
        self.status, self.failure_code = RefundStatus.FAILED, failure_code
        return SubscriptionRefundFailed(
            subject=self, sequence=self.next_sequence(), reason=failure_code
        )

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "invoiceId": self.invoice_id,
            "amountMicro": self.amount.amount_micro,
            "currency": str(self.amount.currency),
            "status": self.status.value,
            "failureCode": self.failure_code,
        }
