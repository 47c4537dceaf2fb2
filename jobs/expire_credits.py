"""Write down which credits have expired, and warn of those that will (CRD-4).

By the clock they are gone at their moment, whether this job comes by or not: nobody can spend them
meanwhile. It writes the entry, ends the holds that are over, and tells seven days and one day
before that credits expire, once each. Killed and started again, or run twice at once, it finds what
is left to do.
"""

from collections.abc import Sequence

from common.domain.identifiers import CreditAccountId
from common.domain.prepaid_expiry import expire, warn
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.moving import keep_moved
from common.runtime.declaration import job


def ended(which: Round, tx: Transaction) -> Sequence[CreditAccountId]:
    """The accounts of a tenant in which something has ended, or is to be warned of."""
    return tx.prepaid.due(which.limit)


@job(schedule="10 * * * *", find=ended)
def expire_credits(account_id: CreditAccountId, tx: Transaction) -> None:
    """Write down what has expired on an account, and tell what will.

    Refuses: CreditAccountUnknown.
    """
    account = tx.prepaid.take_by_id(account_id)
    expired = expire(account, tx)
    warnings = warn(account, tx.prepaid.warned(account_id), tx)
    if expired is None and not warnings:
        return
    if expired is not None:
        keep_moved(expired, tx)
    for warning in warnings:
        keep_moved(warning, tx)
        tx.prepaid.keep_warning(warning.lot.id, warning.days_before)
