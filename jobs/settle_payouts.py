"""Have pending payouts made by the processor, and find out what became of them.

A payout waits in a queue from the moment that it may be paid until it is settled. It is asked of
the processor under its own id; one that runs is asked after, less and less often, until the
processor says that it is paid or has failed. Its webhooks may say so first (PO-1).
"""

from collections.abc import Sequence

from common.domain.identifiers import PayoutId
from common.ports.jobs import Round
from common.ports.payouts import PendingPayout
from common.ports.transaction import Transaction
from common.procedures.paying_out import ask_for_payout, keep_payout_answer
from common.runtime.declaration import job


def waiting(which: Round, tx: Transaction) -> Sequence[PayoutId]:
    """The payouts of a tenant that wait and are due, the longest waiting first."""
    return tx.payouts.due(which.limit)


def put_off(payout_id: PayoutId, why: str, tx: Transaction) -> None:
    """Let a payout wait whose word could not be kept: it is asked after less and less often."""
    tx.payouts.postpone(payout_id)


@job(
    schedule="*/5 * * * *",
    find=waiting,
    perform=ask_for_payout,
    record=keep_payout_answer,
    put_off=put_off,
    needs=("database", "gateway"),
)
def settle_payouts(payout_id: PayoutId, tx: Transaction) -> PendingPayout | None:
    """Ask the processor for a payout that still waits for its word."""
    return tx.payouts.find_pending(payout_id)
