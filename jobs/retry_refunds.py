"""Finish the refunds that were left behind: promised, and not settled by anybody.

A refund waits in a queue from the moment that it is promised until it is settled; normally the
function that recorded it settles it within a second; one of an invoice of the platform is asked
for here. What is due is asked of the processor again,
under the same id, and what still has no answer waits longer each time (REF-1, `refund_retry`).
"""

from collections.abc import Sequence

from common.domain.identifiers import RefundId
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.refunding import Pending, ask_again, find_pending, keep_answer
from common.runtime.declaration import job


def waiting(which: Round, tx: Transaction) -> Sequence[RefundId]:
    """The refunds of a tenant that wait and are due, the longest waiting first."""
    due = [*tx.refunds.due(which.limit), *tx.subscription_refunds.due(which.limit)]
    return due[: which.limit]


def put_off(refund_id: RefundId, why: str, tx: Transaction) -> None:
    """Let a refund wait whose word could not be kept: it is asked after less and less often."""
    tx.refunds.postpone(refund_id)
    tx.subscription_refunds.postpone(refund_id)


@job(
    schedule="*/5 * * * *",
    find=waiting,
    perform=ask_again,
    record=keep_answer,
    put_off=put_off,
    needs=("database", "gateway"),
)
def retry_refunds(refund_id: RefundId, tx: Transaction) -> Pending | None:
    """Ask the processor for a refund that still waits for its word."""
    return find_pending(refund_id, tx)
