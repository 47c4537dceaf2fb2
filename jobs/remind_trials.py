"""Tell three days before that a trial will end, once (SUB-10).

Whoever is told can still leave a payment method, or leave. The job looks for those trials alone
that are to be told of; run late, it tells late, and never of a trial that has ended.
"""

from collections.abc import Sequence

from common.domain.identifiers import SubscriptionId
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.trialing import remind_of_end
from common.runtime.declaration import job


def to_remind(which: Round, tx: Transaction) -> Sequence[SubscriptionId]:
    """The tenant's trial, where it is to be told of."""
    return tx.trials.to_remind()


@job(schedule="50 * * * *", timeout_seconds=3_000, find=to_remind, tenants="trials")
def remind_trials(subscription_id: SubscriptionId, tx: Transaction) -> None:
    """Tell that a trial will end, if nobody has meanwhile. Refuses: SubscriptionUnknown."""
    tx.subscription_collections.foresee_method(subscription_id)
    remind_of_end(tx.subscriptions.take_by_id(subscription_id), tx)
