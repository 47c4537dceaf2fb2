"""Take a payment from a card: the processor is asked for it once, however often this is asked.

That it is asked is committed first; then the processor is asked, under the intent's own id; then
what it said is kept, and answered. A second confirmation, beside the first or after it, asks what
became of the payment. What the bank wants the guest to confirm is `requires_action`: how, is
answered by GET /payments/{id}, which asks the processor, because an answer here is kept for a
retry and a client's secret is kept nowhere. What has no answer stays `processing`.

What the folio owes is leased to it in the same commit, so that nobody else collects the same debt
meanwhile; what is no longer owed is not asked for, unless it is wanted as a deposit (BEY-4).

It is weighed before it is asked for (FRD-1). What looks odd is answered as it was, with the review
that it waits for: `requires_payment_method`, as nobody was asked. What is refused is not told why.
"""

from common.contracts.payments import PaymentIntentView
from common.contracts.references import PaymentIntentRef, StoredMethodRef
from common.contracts.shapes import Request
from common.domain.folio import FolioAlreadyClosed, Overpayment
from common.domain.payment import PaymentUnderWay
from common.domain.payment_intent import (
    PaymentIntentUnknown,
    PaymentMethodDiffers,
    PaymentMethodMissing,
)
from common.domain.processor_payment import PaymentNotConfirmable
from common.domain.refusal import Refusal
from common.domain.risk import PaymentRefused
from common.domain.stored_method import (
    PaymentMethodErased,
    PaymentMethodForThePlatform,
    PaymentMethodRemoved,
    PaymentMethodUnknown,
)
from common.domain.webhook import WebhookContradictsBooks
from common.ports.cards import GatewayUnavailable
from common.ports.transaction import Transaction
from common.procedures.asking import Asked, Collecting, collecting, take_from_card
from common.procedures.collecting import keep_answer
from common.procedures.leasing import lease_debt
from common.procedures.weighing import confirm_weighed, note_refused
from common.runtime.declaration import RateLimit, http_function


class ConfirmPayment(Request):
    """Which payment, and from which of its customer's methods; only the first time it is named."""

    payment_intent_id: PaymentIntentRef
    payment_method_id: StoredMethodRef | None = None


def keep(asked: Asked, tx: Transaction) -> PaymentIntentView:
    """Keep what the processor said, and answer where the payment stands.

    Refuses: PaymentIntentUnknown, WebhookContradictsBooks.
    """
    return PaymentIntentView.of(keep_answer(asked, tx))


def take_back(request: ConfirmPayment, tx: Transaction, _: Refusal) -> None:
    """Nobody was asked: the payment stands as if it had not been confirmed."""
    _folio, intent = tx.payment_intents.take(request.payment_intent_id)
    taken_back = intent.take_back(tx)
    if taken_back is not None:
        tx.payment_intents.keep(intent)
        tx.tell(taken_back)


@http_function(
    "POST",
    "/payments/confirm",
    scope="billing.payment.write",
    moves_money=True,
    intends=True,
    etag="payment_intent",
    limits=(RateLimit(quota=10, window_seconds=60),),
    perform=take_from_card,
    record=keep,
    after_refusal={
        GatewayUnavailable: take_back,
        PaymentMethodErased: take_back,
        PaymentRefused: note_refused,
    },
    needs=("database", "gateway", "origins", "vault"),
    refusals=(
        PaymentIntentUnknown,
        PaymentNotConfirmable,
        PaymentMethodMissing,
        PaymentMethodUnknown,
        PaymentMethodRemoved,
        PaymentMethodForThePlatform,
        PaymentMethodDiffers,
        PaymentMethodErased,
        FolioAlreadyClosed,
        Overpayment,
        PaymentUnderWay,
        PaymentRefused,
        GatewayUnavailable,
        WebhookContradictsBooks,
    ),
)
def confirm_payment(request: ConfirmPayment, tx: Transaction) -> Collecting:
    """Take the payment, once, and answer where it stands.

    Refuses: PaymentIntentUnknown, PaymentNotConfirmable, PaymentMethodMissing,
    PaymentMethodUnknown, PaymentMethodRemoved, PaymentMethodForThePlatform, PaymentMethodDiffers,
    PaymentMethodErased, FolioAlreadyClosed, Overpayment, PaymentUnderWay, PaymentRefused,
    GatewayUnavailable, WebhookContradictsBooks.
    """
    folio, intent, method, held = tx.payment_intents.take_with_method(
        request.payment_intent_id, request.payment_method_id
    )
    confirmed = confirm_weighed(folio, intent, method, tx)
    if confirmed is not None:
        lease_debt(folio, intent, held, tx)
        tx.payment_intents.keep(intent)
        tx.tell(confirmed)
    return collecting(intent, tx, begins=confirmed is not None)
