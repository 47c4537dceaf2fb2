"""Letting a subscription go on: from a trial to its first period, from a period to the next.

The cycle's job and the cycle by hand come through here. That a payment method is there is asked
when the trial ends, of the method as it is then: one that was removed meanwhile pays for nothing.
"""

from common.domain.identifiers import CreditLotId
from common.domain.prepaid_account import MAIN
from common.domain.prepaid_grant import CreditGrant
from common.domain.prepaid_lot import CreditSource
from common.domain.subscription import Status, Subscription
from common.domain.subscription_invoice import SubscriptionInvoice
from common.domain.subscription_life import renew
from common.domain.trial import end_trial
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
    subscription: Subscription, tx: Transaction, *, also_suspended: bool = False
) -> SubscriptionInvoice | None:
    """Begin what follows a trial or a period that is over, and invoice it.

    Refuses: SubscriptionStateRefuses, NothingIsDue.
    """
    usage = usage_due(taxed(subscription, tx), tx)
    if subscription.status is not Status.TRIALING:
        renewed = renew(subscription, tx.now, usage.lines, also_suspended=also_suspended)
        return settle(renewed, tx, usage=usage)
    has_method = can_be_charged(subscription, tx)
    return settle(end_trial(subscription, tx.now, has_method=has_method), tx, usage=usage)


def can_be_charged(subscription: Subscription, tx: Transaction) -> bool:
    """Whether a payment method was left with a trial, or chosen since, and is still there."""
    return tx.subscription_collections.has_method(subscription.id)


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
