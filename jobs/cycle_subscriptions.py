"""Invoice each subscription once a period, whatever happens (SUB-4, SUB-11, SUB-13).

An item is a period that is over, of one tenant; the next one begins in one commit with its invoice
and its credits. So the job may be killed anywhere and run by many at once: whoever comes second
finds that the period has begun, and the database lets none be invoiced twice. Who was left alone
for months is caught up period by period, in order. Only tenants for whom something is due are
looked at: the run costs as much as there is to do, and not as many tenants as there are. A trial is
the period before the first one, with nothing to bill (SUB-10).
"""

from collections.abc import Sequence

from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.trialing import go_on, take_to_go_on
from common.runtime.declaration import job


def over(which: Round, tx: Transaction) -> Sequence[int]:
    """The number of the tenant's period, where it is over."""
    return tx.subscriptions.due(which.as_of)


@job(schedule="20 * * * *", timeout_seconds=3_000, find=over, tenants="subscriptions")
def cycle_subscriptions(period_number: int, tx: Transaction) -> None:
    """Begin the period behind one that is over, if nobody has meanwhile.

    Refuses: SubscriptionUnknown, SubscriptionStateRefuses, NothingIsDue.
    """
    subscription = take_to_go_on(tx)
    if subscription.period_number == period_number and subscription.due_at is not None:
        go_on(subscription, tx)
