"""Letting a subscription go on: from a trial to its first period, from a period to the next.

The cycle's job and the cycle by hand come through here. That a payment method is there is asked
when the trial ends, of the method as it is then: one that was removed meanwhile pays for nothing.
"""

from common.domain.identifiers import CreditLotId, StoredMethodId
from common.domain.prepaid_account import MAIN
from common.domain.prepaid_grant import CreditGrant
from common.domain.prepaid_lot import CreditSource
from common.domain.subscription import Status, Subscription
from common.domain.subscription_collection import Collection
from common.domain.subscription_invoice import SubscriptionInvoice
from common.domain.subscription_life import renew
from common.domain.trial import end_trial, remind
from common.ports.transaction import Transaction
from common.procedures.granting import grant_once
from common.procedures.subscribing import foresee_bill, settle, usage_due
from common.procedures.taxing import taxed


def take_to_go_on(tx: Transaction) -> Subscription:
    """The tenant's subscription, locked, with what it takes to bill it and to charge a trial.

    Refuses: SubscriptionUnknown.
    """
    foresee_bill(tx)
    tx.subscription_collections.foresee_method()
    return tx.subscriptions.take()


def go_on(
    subscription: Subscription,
    tx: Transaction,
    *,
    also_suspended: bool = False,
    collection: Collection | None = None,
) -> SubscriptionInvoice | None:
    """Begin what follows a trial or a period that is over, and invoice it.

    `collection` is how it is collected, where that is known already.
    Refuses: SubscriptionStateRefuses, NothingIsDue.
    """
    usage = usage_due(taxed(subscription, tx), tx)
    if subscription.status is not Status.TRIALING:
        renewed = renew(subscription, tx.now, usage.lines, also_suspended=also_suspended)
        return settle(renewed, tx, usage=usage, collection=collection)
    is_there = collection is not None and collection.is_handed_over
    has_method = is_there or can_be_charged(subscription, tx)
    ended = end_trial(subscription, tx.now, has_method=has_method)
    return settle(ended, tx, usage=usage, collection=collection)


def can_be_charged(subscription: Subscription, tx: Transaction) -> bool:
    """Whether a payment method was left with a trial, or chosen since, and is still there, or the
    processor collects it."""
    return tx.subscription_collections.has_method(subscription.id)


def remind_of_end(
    subscription: Subscription, tx: Transaction, collection: Collection | None = None
) -> None:
    """Tell that a trial will end, unless it was told, has ended, or it is too early."""
    trial = tx.trials.find()
    if trial is None or trial.subscription_id != subscription.id:
        return
    is_there = collection is not None and collection.is_handed_over
    has_method = is_there or can_be_charged(subscription, tx)
    told = remind(subscription, trial, tx.now, has_method=has_method)
    tx.trials.keep(trial)
    if told is not None:
        settle(told, tx)


def grant_for_trial(subscription: Subscription, account: bytes, tx: Transaction) -> None:
    """The plan's credits of a month, for the time of the trial, once for an account (CRD-3).

    Refuses: CreditBalanceLimit.
    """
    credits_micro = subscription.terms.credits_micro
    if not credits_micro:
        return
    wanted = CreditGrant(
        id=tx.new_id(CreditLotId),
        source=CreditSource.PROMOTION,
        source_key=f"trial:{account.hex()}",
        credits_micro=credits_micro,
        reason=f"{subscription.terms.plan}, trial",
        expires_at=subscription.period.end,
    )
    grant_once(tx, MAIN, wanted)


def card_known_by(method_id: StoredMethodId | None, tx: Transaction) -> str | None:
    """What the processor knows the card again by that a trial is begun with, if with any.

    Refuses: PaymentMethodUnknown, PaymentMethodRemoved.
    """
    if method_id is None:
        return None
    method = tx.stored_methods.get(method_id)
    method.must_be_there()
    return method.details.fingerprint
