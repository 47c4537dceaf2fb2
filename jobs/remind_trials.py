"""Tell three days before that a trial will end, once (SUB-10).

Whoever is told can still leave a payment method, or leave. The job looks for those trials alone
that are to be told of; run late, it tells late, and never of a trial that has ended.
"""

from collections.abc import Sequence

from common.domain.identifiers import SubscriptionId
from common.domain.trial import remind
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.subscribing import settle
from common.procedures.trialing import can_be_charged
from common.runtime.declaration import job


def to_remind(which: Round, tx: Transaction) -> Sequence[SubscriptionId]:
    """The tenant's trial, where it is to be told of."""
    return tx.trials.to_remind()


@job(schedule="50 * * * *", timeout_seconds=3_000, find=to_remind, tenants="trials")
def remind_trials(subscription_id: SubscriptionId, tx: Transaction) -> None:
    """Tell that a trial will end, if nobody has meanwhile. Refuses: SubscriptionUnknown."""
    tx.subscription_collections.foresee_method()
    subscription = tx.subscriptions.take()
    trial = tx.trials.find()
    if trial is None or trial.subscription_id != subscription_id:
        return
    told = remind(subscription, trial, tx.now, has_method=can_be_charged(subscription, tx))
    tx.trials.keep(trial)
    if told is not None:
        settle(told, tx)
