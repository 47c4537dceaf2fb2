"""Cancel a payment that nobody wants any more, so that its debt may be paid in another way (GW-3).

One that nobody was asked for is canceled here. One that waits for its guest is canceled at the
processor first, by our id, and what the processor says is kept: a guest who was faster has paid,
and that stays so. What the processor is taking at this moment is refused; its word comes soon. One
that is canceled is answered as it is. What dies between the processor and our books is done by the
same request again, or by the job that asks what became of it.
"""

from common.contracts.payments import PaymentIntentView
from common.contracts.references import PaymentIntentRef
from common.contracts.shapes import Request
from common.domain.dataclass import dataclass
from common.domain.identifiers import PaymentIntentId
from common.domain.payment_intent import PaymentIntentUnknown, PaymentNotCancelable
from common.domain.processor_payment import Heard, PaymentStatus
from common.domain.webhook import WebhookContradictsBooks
from common.ports.cards import GatewayUnavailable, Order
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.procedures.asking import collecting
from common.procedures.collecting import keep_heard
from common.runtime.declaration import RateLimit, http_function


class CancelPayment(Request):
    """The payment in the path."""

    payment_intent_id: PaymentIntentRef


@dataclass(frozen=True, slots=True)
class Canceling:
    """A payment, and what the processor is to cancel, if it knows of it."""

    intent_id: PaymentIntentId
    order: Order | None


@dataclass(frozen=True, slots=True)
class Canceled:
    """A payment, and what the processor said of it, if it was asked."""

    intent_id: PaymentIntentId
    heard: Heard | None


def cancel_there(canceling: Canceling, powers: Powers) -> Canceled:
    """Let the processor cancel it, and hear how it stands then. Refuses: GatewayUnavailable."""
    if canceling.order is None:
        return Canceled(canceling.intent_id, None)
    heard = powers.cards.cancel(canceling.order)
    if not isinstance(heard, Heard):
        raise GatewayUnavailable()
    return Canceled(canceling.intent_id, heard)


def keep(canceled: Canceled, tx: Transaction) -> PaymentIntentView:
    """Keep that nobody wants it, or what the processor said, and answer where it stands.

    Refuses: PaymentIntentUnknown, PaymentNotCancelable, WebhookContradictsBooks.
    """
    folio, intent = tx.payment_intents.take(canceled.intent_id)
    if canceled.heard is not None:
        keep_heard(folio, intent, canceled.heard, tx)
        return PaymentIntentView.of(intent)
    fact = intent.cancel(tx)
    if fact is not None:
        tx.payment_intents.keep(intent)
        tx.tell(fact)
    return PaymentIntentView.of(intent)


@http_function(
    "POST",
    "/payments/{payment_intent_id}/cancel",
    scope="billing.payment.write",
    moves_money=True,
    etag="payment_intent",
    limits=(RateLimit(quota=10, window_seconds=60),),
    perform=cancel_there,
    record=keep,
    needs=("database", "gateway"),
    refusals=(
        PaymentIntentUnknown,
        PaymentNotCancelable,
        GatewayUnavailable,
        WebhookContradictsBooks,
    ),
)
def cancel_payment(request: CancelPayment, tx: Transaction) -> Canceling:
    """Cancel a payment, unless it was taken meanwhile, and answer where it stands.

    Refuses: PaymentIntentUnknown, PaymentNotCancelable, GatewayUnavailable,
    WebhookContradictsBooks.
    """
    intent = tx.payment_intents.get(request.payment_intent_id).intent
    intent.must_be_cancelable()
    waits = intent.status is PaymentStatus.REQUIRES_ACTION
    return Canceling(intent.id, collecting(intent, tx).order if waits else None)
