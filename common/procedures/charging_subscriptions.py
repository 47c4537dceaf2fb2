"""An invoice of the platform is charged, and what is declined is dunned (SUB-6, SUB-7, GW-5).

That the processor is asked is committed before it is asked, under an id that is reckoned from the
invoice. Its word comes to a job or by its event, and whoever hears it first locks the subscription
and writes down in one transaction what it means: the invoice is paid and booked and the tenant is
served, or the charge was declined, and when it is tried again, or that it is not.

So nobody is suspended but by a word that was heard: who does not answer suspends nobody.
"""

from typing import Final

from common.domain.dunning import (
    AUTHENTICATION,
    LOOK_AGAIN,
    METHOD_FOR_STAYS,
    METHOD_MISSING,
    TOO_SMALL,
    Held,
    Step,
)
from common.domain.identifiers import SubscriptionId
from common.domain.processor_payment import NEVER_ARRIVED, Heard, PaymentStatus
from common.domain.stored_method import StoredMethod
from common.domain.subscription import TRANSITIONS, Status, Subscription
from common.domain.subscription_collection import Collection
from common.domain.subscription_invoice import SubscriptionInvoice
from common.domain.subscription_life import fall_due, restore, suspend
from common.domain.subscription_payment import SubscriptionPayment
from common.domain.webhook import WebhookContradictsBooks
from common.ports.cards import NotThere
from common.ports.subscriptions import Charged
from common.ports.transaction import Transaction
from common.procedures.asking import Asked
from common.procedures.giving_back import send_back
from common.procedures.subscribing import (
    OTHER_METHOD,
    SET_OFF,
    foresee_bill,
    give_back_beyond,
    settle,
    supersede_waiting,
    usage_due,
)
from common.procedures.taxing import taxed

PAID: Final = "All that was due is paid"
TOO_LITTLE: Final = "What is left is less than any card can pay"
UNPAID: Final = "It was not paid in time"
GIVEN_UP: Final = "Its invoice is given up"
HANDED_OVER: Final = "The processor collects it itself"
_S = PaymentStatus


def collect(subscription_id: SubscriptionId, tx: Transaction) -> None:
    """Do what is due for a subscription: charge its oldest open invoice, or end what nobody pays.

    Whoever comes second finds that it is done. Refuses: SubscriptionUnknown.
    """
    tx.subscription_collections.foresee(subscription_id)
    tx.subscription_collections.foresee_held()
    tx.subscription_payments.foresee(subscription_id)
    tx.subscription_payments.foresee_oldest_open(subscription_id)
    subscription = tx.subscriptions.take_by_id(subscription_id)
    collection = tx.subscription_collections.find(subscription_id)
    if collection is None or collection.next_at is None or collection.next_at > tx.now:
        return
    found = tx.subscription_payments.oldest_open(subscription_id)
    collection.next_at = None
    tx.subscription_collections.keep(collection)
    if tx.subscription_payments.is_under_way(subscription_id):
        return
    if found is None:
        if subscription.status in (Status.PAST_DUE, Status.SUSPENDED):
            _all_is_well(subscription, collection, PAID, tx)
        return
    if subscription.status is Status.PAUSED:
        collection.look_at(tx.now + LOOK_AGAIN)
        return
    held = tx.subscription_collections.held()
    step = collection.dunning.step(tx.settings.dunning, held, tx.now)
    if step is Step.CHARGE:
        _charge(subscription, collection, *found, tx)
    elif step is Step.WAIT:
        collection.next_at = collection.dunning.next_at(tx.settings.dunning, tx.now)
    else:
        _end(held, subscription, collection, tx)


def _charge(
    subscription: Subscription,
    collection: Collection,
    invoice: SubscriptionInvoice,
    trials: int,
    tx: Transaction,
) -> None:
    """Write down that an invoice is charged; where there is nothing to charge, it is declined. So
    it is where what was chosen once was left for stays, and never for this: the tenant is told."""
    method = _method(collection, tx)
    if method is None:
        _declined(subscription, collection, METHOD_MISSING, tx)
        return
    if not method.pays_the_platform:
        _declined(subscription, collection, METHOD_FOR_STAYS, tx)
        return
    started = SubscriptionPayment.start(invoice, trials + 1, method, tx)
    tx.subscription_payments.keep(started.subject)
    tx.tell(started)


def _method(collection: Collection, tx: Transaction) -> StoredMethod | None:
    """What is charged; None where it was never chosen, or is gone."""
    if collection.method_id is None:
        return None
    method = tx.stored_methods.get(collection.method_id)
    return None if method.is_removed else method


def keep_answer(asked: Asked, tx: Transaction) -> None:
    """Keep what the processor said; what has no answer is asked after later. What it knows nothing
    of, and could not be asked for since the method is gone, has failed after a while.

    Refuses: SubscriptionUnknown, WebhookContradictsBooks.
    """
    payment_id = asked.collecting.order.id
    whose = tx.subscription_payments.whose(payment_id, None)
    if whose is None:
        raise LookupError(payment_id)
    subscription, collection, payment = _taken(whose, tx)
    if isinstance(asked.answer, Heard):
        keep_heard(subscription, collection, payment, asked.answer, tx)
    elif isinstance(asked.answer, NotThere) and (lost := payment.give_up(tx)):
        tx.subscription_payments.keep(payment)
        tx.subscription_collections.keep(collection)
        tx.tell(lost)
        if tx.subscriptions.get_invoice(payment.invoice_id).left != payment.amount:
            collection.look_at(tx.now)
        else:
            _declined(subscription, collection, NEVER_ARRIVED, tx)
    if payment.is_under_way:
        tx.subscription_payments.postpone(payment)


def heard_of_charge(
    payment_id: str | None, processor_payment_id: str | None, heard: Heard, tx: Transaction
) -> bool:
    """A charge has come to another state; False where the payment is for no invoice of ours.

    Refuses: SubscriptionUnknown, WebhookContradictsBooks.
    """
    whose = tx.subscription_payments.whose(payment_id, processor_payment_id)
    if whose is None:
        return False
    keep_heard(*_taken(whose, tx), heard, tx)
    return True


def _taken(whose: Charged, tx: Transaction) -> tuple[Subscription, Collection, SubscriptionPayment]:
    """A charge with its subscription, which is locked, and how that is collected; and along with
    that what follows from its being paid, or declined."""
    subscription_id = whose.subscription_id
    tx.subscription_payments.foresee_charge(whose)
    tx.subscription_payments.foresee_oldest_open(subscription_id, whose.invoice_id)
    tx.subscriptions.foresee_invoice(whose.invoice_id)
    foresee_bill(tx, subscription_id)
    tx.subscription_collections.foresee_held()
    subscription = tx.subscriptions.take_by_id(subscription_id)
    collection = tx.subscription_collections.find(subscription_id)
    if collection is None:
        raise LookupError(subscription_id)
    return subscription, collection, tx.subscription_payments.get(whose.payment_id)


def keep_heard(
    subscription: Subscription,
    collection: Collection,
    payment: SubscriptionPayment,
    heard: Heard,
    tx: Transaction,
) -> None:
    """Move a charge on to what is heard of it, unless that is known, and let the rest follow.

    Refuses: WebhookContradictsBooks.
    """
    if payment.processor_payment_id not in (None, heard.processor_payment_id):
        raise WebhookContradictsBooks("The payment is another one at the processor.")
    if not payment.may_hear(heard):
        _still_waits(subscription, collection, payment, tx)
        return
    if heard.status is _S.SUCCEEDED and heard.received not in (None, payment.amount):
        raise WebhookContradictsBooks("Another amount was taken than was asked for.")
    invoice = tx.subscriptions.get_invoice(payment.invoice_id)
    if invoice.paid_at is not None:
        _came_second(subscription, collection, payment, invoice, heard, tx)
        return
    was_given_up = not payment.is_under_way
    fact = payment.hear(heard, tx)
    tx.subscription_payments.keep(payment)
    tx.subscription_collections.keep(collection)
    tx.tell(fact)
    if payment.is_paid:
        if was_given_up:
            _call_off_others(payment, tx)
        keep_paid(subscription, collection, payment, invoice, tx)
    elif payment.is_under_way:
        _begins_to_wait(subscription, collection, payment, invoice, tx)
    elif payment.amount != invoice.left:
        collection.look_at(tx.now)
    elif payment.failure_code == TOO_SMALL:
        _let_go(subscription, collection, payment, tx)
    elif collection.method_id != payment.method_id or payment.is_superseded:
        collection.look_at(tx.now)
    else:
        code = payment.failure_code or payment.status.value
        _declined(subscription, collection, code, tx)


def _call_off_others(payment: SubscriptionPayment, tx: Transaction) -> None:
    """A charge that had failed was taken after all: another one of its invoice that waits at the
    bank is called off."""
    waiting = tx.subscription_payments.find_waiting(payment.subscription_id)
    if waiting is not None and waiting.invoice_id == payment.invoice_id:
        supersede_waiting(payment.subscription_id, PAID, tx)


def _came_second(
    subscription: Subscription,
    collection: Collection,
    payment: SubscriptionPayment,
    invoice: SubscriptionInvoice,
    heard: Heard,
    tx: Transaction,
) -> None:
    """Something is heard of a charge whose invoice another one has paid: what was taken goes back,
    what waits at the bank is called off, and what was declined is no matter any more."""
    if heard.status is _S.SUCCEEDED:
        send_back(payment.come_second(heard, invoice, tx), invoice, tx)
    else:
        fact = payment.hear(heard, tx)
        superseded = payment.supersede(PAID)
        tx.subscription_payments.keep(payment)
        tx.tell(fact)
        if superseded is not None:
            tx.tell(superseded)
    is_more = tx.subscription_payments.oldest_open(subscription.id, invoice.id) is not None
    if is_more and not payment.is_under_way:
        collection.look_at(tx.now)
    tx.subscription_collections.keep(collection)


def keep_paid(
    subscription: Subscription,
    collection: Collection,
    payment: SubscriptionPayment,
    invoice: SubscriptionInvoice,
    tx: Transaction,
) -> None:
    """An invoice is paid; what was set off of it beside that is credit again."""
    give_back_beyond(subscription, invoice, payment, tx)
    tx.subscription_payments.pay_invoice(payment, invoice)
    _owes_less(subscription, collection, invoice, PAID, tx)


def _let_go(
    subscription: Subscription,
    collection: Collection,
    payment: SubscriptionPayment,
    tx: Transaction,
) -> None:
    """So little is due of an invoice that no card can pay it: it is lost, and nobody is dunned or
    suspended for it."""
    invoice = tx.subscriptions.get_invoice(payment.invoice_id)
    tx.subscription_payments.give_up(invoice)
    _owes_less(subscription, collection, invoice, TOO_LITTLE, tx)


def _owes_less(
    subscription: Subscription,
    collection: Collection,
    invoice: SubscriptionInvoice,
    reason: str,
    tx: Transaction,
) -> None:
    """Of an invoice nothing is open any more. What else is open is charged next; if nothing is, all
    is well again."""
    is_more = tx.subscription_payments.oldest_open(subscription.id, invoice.id) is not None
    collection.look_at(tx.now if is_more else None)
    if not is_more:
        _all_is_well(subscription, collection, reason, tx)


def _all_is_well(
    subscription: Subscription, collection: Collection, reason: str, tx: Transaction
) -> None:
    """Nothing is open: what was declined counts no more, and the tenant is served."""
    if (recovered := collection.recover(reason)) is not None:
        tx.tell(recovered)
    usage = usage_due(taxed(subscription, tx), tx)
    if (restored := restore(subscription, tx.now, reason, usage.lines)) is not None:
        settle(restored, tx, usage=usage, collection=collection)


def _declined(
    subscription: Subscription, collection: Collection, code: str, tx: Transaction
) -> None:
    """A charge was declined, or none was possible: it is tried again, or its time is over.

    While the clock of a subscription stands still, so does that of its dunning. What the processor
    collects itself is not tried again here, and what waits at the bank for us is called off.
    """
    if collection.is_handed_over:
        supersede_waiting(subscription.id, HANDED_OVER, tx)
        return
    if subscription.status is Status.PAUSED:
        collection.look_at(tx.now + LOOK_AGAIN)
        return
    tx.tell(collection.decline(code, tx))
    if (fallen := fall_due(subscription, code)) is not None:
        tx.subscriptions.keep(subscription)
        tx.tell(fallen)
    held = tx.subscription_collections.held()
    step = collection.dunning.after_failure(tx.settings.dunning, held, tx.now)
    if step is not Step.WAIT:
        _end(held, subscription, collection, tx)


def _begins_to_wait(
    subscription: Subscription,
    collection: Collection,
    payment: SubscriptionPayment,
    invoice: SubscriptionInvoice,
    tx: Transaction,
) -> None:
    """The bank asks the tenant, who is dunned for it. Where another card was given meanwhile, the
    processor collects it itself by now, or a credit has paid a part of it, it is called off."""
    is_of_another = collection.method_id != payment.method_id
    is_of_less = payment.amount != invoice.left
    if is_of_another or is_of_less or collection.is_handed_over:
        reason = SET_OFF if is_of_less else OTHER_METHOD if is_of_another else HANDED_OVER
        if (superseded := payment.supersede(reason)) is not None:
            tx.subscription_payments.keep(payment)
            tx.tell(superseded)
        return
    _declined(subscription, collection, AUTHENTICATION, tx)
    collection.next_at = None


def _still_waits(
    subscription: Subscription,
    collection: Collection,
    payment: SubscriptionPayment,
    tx: Transaction,
) -> None:
    """The bank still asks the tenant: that is waited for as long as for another card. Where it has
    asked during a pause, the days begin now that there is none."""
    is_over = payment.status is not _S.REQUIRES_ACTION or payment.is_superseded
    if is_over or collection.is_handed_over or subscription.status is Status.PAUSED:
        return
    if collection.dunning.failing_since is None:
        tx.subscription_collections.keep(collection)
        invoice = tx.subscriptions.get_invoice(payment.invoice_id)
        _begins_to_wait(subscription, collection, payment, invoice, tx)
        return
    terms, held = tx.settings.dunning, tx.subscription_collections.held()
    step = collection.dunning.after_failure(terms, held, tx.now)
    if step is not Step.WAIT:
        tx.subscription_collections.keep(collection)
        _end(held, subscription, collection, tx)
        collection.next_at = None


def _end(held: Held, subscription: Subscription, collection: Collection, tx: Transaction) -> None:
    """Its time is over: hold it, or stop serving; of one that was canceled, give up."""
    if held.why is not None:
        if (told := collection.hold(held.why, tx.now + LOOK_AGAIN)) is not None:
            tx.tell(told)
    elif subscription.status is Status.CANCELED:
        _give_up(subscription, collection, tx)
    elif Status.SUSPENDED in TRANSITIONS[subscription.status]:
        settle(suspend(subscription, UNPAID), tx)


def _give_up(subscription: Subscription, collection: Collection, tx: Transaction) -> None:
    """Nobody will pay the oldest open invoice of a subscription that has ended; next comes the one
    behind it."""
    found = tx.subscription_payments.oldest_open(subscription.id)
    if found is not None:
        tx.subscription_payments.give_up(found[0])
        collection.look_at(tx.now)
        supersede_waiting(subscription.id, GIVEN_UP, tx)
