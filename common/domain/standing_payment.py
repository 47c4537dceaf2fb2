"""Where a payment stands that was taken: with what became of its money since (GW-3)."""

from common.domain.dataclass import dataclass
from common.domain.payment import Payment
from common.domain.payment_intent import PaymentIntent
from common.domain.processor_payment import PaymentStatus
from common.domain.returned_payment import ReturnedPayment


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPayment:
    """An intent with what became of its money: its payment, and whether a bank asks for it; or as
    what it went back, where its folio was closed."""

    intent: PaymentIntent
    payment: Payment | None
    is_disputed: bool
    returned: ReturnedPayment | None = None

    @property
    def status(self) -> PaymentStatus:
        """Where the payment stands: the intent's state, or that of its money since."""
        if self.intent.status is not PaymentStatus.SUCCEEDED:
            return self.intent.status
        if self.is_disputed or (self.returned and self.returned.is_contested):
            return PaymentStatus.DISPUTED
        if self.payment is None:
            is_back = self.returned is not None and not self.returned.is_unreturned
            return PaymentStatus.REFUNDED if is_back else PaymentStatus.SUCCEEDED
        if not self.payment.is_kept:
            return PaymentStatus.REFUNDED
        return (
            PaymentStatus.SUCCEEDED
            if self.payment.refunded_paid.is_zero
            else PaymentStatus.PARTIALLY_REFUNDED
        )
