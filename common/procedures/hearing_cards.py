"""What the processor's events say of payments and payment methods that were made here (WH-4).

Each is held against the books: a payment moves on to the state that is told, if that is a later
one; a method takes over what is newer. What is told of things that were not made here changes
nothing.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from common.contracts.webhooks import ProcessorObject
from common.domain.identifiers import PaymentIntentId
from common.domain.money import Money
from common.domain.payment_intent import PaymentIntentUnknown
from common.domain.processor_payment import Heard, PaymentStatus
from common.domain.processor_units import from_processor
from common.domain.stored_method import MethodFact, MethodKind, StoredMethod
from common.domain.webhook import WebhookContradictsBooks
from common.ports.transaction import Transaction
from common.procedures.charging_subscriptions import heard_of_charge
from common.procedures.collecting import keep_heard
from common.procedures.hearing_purchases import heard_of_purchase
from common.procedures.hearing_subscriptions import (
    declined_there,
    paid_there,
    subscription_ended,
    subscription_told,
    trial_will_end,
)

MethodChange = Callable[[StoredMethod, ProcessorObject, Transaction], MethodFact | None]


def intent_succeeded(about: ProcessorObject, tx: Transaction) -> None:
    """A payment that was made here has been taken.

    Refuses: PaymentIntentUnknown, WebhookContradictsBooks.
    """
    received = about.amount_received if about.object == "payment_intent" else about.amount_captured
    if received is None or about.currency is None:
        raise WebhookContradictsBooks("It does not say how much was captured.")
    _told(about, PaymentStatus.SUCCEEDED, from_processor(received, about.currency), tx)


def _intent_told(status: PaymentStatus, about: ProcessorObject, tx: Transaction) -> None:
    """A payment has come to another state; one that was not made here is not ours to know."""
    if about.metadata.payment_intent_id is not None:
        _told(about, status, None, tx)


def _told(
    about: ProcessorObject, status: PaymentStatus, received: Money | None, tx: Transaction
) -> None:
    try:
        intent_id = PaymentIntentId(about.metadata.payment_intent_id or "")
    except ValueError:
        raise PaymentIntentUnknown() from None
    heard = Heard(
        processor_payment_id=about.payment,
        status=status,
        received=received,
        failure_code=about.failure_code,
    )
    if about.metadata.folio_id is None and (
        heard_of_purchase(intent_id, heard, tx) or heard_of_charge(intent_id, None, heard, tx)
    ):
        return
    folio, intent = tx.payment_intents.take(intent_id)
    keep_heard(folio, intent, heard, tx)


def _invoice_told(status: PaymentStatus, about: ProcessorObject, tx: Transaction) -> None:
    """The processor tells of an invoice that is paid, or is not, by a payment of ours; or of one
    that it writes itself for a subscription that is kept here."""
    is_paid = status is PaymentStatus.SUCCEEDED
    is_told = about.amount_paid is not None and about.currency is not None
    heard = Heard(
        processor_payment_id=about.payment_intent,
        status=status,
        received=from_processor(about.amount_paid or 0, about.currency or "")
        if is_paid and is_told
        else None,
        failure_code=about.failure_code,
    )
    is_ours = about.payment_intent is not None and heard_of_charge(
        about.metadata.payment_intent_id, about.payment_intent, heard, tx
    )
    if is_ours:
        return
    if is_paid:
        paid_there(about, heard, tx)
    else:
        declined_there(about, tx)


def _method_told(change: MethodChange, about: ProcessorObject, tx: Transaction) -> None:
    """Something is told of a method. Refuses: WebhookContradictsBooks for another's customer."""
    if about.token_digest is None:
        return
    method = tx.stored_methods.find_by_token(bytes.fromhex(about.token_digest))
    if method is None:
        return
    owner = tx.customers.get(method.customer_id)
    if about.customer not in (None, owner.processor_customer_id):
        raise WebhookContradictsBooks("The payment method is another customer's here.")
    fact = change(method, about, tx)
    if fact is not None:
        tx.stored_methods.keep(method)
        tx.tell(fact)


def _attached(method: StoredMethod, about: ProcessorObject, tx: Transaction) -> None:
    """It is known; whoever has left it has told us first, or will."""


def _authenticated(
    method: StoredMethod, about: ProcessorObject, tx: Transaction
) -> MethodFact | None:
    """The customer has confirmed it for charges in their absence."""
    return method.authenticate(tx)


def _updated(method: StoredMethod, about: ProcessorObject, tx: Transaction) -> MethodFact | None:
    """The bank has sent a new card: brand, digits and expiry as the processor knows them now."""
    if about.card is None or about.told_at is None or method.details.kind is not MethodKind.CARD:
        return None
    return method.update(about.card.details(), datetime.fromtimestamp(about.told_at, UTC), tx)


def _detached(method: StoredMethod, about: ProcessorObject, tx: Transaction) -> MethodFact | None:
    """It was taken from its customer at the processor."""
    return method.remove(tx)


CARD_EFFECTS: Final[dict[str, Callable[[ProcessorObject, Transaction], None]]] = {
    "payment_intent.payment_failed": partial(_intent_told, PaymentStatus.FAILED),
    "payment_intent.requires_action": partial(_intent_told, PaymentStatus.REQUIRES_ACTION),
    "payment_intent.canceled": partial(_intent_told, PaymentStatus.CANCELED),
    "invoice.paid": partial(_invoice_told, PaymentStatus.SUCCEEDED),
    "invoice.payment_failed": partial(_invoice_told, PaymentStatus.FAILED),
    "customer.subscription.created": subscription_told,
    "customer.subscription.updated": subscription_told,
    "customer.subscription.deleted": subscription_ended,
    "customer.subscription.trial_will_end": trial_will_end,
    "setup_intent.succeeded": partial(_method_told, _authenticated),
    "payment_method.attached": partial(_method_told, _attached),
    "payment_method.updated": partial(_method_told, _updated),
    "payment_method.automatically_updated": partial(_method_told, _updated),
    "payment_method.detached": partial(_method_told, _detached),
}
"""The states that are told, by the type of the event."""
