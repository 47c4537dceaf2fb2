"""Charge what subscriptions owe, try again what was declined, and suspend who does not pay (SUB-7).

An item is a subscription for which something is due. A charge is written down here, and asked for
by the job that settles all of them: so this one asks nobody, and holds no lock while others answer.
Only tenants for whom something is due are looked at: the run costs as much as there is to do.
Run twice at once, or killed and started again, one charge of a subscription is under way at a time:
its lock says so, and behind it the database.
"""

from collections.abc import Sequence

from common.domain.identifiers import SubscriptionId
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.charging_subscriptions import collect
from common.runtime.declaration import job


def owing(which: Round, tx: Transaction) -> Sequence[SubscriptionId]:
    """The tenant's subscriptions for which something is due, the longest waiting first."""
    return tx.subscription_collections.due(which.limit)


@job(schedule="* * * * *", find=owing, tenants="collections")
def collect_subscriptions(subscription_id: SubscriptionId, tx: Transaction) -> None:
    """Charge an invoice, or end what nobody pays.

    Refuses: SubscriptionUnknown.
    """
    collect(subscription_id, tx)
