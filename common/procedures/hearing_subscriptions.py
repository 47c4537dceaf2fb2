"""What the processor tells of a subscription of its own that collects one of ours (WH-4, SUB-6).

Ours is named in its metadata, and is handed over by the first thing that is told of it, in
whatever order that comes. From then on nothing is charged and nobody is dunned here: what is taken
there pays our invoice, once by the id of theirs, and what is declined there is late here. The
period behind one that is over begins by their word as by the cycle, whoever is first (SUB-11); no
other does.

Money has to be what is due of an invoice of ours. What has been taken there for a period that is
paid already (our own charge was faster) goes back by itself. Any other is refused, kept with its
event for a person, and had once there is an invoice for it by running that again.
"""

from datetime import UTC, datetime
from typing import Final

from common.contracts.webhooks import ProcessorObject
from common.domain.money import Money
from common.domain.processor_payment import Heard
from common.domain.subscription import Status, Subscription
from common.domain.subscription_collection import Collection
from common.domain.subscription_invoice import SubscriptionInvoice
from common.domain.subscription_life import CLOCKS_DIFFER, end_there, fall_due, go_on_there
from common.domain.subscription_payment import SubscriptionPayment
from common.domain.webhook import WebhookContradictsBooks
from common.ports.transaction import Transaction
from common.procedures.charging_subscriptions import HANDED_OVER, keep_paid
from common.procedures.giving_back import send_back
from common.procedures.subscribing import foresee_bill, settle, supersede_waiting
from common.procedures.trialing import go_on, remind_of_end

NEVER_STOOD: Final = frozenset({"incomplete", "incomplete_expired", "canceled"})
DECLINED_THERE: Final = "declined_at_the_processor"


def paid_there(about: ProcessorObject, heard: Heard, tx: Transaction) -> None:
    """An invoice of theirs is paid: so is the one of ours of which just that is due. Where none is,
    and that of the period which theirs is of has been paid, it is a second payment of that one.

    Refuses: WebhookContradictsBooks.
    """
    named = about.metadata.subscription_id
    if named is not None and heard.received is not None:
        tx.subscription_payments.foresee_taken_there(
            about.id, named, heard.received, _begins_at(about)
        )
    subscription = _ours(about, tx)
    if subscription is None or tx.subscription_payments.is_taken_there(about.id):
        return
    collection = _handed_over(subscription, about.subscription, about, tx)
    if heard.received is None:
        raise WebhookContradictsBooks("It does not say how much was paid.")
    waiting = tx.subscription_payments.open_of(subscription.id, heard.received)
    begun = _gone_on(subscription, collection, tx)
    if heard.received.is_zero:
        return
    if waiting is None and begun is not None and begun.bill.due == heard.received:
        waiting = (begun, 0)
    if waiting is None:
        _paid_twice(subscription, about, heard.received, tx)
        return
    invoice, trials = waiting
    taken = _taken(invoice, trials, about, heard.received, tx)
    tx.subscription_payments.keep(taken)
    tx.tell(taken.pays())
    keep_paid(subscription, collection, taken, invoice, tx)


def _paid_twice(
    subscription: Subscription, about: ProcessorObject, received: Money, tx: Transaction
) -> None:
    """Money of theirs that no invoice waits for goes back where it is of a period that is paid.

    Which period that is, their invoice has to say: a renewal that was told before ours begins is
    owed, and not too much. Refuses: WebhookContradictsBooks.
    """
    begins_at = _begins_at(about)
    paid = begins_at and tx.subscription_payments.paid_of(subscription.id, received, begins_at)
    if not paid:
        raise WebhookContradictsBooks("No invoice of this subscription waits for this money.")
    invoice, trials = paid
    taken = _taken(invoice, trials, about, received, tx)
    send_back(taken.second(invoice, tx), invoice, tx)


def _taken(
    invoice: SubscriptionInvoice,
    trials: int,
    about: ProcessorObject,
    received: Money,
    tx: Transaction,
) -> SubscriptionPayment:
    return SubscriptionPayment.taken_there(
        invoice, trials + 1, about.id, about.payment_intent, received, tx
    )


def declined_there(about: ProcessorObject, tx: Transaction) -> None:
    """What is owed could not be taken there, where it is tried again: it is late here. An invoice
    of theirs that has paid is not declined any more, and a subscription that never stood is none.
    """
    subscription = _ours(about, tx)
    if subscription is None or tx.subscription_payments.is_taken_there(about.id):
        return
    collection = _handed_over(subscription, None, about, tx)
    if not collection.is_handed_over:
        return
    is_open = tx.subscription_payments.oldest_open(subscription.id) is not None
    begun = _gone_on(subscription, collection, tx)
    if not is_open and (begun is None or begun.bill.due.is_zero):
        return
    fallen = fall_due(subscription, about.failure_code or DECLINED_THERE)
    if fallen is not None:
        tx.subscriptions.keep(subscription)
        tx.tell(fallen)


def subscription_told(about: ProcessorObject, tx: Transaction) -> None:
    """Theirs was made, or has changed: it is known as the one that collects ours, the period that
    is over goes on where it is active, and an end that is announced is ours, too, until it is taken
    back. The newest word of an end counts, in whatever order they come."""
    subscription = None if about.status in NEVER_STOOD else _ours(about, tx)
    if subscription is None:
        return
    collection = _handed_over(subscription, about.id, about, tx)
    if not _is_collected_by(about, collection):
        return
    if about.status == "active":
        _gone_on(subscription, collection, tx)
    if about.cancel_at is None and not about.goes_on:
        return
    if not collection.hears_of_end(_told_at(about, tx)):
        return
    tx.subscription_collections.keep(collection)
    if about.cancel_at is not None:
        _ended(subscription, datetime.fromtimestamp(about.cancel_at, UTC), collection, tx)
    elif (goes_on := go_on_there(subscription)) is not None:
        settle(goes_on, tx, collection=collection)


def subscription_ended(about: ProcessorObject, tx: Transaction) -> None:
    """Theirs has ended: ours ends with the period in which it did, and what is open is collected
    here again."""
    subscription = _ours(about, tx)
    if subscription is None:
        return
    collection = _handed_over(subscription, about.id, about, tx)
    if not _is_collected_by(about, collection):
        return
    ended_at = about.ended_at or about.canceled_at
    at = datetime.fromtimestamp(ended_at, UTC) if ended_at is not None else _told_at(about, tx)
    _ended(subscription, at, collection, tx)
    back = collection.take_back(about.id, at, tx)
    tx.subscription_collections.keep(collection)
    if back is not None:
        tx.tell(back)


def trial_will_end(about: ProcessorObject, tx: Transaction) -> None:
    """The trial of theirs will end: of ours it is told once, by this or by the job."""
    subscription = _ours(about, tx)
    if subscription is None:
        return
    collection = _handed_over(subscription, about.id, about, tx)
    if subscription.status is Status.TRIALING and _is_collected_by(about, collection):
        remind_of_end(subscription, tx, collection)


def _ours(about: ProcessorObject, tx: Transaction) -> Subscription | None:
    """The subscription that theirs names, locked; None where it names none that stands here."""
    if about.metadata.subscription_id is None:
        return None
    foresee_bill(tx)
    tx.subscription_collections.foresee_method()
    tx.subscription_payments.foresee()
    subscription = tx.subscriptions.find()
    if subscription is None or subscription.id != about.metadata.subscription_id:
        return None
    return subscription


def _handed_over(
    subscription: Subscription, theirs: str | None, about: ProcessorObject, tx: Transaction
) -> Collection:
    """How it is collected: by theirs from now on, where that is news, and what waits for the tenant
    at the bank for us is called off. Refuses: WebhookContradictsBooks, where another collects it.
    """
    collection = tx.subscription_collections.find(subscription.id)
    if collection is None:
        begun = Collection.begin(subscription.id, None, tx)
        collection = begun.subject
        tx.tell(begun)
    handed = collection.hand_over(theirs, _told_at(about, tx)) if theirs else None
    tx.subscription_collections.keep(collection)
    if handed is not None:
        tx.tell(handed)
        supersede_waiting(subscription.id, HANDED_OVER, tx)
    return collection


def _is_collected_by(about: ProcessorObject, collection: Collection) -> bool:
    """Whether what is told of is the one that collects it: what has ended is not heard any more."""
    return collection.is_handed_over and collection.processor_subscription_id == about.id


def _gone_on(
    subscription: Subscription, collection: Collection, tx: Transaction
) -> SubscriptionInvoice | None:
    """The invoice of the period behind one that is over: it begins, unless the cycle was first."""
    if subscription.due_at is None or subscription.due_at > tx.now:
        return None
    return go_on(subscription, tx, collection=collection)


def _ended(
    subscription: Subscription, at: datetime, collection: Collection, tx: Transaction
) -> None:
    """Let ours end with the period in which theirs does, once that has begun here."""
    due_at = subscription.due_at
    if due_at is not None and due_at + CLOCKS_DIFFER < at:
        _gone_on(subscription, collection, tx)
    ended = end_there(subscription, at, tx.now)
    if ended is not None:
        settle(ended, tx, collection=collection)


def _begins_at(about: ProcessorObject) -> datetime | None:
    """When the period begins that an invoice of theirs is of, where it says so."""
    told = about.covers_from
    return None if told is None else datetime.fromtimestamp(told, UTC)


def _told_at(about: ProcessorObject, tx: Transaction) -> datetime:
    return tx.now if about.told_at is None else datetime.fromtimestamp(about.told_at, UTC)
