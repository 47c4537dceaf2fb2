"""Hold every account of credits against its entries, its lots and its book, each hour (CRD-7).

What differs is told by a line of the log for each kind of difference, and ends the run with an
error; nothing is changed, however often and beside whatever it runs.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from common.domain.prepaid_reconciliation import differences
from common.ports.jobs import FoundWrong, Round
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.runtime.declaration import job


def accounts_of_a_tenant(which: Round, tx: Transaction) -> Sequence[UUID]:
    """A tenant's accounts are looked at together, by one statement."""
    return [tx.actor.tenant_id]


def report(found: Mapping[str, int], powers: Powers) -> None:
    """Say what differs. Raises FoundWrong."""
    if found:
        raise FoundWrong(found)


@job(schedule="40 * * * *", find=accounts_of_a_tenant, perform=report)
def reconcile_credits(tenant_id: UUID, tx: Transaction) -> Mapping[str, int]:
    """Hold the credits of a tenant against one another; repair nothing."""
    return differences(tx.prepaid.sums())
