"""The processor has captured a payment: it is on the folio, whoever tells us first."""

from common.contracts.incoming import PaymentCaptured
from common.ports.transaction import Transaction
from common.procedures.capturing import capture_payment
from common.runtime.declaration import event_function


@event_function("melmastoon.payment_gateway.payment.captured.v1")
def on_payment_captured(captured: PaymentCaptured, tx: Transaction) -> None:
    """Record the payment, unless the desk has. What others have paid already goes back by itself;
    what else is more than is owed becomes a credit.

    Refuses: FolioUnknown, FolioAlreadyClosed, FxRateMissing.
    """
    capture_payment(
        tx,
        captured.folio_id,
        captured.payment_id,
        captured.amount,
        captured.payment_method_token,
        allow_credit=captured.allow_credit,
    )
