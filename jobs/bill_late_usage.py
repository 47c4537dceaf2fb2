"""Invoice what came late of subscriptions that have ended, once and for all (SUB-12).

What was used is told up to 34 days late. So an item is a subscription that ended longer ago, and of
which something is on no invoice: nothing more can come of it, and one final invoice has it all.
Whoever comes second finds that nothing is left, and behind that the database writes no second one.
"""

from collections.abc import Sequence

from common.domain.identifiers import SubscriptionId
from common.domain.subscription_life import bill_late_usage as final_bill
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.subscribing import foresee_bill, settle, usage_due
from common.procedures.taxing import taxed
from common.runtime.declaration import job


def ended(which: Round, tx: Transaction) -> Sequence[SubscriptionId]:
    """The subscriptions of which something was told after their end, and no more can be."""
    return tx.usage.unbilled_since_they_ended(which.limit)


@job(schedule="40 3 * * *", find=ended)
def bill_late_usage(subscription_id: SubscriptionId, tx: Transaction) -> None:
    """Write the final invoice of a subscription, if something is on none.

    Refuses: SubscriptionUnknown.
    """
    foresee_bill(tx, subscription_id)
    subscription = taxed(tx.subscriptions.take_by_id(subscription_id), tx)
    usage = usage_due(subscription, tx)
    billed = final_bill(subscription, usage.lines, tx.now)
    if billed is not None:
        settle(billed, tx, usage=usage)
    elif usage.totals:
        tx.usage.keep_billed(usage, subscription)
