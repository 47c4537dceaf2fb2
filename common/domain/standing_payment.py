"""Where a payment stands that was taken: with what became of its money since (GW-3)."""

from dataclasses import dataclass

from common.domain.payment import Payment
from common.domain.payment_intent import PaymentIntent
from common.domain.processor_payment import PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPayment:
    """An intent with what became of its money: its payment, and whether a bank asks for it."""

    intent: PaymentIntent
    payment: Payment | None
    is_disputed: bool

    @property
    def status(self) -> PaymentStatus:
        """Where the payment stands: the intent's state, or that of its money since."""
        if self.intent.status is not PaymentStatus.SUCCEEDED or self.payment is None:
            return self.intent.status
        if self.is_disputed:
            return PaymentStatus.DISPUTED
        if not self.payment.is_kept:
            return PaymentStatus.REFUNDED
        return (
            PaymentStatus.SUCCEEDED
            if self.payment.refunded_paid.is_zero
            else PaymentStatus.PARTIALLY_REFUNDED
        )
