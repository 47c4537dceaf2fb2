"""Buy prepaid credits with a payment method that a customer has left.

That the processor is asked is committed first; then it is asked, under the purchase's own id; then
what it said is kept, and with a payment its credits. Whoever asks brings the id: however often the
same purchase is asked for, beside the first time or after it, the payment is taken once. What the
bank wants the buyer to confirm is `requires_action`: how, is answered by GET
/credits/purchases/{id}. What has no answer stays `processing` until a job has settled it.
"""

from common.contracts.fields import CreditsMicro, Word
from common.contracts.purchases import CreditPurchaseView
from common.contracts.references import PaymentIntentRef, StoredMethodRef
from common.contracts.shapes import Request
from common.domain.credit_purchase import (
    CreditPurchase,
    CreditPurchaseTooLarge,
    CreditPurchaseTooSmall,
    CreditPurchaseUnknown,
    PurchaseOrigin,
)
from common.domain.money import AmountNotPositive
from common.domain.prepaid_account import (
    MAIN,
    CreditAccountUnknown,
    CreditBalanceLimit,
    CreditsOutOfRange,
)
from common.domain.processor_payment import PaymentNotConfirmable
from common.domain.refusal import Refusal
from common.domain.stored_method import (
    PaymentMethodErased,
    PaymentMethodForStays,
    PaymentMethodRemoved,
    PaymentMethodUnknown,
)
from common.domain.webhook import WebhookContradictsBooks
from common.ports.cards import GatewayUnavailable
from common.ports.transaction import Transaction
from common.ports.transactions import IdConflict
from common.procedures.asking import Asked, Collecting, collecting, take_from_card
from common.procedures.purchasing import keep_answer
from common.runtime.declaration import RateLimit, http_function


class PurchaseCredits(Request):
    """How many credits, for which account, from which payment method."""

    id: PaymentIntentRef
    account: Word = MAIN
    credits_micro: CreditsMicro
    payment_method_id: StoredMethodRef


def keep(asked: Asked, tx: Transaction) -> CreditPurchaseView:
    """Keep what the processor said, and answer where the purchase stands.

    Refuses: CreditPurchaseUnknown, WebhookContradictsBooks, CreditsOutOfRange.
    """
    return CreditPurchaseView.of(keep_answer(asked, tx))


def take_back(request: PurchaseCredits, tx: Transaction, _: Refusal) -> None:
    """Nobody was asked: the purchase stands as if it had not been asked for."""
    purchase = tx.credit_purchases.take(request.id)
    taken_back = purchase.take_back(tx)
    if taken_back is not None:
        tx.credit_purchases.keep(purchase)
        tx.tell(taken_back)


@http_function(
    "POST",
    "/credits/purchase",
    scope="billing.credits.write",
    status=201,
    moves_money=True,
    creates=True,
    intends=True,
    limits=(
        RateLimit(quota=10, window_seconds=60),
        RateLimit(quota=10, window_seconds=3600, per="tenant"),
    ),
    perform=take_from_card,
    record=keep,
    after_refusal={GatewayUnavailable: take_back, PaymentMethodErased: take_back},
    needs=("database", "gateway", "vault"),
    refusals=(
        CreditAccountUnknown,
        CreditBalanceLimit,
        CreditPurchaseTooSmall,
        CreditPurchaseTooLarge,
        CreditPurchaseUnknown,
        CreditsOutOfRange,
        AmountNotPositive,
        PaymentNotConfirmable,
        PaymentMethodUnknown,
        PaymentMethodRemoved,
        PaymentMethodForStays,
        PaymentMethodErased,
        GatewayUnavailable,
        WebhookContradictsBooks,
    ),
)
def purchase_credits(request: PurchaseCredits, tx: Transaction) -> Collecting:
    """Buy credits, once, and answer where the purchase stands.

    Refuses: CreditAccountUnknown, CreditBalanceLimit, CreditPurchaseTooSmall,
    CreditPurchaseTooLarge, CreditPurchaseUnknown, CreditsOutOfRange, AmountNotPositive,
    PaymentNotConfirmable, PaymentMethodUnknown, PaymentMethodRemoved, PaymentMethodForStays,
    PaymentMethodErased, GatewayUnavailable, WebhookContradictsBooks.
    """
    tx.stored_methods.foresee(request.payment_method_id)
    tx.credit_purchases.foresee_other(request.id)
    purchase = tx.credit_purchases.find(request.id)
    account = tx.prepaid.take(request.account)
    method = tx.stored_methods.get(request.payment_method_id)
    tx.payment_intents.foresee_means(method.customer_id, method.id)
    if purchase is None:
        if tx.credit_purchases.is_others(request.id):
            raise IdConflict()
        purchase = CreditPurchase.wanted(
            account,
            method,
            request.credits_micro,
            id=request.id,
            origin=PurchaseOrigin.ASKED,
            moment=tx,
        )
    elif not purchase.is_wanted_again(account.name, method.id, request.credits_micro):
        raise IdConflict()
    confirmed = purchase.confirm(account, method, tx.credit_purchases.under_way(account.id), tx)
    if confirmed is not None:
        tx.credit_purchases.keep(purchase)
        tx.tell(confirmed)
    return collecting(purchase, tx, begins=confirmed is not None)
