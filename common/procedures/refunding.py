"""A card's refund after it was promised: the processor is asked, and its word is kept once.

The promise is committed before anybody is asked, and asking holds no lock. So whatever dies, the
refund waits in its queue, and whoever comes next asks under the same id: the function itself right
after its commit, a job for what was left behind. The processor may tell us first, by its event.
"""

from dataclasses import replace

from common.domain.dataclass import dataclass
from common.domain.identifiers import FolioId, RefundId
from common.domain.refund import RefundStatus, RefundUnknown, settle_refund
from common.ports.answers import Answer, Failed, Succeeded, Unknown
from common.ports.folios import PendingRefund
from common.ports.powers import Powers
from common.ports.subscription_refunds import PendingSubscriptionRefund
from common.ports.transaction import Transaction
from common.procedures.returning import keep_return

Pending = PendingRefund | PendingSubscriptionRefund
"""Of a guest's payment, or of one that paid an invoice of the platform."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A pending refund, and what the processor said of it."""

    pending: Pending
    answer: Answer


def find_pending(refund_id: RefundId, tx: Transaction) -> Pending | None:
    """The refund, if it waits for its processor."""
    return tx.refunds.find_pending(refund_id) or tx.subscription_refunds.find_pending(refund_id)


def find_asked(
    refund_id: RefundId, processor_payment_id: str | None, tx: Transaction
) -> Pending | None:
    """The refund, if we have promised it, of this payment, whatever became of it since."""
    asked = tx.refunds.find_asked(refund_id, processor_payment_id)
    return asked or tx.subscription_refunds.find_asked(refund_id)


def ask_processor(pending: PendingRefund, powers: Powers) -> Asked:
    """Let the processor make the refund, once."""
    return _make(pending, pending.processor_payment_id, powers)


def ask_again(pending: Pending, powers: Powers) -> Asked:
    """Ask the processor what became of the refund, and for it where it knows of none.

    In that order: a processor forgets its keys after a while, and a refund under a key that it has
    forgotten would be another one. For one that was called off nobody asks any more. Where it has
    not said by which payment it took the money, it is asked that before.
    """
    payment = pending.processor_payment_id
    if not payment:
        found = _payment_of(pending, powers)
        if found is None:
            from common.domain.subscription_refund import NOT_SAID  # the platform's, as below

            return Asked(pending, Failed(NOT_SAID))
        if isinstance(found, Unknown):
            return Asked(pending, found)
        pending, payment = replace(pending, processor_payment_id=found), found
    answer = powers.gateway.ask(pending.id, payment)
    is_called_off = isinstance(pending, PendingRefund) and pending.is_called_off
    if isinstance(answer, Unknown) and not is_called_off:
        return _make(pending, payment, powers)
    return Asked(pending, answer)


def _make(pending: Pending, payment: str, powers: Powers) -> Asked:
    return Asked(pending, powers.gateway.refund(pending.id, payment, pending.paid))


def _payment_of(pending: Pending, powers: Powers) -> str | Unknown | None:
    """By which payment the money was taken; only an invoice of the processor's own leaves that
    open."""
    if isinstance(pending, PendingRefund) or pending.processor_invoice_id is None:
        return None
    return powers.gateway.payment_of(pending.processor_invoice_id)


def keep_answer(asked: Asked, tx: Transaction) -> None:
    """Settle the refund as the processor said, or let it wait longer.

    Refuses: FolioUnknown, RefundUnknown.
    """
    match asked.answer:
        case Succeeded():
            keep_pending_result(asked.pending, None, tx)
        case Failed(code):
            keep_pending_result(asked.pending, code, tx)
        case Unknown():
            _postpone(asked.pending, tx)


def keep_pending_result(pending: Pending, failure_code: str | None, tx: Transaction) -> bool:
    """Keep what became of a refund, unless that is kept. False where it is said to have failed, and
    was made.

    Refuses: FolioUnknown, RefundUnknown, RefundExceedsPayment.
    """
    if isinstance(pending, PendingRefund):
        return keep_result(pending.folio_id, pending.id, failure_code, tx)
    # A hotel's refunds load nothing of the platform's own (PERF-1).
    from common.procedures.giving_back import keep_refund_result

    return keep_refund_result(pending, failure_code, tx)


def keep_failed_afterwards(pending: Pending, failure_code: str, tx: Transaction) -> None:
    """Keep that a refund which was made has failed since, by the processor's word about it, once.

    Refuses: FolioUnknown, RefundUnknown.
    """
    if isinstance(pending, PendingRefund):
        from common.procedures.coming_back import refund_came_back  # it comes seldom (PERF-1)

        refund_came_back(pending.folio_id, pending.id, failure_code, tx)
        return
    from common.procedures.giving_back import keep_failed_afterwards as keep_of_the_platform

    keep_of_the_platform(pending, failure_code, tx)


def _postpone(pending: Pending, tx: Transaction) -> None:
    if isinstance(pending, PendingRefund):
        tx.refunds.postpone(pending.id)
    else:
        tx.subscription_refunds.postpone(pending.id)


def keep_result(
    folio_id: FolioId, refund_id: RefundId, failure_code: str | None, tx: Transaction
) -> bool:
    """Keep what became of a refund, unless that is kept already; one that is on no folio is of a
    payment that goes back whole. False where it is said to have failed, and was made: the first
    word stays, unless it is the processor's about that very refund (`keep_failed_afterwards`).

    Refuses: FolioUnknown, RefundUnknown.
    """
    try:
        folio, payment, refund = tx.refunds.take(folio_id, refund_id)
    except RefundUnknown:
        keep_return(folio_id, refund_id, failure_code, tx)
        return True
    settled = settle_refund(folio, payment, refund, failure_code, tx)
    if settled is None:
        return failure_code is None or refund.status is RefundStatus.FAILED
    tx.folios.keep(folio)
    tx.refunds.keep_settled(settled.refund, settled.payment)
    tx.ledger.post(settled)
    tx.tell(settled)
    return True
