"""A refund failed after it was made: its money is with the house again, once, whoever tells (WH-4).

Only the processor's word about the refund itself says so. What a job hears when it asks for a
refund that somebody has settled meanwhile does not: that it is refused now says nothing of the one
that was made.

The folio is locked before anybody looks whether the refund has come back: of two that tell of it at
once the second finds what the first has done.
"""

from collections.abc import Mapping

from common.domain.folio import Folio
from common.domain.identifiers import FolioId, PaymentId, RefundId
from common.domain.payment import Payment
from common.domain.refund_failure import (
    RefundCameBackPlaced,
    RefundFailure,
    come_back,
    place_come_back,
)
from common.ports.transaction import Transaction


def refund_came_back(
    folio_id: FolioId, refund_id: RefundId, failure_code: str, tx: Transaction
) -> None:
    """Take a refund of a folio back that was made; nothing where it was not, or is taken back.

    Refuses: FolioUnknown, RefundUnknown.
    """
    folio, payment, refund = tx.refunds.take(folio_id, refund_id)
    fact = come_back(folio, payment, refund, failure_code, tx)
    if fact is None:
        return
    tx.folios.keep(folio)
    tx.late_refunds.keep_failure(fact.failure)
    if fact.lines:
        tx.refunds.keep_left(fact.payment)
    tx.ledger.post(fact)
    tx.tell(fact)


def refund_there_came_back(
    payment: Payment, processor_refund_id: str, failure_code: str, tx: Transaction
) -> None:
    """A refund that was made at the processor has failed: it is taken back on its folio, or booked
    back where it waits beside that. One that was not known to be made changes nothing.

    Refuses: FolioUnknown, PaymentUnknown.
    """
    tx.refunds.take_payment(payment.folio_id, payment.id)
    refund_id, late = tx.late_refunds.look_for(processor_refund_id)
    if refund_id is not None:
        refund_came_back(payment.folio_id, refund_id, failure_code, tx)
        return
    failed = late.failed(failure_code, tx) if late else None
    if late is not None and failed is not None:
        tx.late_refunds.keep(late)
        tx.ledger.post(failed)
        tx.tell(failed)


def put_on_its_folio(
    folio: Folio, failure: RefundFailure, known: Mapping[PaymentId, Payment], tx: Transaction
) -> RefundCameBackPlaced:
    """Take a refund back that failed while its folio was closed; `known` are payments as
    this transaction has left them. The folio is open, and locked."""
    _, payment, refund = tx.refunds.take(folio.id, failure.refund_id)
    placed = place_come_back(folio, known.get(payment.id, payment), refund, failure, tx)
    tx.folios.keep(folio)
    tx.refunds.keep_left(placed.payment)
    tx.ledger.post(placed)
    tx.tell(placed)
    return placed
