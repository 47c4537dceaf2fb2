"""The processor is asked for a payment once, and what became of it as often as needed (GW-3, GW-5).

That it is asked is committed before it is asked, and asking holds no lock. The payment's id is the
key under which the processor takes it, and stands in what it keeps. So whatever dies, the payment
is found `processing`, and whoever comes next asks what became of it before anything else.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from common.domain.dataclass import dataclass
from common.domain.identifiers import StoredMethodId
from common.domain.payment_intent import PaymentIntent
from common.domain.processor_payment import Heard, PaymentStatus
from common.domain.stored_method import PaymentMethodErased
from common.ports.answers import Unknown, Unreachable
from common.ports.cards import GatewayUnavailable, NotThere, Order
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.ports.vault import DataKey, KeyDestroyed

if TYPE_CHECKING:
    from common.domain.credit_purchase import CreditPurchase
    from common.domain.subscription_payment import SubscriptionPayment


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """What the processor is to be asked: for a payment (`begins`), or what became of one.

    `key` opens the sealed token of the method that it is taken from. `cancels` where the processor
    is to call it off, unless it was taken.
    """

    order: Order
    begins: bool
    is_settled: bool
    method_id: StoredMethodId | None = None
    sealed: bytes = b""
    key: DataKey | None = None
    cancels: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, and what the processor said."""

    collecting: Collecting
    answer: Heard | NotThere | Unknown | None


def collecting(
    payment: "PaymentIntent | CreditPurchase | SubscriptionPayment",
    tx: Transaction,
    *,
    begins: bool = False,
) -> Collecting:
    """What the processor is to be asked about a payment: a guest's, or the tenant's own."""
    means = tx.payment_intents.means(payment)
    order = Order(
        id=payment.id,
        tenant_id=tx.actor.tenant_id,
        amount=payment.amount,
        processor_customer_id=means.processor_customer_id,
    )
    if isinstance(payment, PaymentIntent):
        order = replace(
            order,
            property_id=payment.property_id,
            folio_id=payment.folio_id,
            challenge=payment.is_challenged,
        )
    return Collecting(
        order=order,
        begins=begins,
        is_settled=not payment.is_under_way,
        method_id=payment.method_id,
        sealed=means.sealed,
        key=means.key if payment.status is PaymentStatus.PROCESSING else None,
    )


def take_from_card(asked: Collecting, powers: Powers) -> Asked:
    """Let the processor take a payment, once; of one that was asked for, ask what became of it.

    In that order: a processor forgets its keys after a while, and a payment under a key that it has
    forgotten would be another one. One that was asked for before waits on where nobody can be
    asked: what was sent then may still arrive, and must not look as if it had never been sent.
    Refuses: GatewayUnavailable, PaymentMethodErased.
    """
    if asked.is_settled:
        return Asked(asked, None)
    if not asked.begins:
        answer = powers.cards.standing(asked.order)
        if not isinstance(answer, NotThere) or asked.key is None:
            return Asked(asked, answer)
    order = replace(asked.order, token=_token(asked, powers))
    try:
        return Asked(asked, powers.cards.pay(order))
    except GatewayUnavailable:
        if asked.begins:
            raise
        return Asked(asked, Unreachable())


def ask_what_became_of_it(asked: Collecting, powers: Powers) -> Asked:
    """Ask the processor what became of a payment, and never for it."""
    return Asked(asked, None if asked.is_settled else powers.cards.standing(asked.order))


def _token(asked: Collecting, powers: Powers) -> str:
    """The token of the method. Refuses: PaymentMethodErased."""
    if asked.key is None or asked.method_id is None:
        raise PaymentMethodErased()
    try:
        return powers.vault.open(asked.order.tenant_id, asked.key, asked.method_id, asked.sealed)
    except KeyDestroyed:
        raise PaymentMethodErased() from None
