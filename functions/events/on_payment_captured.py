"""The processor has captured a payment: it is on the folio, whoever tells us first."""

from common.contracts.incoming import PaymentCaptured
from common.domain.payment import PaymentMethod
from common.ports.transaction import Transaction
from common.procedures.paying import take_payment
from common.runtime.declaration import event_function


@event_function("melmastoon.payment_gateway.payment.captured.v1")
def on_payment_captured(captured: PaymentCaptured, tx: Transaction) -> None:
    """Record the payment, unless the desk has; more than is owed becomes a credit.

    Refuses: FolioUnknown, FolioAlreadyClosed, FxRateMissing.
    """
    folio = tx.folios.take(captured.folio_id)
    if tx.folios.find_paid_by(captured.payment_id) is not None:
        return
    take_payment(
        tx,
        folio,
        captured.amount,
        PaymentMethod.CARD,
        processor_payment_id=captured.payment_id,
        token=captured.payment_method_token,
        allow_credit=True,
    )
