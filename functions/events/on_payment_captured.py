"""The processor has captured a payment: it is on the folio, whoever tells us first."""

import hashlib

from common.contracts.incoming import PaymentCaptured
from common.domain.identifiers import PaymentId
from common.domain.payment import Payment, PaymentMethod
from common.ports.transaction import Transaction
from common.runtime.declaration import event_function


@event_function("melmastoon.payment_gateway.payment.captured.v1")
def on_payment_captured(captured: PaymentCaptured, tx: Transaction) -> None:
    """Record the payment, unless the desk has recorded it; money that came in is never refused.

    Refuses: FolioUnknown, FolioAlreadyClosed, FxRateMissing.
    """
    folio = tx.folios.take(captured.folio_id)
    if tx.folios.find_paid_by(captured.payment_id) is not None:
        return
    token = captured.payment_method_token
    payment = Payment.received(
        id=tx.new_id(PaymentId),
        folio_id=folio.id,
        method=PaymentMethod.CARD,
        paid=captured.amount,
        amount=folio.convert(captured.amount),
        fx=folio.snapshot_for(captured.amount.currency),
        business_date=tx.settings.property(folio.property_id).business_date(tx.now),
        processor_payment_id=captured.payment_id,
        method_token_digest=hashlib.sha256(token.encode()).hexdigest() if token else None,
    )
    recorded = folio.record_payment(payment, tx, allow_credit=True)
    tx.folios.keep(folio)
    tx.folios.keep_payment(payment)
    tx.ledger.post(recorded)
    tx.tell(recorded)
