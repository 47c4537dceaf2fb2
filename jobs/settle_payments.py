"""Settle the payments that were left behind: the processor is asked what became of each (GW-5).

It is never asked for one. What it knows nothing of a quarter of an hour after it was asked has not
arrived, and has failed; what waits for its guest goes on waiting. A payment that has succeeded for
a folio that was closed meanwhile is put on it once that is open again.
"""

from collections.abc import Sequence

from common.domain.identifiers import PaymentIntentId
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.asking import Asked, Collecting, ask_what_became_of_it, collecting
from common.procedures.collecting import keep_answer
from common.runtime.declaration import job


def waiting(which: Round, tx: Transaction) -> Sequence[PaymentIntentId]:
    """The payments of a tenant that wait and are due, the longest waiting first."""
    return tx.payment_intents.due(which.limit)


def settle(asked: Asked, tx: Transaction) -> None:
    """Keep what the processor said. Refuses: PaymentIntentUnknown, WebhookContradictsBooks."""
    keep_answer(asked, tx)


def put_off(intent_id: PaymentIntentId, why: str, tx: Transaction) -> None:
    """Let a payment wait whose word could not be kept: it is asked after less and less often."""
    tx.payment_intents.postpone(intent_id)


@job(
    schedule="*/2 * * * *",
    find=waiting,
    perform=ask_what_became_of_it,
    record=settle,
    put_off=put_off,
    needs=("database", "gateway"),
)
def settle_payments(intent_id: PaymentIntentId, tx: Transaction) -> Collecting:
    """Ask what became of a payment that still waits for its word."""
    return collecting(tx.payment_intents.get(intent_id).intent, tx)
