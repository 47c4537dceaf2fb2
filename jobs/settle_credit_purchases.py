"""Settle the purchases of credits that were left behind, and take the payments of top-ups (GW-5).

Of a purchase that somebody asked for the processor is asked what became of it, and never for it:
what it knows nothing of after a quarter of an hour has not arrived, and has failed. A top-up has
nobody who waits for it: it is asked for here, once what became of it is unknown to the processor.
Both are asked under the purchase's own id, so that a run beside another one charges once.
"""

from collections.abc import Sequence
from dataclasses import replace

from common.domain.identifiers import PaymentIntentId
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.asking import Asked, Collecting, collecting
from common.procedures.purchasing import keep_answer, settle
from common.runtime.declaration import job


def waiting(which: Round, tx: Transaction) -> Sequence[PaymentIntentId]:
    """The purchases of a tenant that wait and are due, the longest waiting first."""
    return tx.credit_purchases.due(which.limit)


def keep(asked: Asked, tx: Transaction) -> None:
    """Keep what the processor said.

    Refuses: CreditPurchaseUnknown, WebhookContradictsBooks, CreditsOutOfRange.
    """
    keep_answer(asked, tx)


def put_off(purchase_id: PaymentIntentId, why: str, tx: Transaction) -> None:
    """Let a purchase wait whose word could not be kept: it is asked after less and less often."""
    tx.credit_purchases.postpone(purchase_id)


@job(
    schedule="* * * * *",
    find=waiting,
    perform=settle,
    record=keep,
    put_off=put_off,
    needs=("database", "gateway", "vault"),
)
def settle_credit_purchases(purchase_id: PaymentIntentId, tx: Transaction) -> Collecting:
    """Ask what became of a purchase that still waits for its word."""
    purchase = tx.credit_purchases.get(purchase_id)
    asked = collecting(purchase, tx)
    return asked if purchase.is_asked_for_by_a_job else replace(asked, key=None)
