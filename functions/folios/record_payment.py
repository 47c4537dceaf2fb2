"""Record a payment that a guest made: card, bank transfer, mobile money or voucher.

A card payment carries the processor's id and is recorded once, whether the desk or the processor's
event comes first. Another currency is converted by the rates that the folio pinned, and both
amounts are kept. Cash needs an open drawer session; none can be opened yet, so cash is refused.
"""

import hashlib

from common.contracts.fields import FolioRef, FreeText, Payable, PaymentRef, PaymentToken, Token
from common.contracts.folios import LinesAnswer
from common.contracts.shapes import Request
from common.domain.folio import FolioAlreadyClosed, FolioUnknown, Overpayment
from common.domain.fx import FxRateMissing
from common.domain.identifiers import PaymentId
from common.domain.money import AmountNotPositive
from common.domain.payment import (
    NoOpenCashSession,
    Payment,
    PaymentAlreadyRecorded,
    PaymentMethod,
    ProcessorPaymentMissing,
)
from common.ports.transaction import Transaction
from common.runtime.declaration import RateLimit, http_function


class RecordPayment(Request):
    """What was handed over. `allowCredit` takes more than is owed, as a deposit."""

    folio_id: FolioRef
    id: PaymentRef | None = None
    method: PaymentMethod
    amount: Payable
    payment_id: Token | None = None
    payment_method_token: PaymentToken | None = None
    reference: FreeText | None = None
    allow_credit: bool = False


@http_function(
    "POST",
    "/folios/{folio_id}/payments",
    scope="billing.folio.write",
    status=201,
    moves_money=True,
    creates=True,
    etag="folio",
    limits=(RateLimit(quota=10, window_seconds=60),),
    refusals=(
        FolioUnknown,
        FolioAlreadyClosed,
        AmountNotPositive,
        Overpayment,
        FxRateMissing,
        NoOpenCashSession,
        ProcessorPaymentMissing,
        PaymentAlreadyRecorded,
    ),
)
def record_payment(request: RecordPayment, tx: Transaction) -> LinesAnswer:
    """Take a payment off the balance and answer what is left.

    Refuses: FolioUnknown, FolioAlreadyClosed, AmountNotPositive, Overpayment, FxRateMissing,
    NoOpenCashSession, ProcessorPaymentMissing, PaymentAlreadyRecorded.
    """
    folio = tx.folios.take(request.folio_id)
    payment = Payment.received(
        id=request.id or tx.new_id(PaymentId),
        folio_id=folio.id,
        method=request.method,
        paid=request.amount,
        amount=folio.convert(request.amount),
        fx=folio.snapshot_for(request.amount.currency),
        business_date=tx.settings.property(folio.property_id).business_date(tx.now),
        processor_payment_id=request.payment_id,
        method_token_digest=_digest(request.payment_method_token),
        reference=request.reference,
    )
    recorded = folio.record_payment(payment, tx, allow_credit=request.allow_credit)
    tx.folios.keep(folio)
    tx.folios.keep_payment(payment)
    tx.ledger.post(recorded)
    tx.tell(recorded)
    return LinesAnswer.of(recorded)


def _digest(token: str | None) -> str | None:
    """Enough of the processor's token to recognise it, useless to charge it."""
    return hashlib.sha256(token.encode()).hexdigest() if token else None
