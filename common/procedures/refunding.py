"""A card's refund after it was promised: the processor is asked, and its word is kept once.

The promise is committed before anybody is asked, and asking holds no lock. So whatever dies, the
refund waits in its queue, and whoever comes next asks under the same id: the function itself right
after its commit, a job for what was left behind. The processor may tell us first, by its event.
"""

from dataclasses import dataclass

from common.domain.identifiers import FolioId, RefundId
from common.domain.refund import RefundUnknown, settle_refund
from common.ports.gateway import Answer, Failed, Succeeded, Unknown
from common.ports.powers import Powers
from common.ports.transaction import PendingRefund, Transaction
from common.procedures.returning import keep_return


@dataclass(frozen=True, slots=True)
class Asked:
    """A pending refund, and what the processor said of it."""

    pending: PendingRefund
    answer: Answer


def ask_processor(pending: PendingRefund, powers: Powers) -> Asked:
    """Let the processor make the refund, once."""
    gateway = powers.gateway
    return Asked(pending, gateway.refund(pending.id, pending.processor_payment_id, pending.paid))


def ask_again(pending: PendingRefund, powers: Powers) -> Asked:
    """Ask the processor what became of the refund, and for it where it knows of none.

    In that order: a processor forgets its keys after a while, and a refund under a key that it has
    forgotten would be another one.
    """
    answer = powers.gateway.ask(pending.id, pending.processor_payment_id)
    if isinstance(answer, Unknown):
        return ask_processor(pending, powers)
    return Asked(pending, answer)


def keep_answer(asked: Asked, tx: Transaction) -> None:
    """Settle the refund as the processor said, or let it wait longer.

    Refuses: FolioUnknown, RefundUnknown.
    """
    match asked.answer:
        case Succeeded():
            keep_result(asked.pending.folio_id, asked.pending.id, None, tx)
        case Failed(code):
            keep_result(asked.pending.folio_id, asked.pending.id, code, tx)
        case Unknown():
            tx.refunds.postpone(asked.pending.id)


def keep_result(
    folio_id: FolioId, refund_id: RefundId, failure_code: str | None, tx: Transaction
) -> None:
    """Keep what became of a refund, unless that is kept already; one that is on no folio is of a
    payment that goes back whole.

    Refuses: FolioUnknown, RefundUnknown.
    """
    try:
        folio, payment, refund = tx.refunds.take(folio_id, refund_id)
    except RefundUnknown:
        keep_return(folio_id, refund_id, failure_code, tx)
        return
    settled = settle_refund(folio, payment, refund, failure_code, tx)
    if settled is None:
        return
    tx.folios.keep(folio)
    tx.refunds.keep_settled(settled.refund, settled.payment)
    tx.ledger.post(settled)
    tx.tell(settled)
