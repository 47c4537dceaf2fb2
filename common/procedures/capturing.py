"""Money that the processor has taken is recorded, whoever else has paid; the rest goes back.

The promise to give it back is made in the same commit as the payment, and kept as every other: a
job asks the processor, under the refund's id, until it has said what became of it (REF-1).
"""

from common.domain.folio import Folio, FolioStatus
from common.domain.identifiers import FolioId
from common.domain.money import Money
from common.domain.payment import Payment, PaymentMethod
from common.domain.second_payment import beyond_the_debt, give_back_beyond, taken_up
from common.ports.transaction import Transaction
from common.procedures.paying import digest_of, take_payment
from common.procedures.returning import send_back


def capture_payment(
    tx: Transaction,
    folio_id: FolioId,
    processor_payment_id: str,
    paid: Money,
    token: str | None = None,
    *,
    allow_credit: bool = False,
) -> None:
    """Record what the processor has captured, unless it is; more than is owed becomes a credit.

    The money is in the house, whoever else is collecting the same debt. What of it others have paid
    already goes back by itself, unless it was wanted as a deposit; and all of it where the folio is
    closed, which owes nothing (BEY-4).

    Refuses: FolioUnknown, FolioAlreadyClosed (of a deposit), FxRateMissing, AmountNotPositive.
    """
    tx.returned_payments.foresee(processor_payment_id)
    folio = tx.folios.take(folio_id)
    known, returned = tx.returned_payments.look_for(processor_payment_id)
    if known is not None or returned is not None:
        return
    if folio.status is FolioStatus.CLOSED and not allow_credit:
        send_back(folio, paid, processor_payment_id, tx)
        return
    recorded = take_payment(
        tx,
        folio,
        paid,
        PaymentMethod.CARD,
        processor_payment_id=processor_payment_id,
        method_token_digest=digest_of(token),
        allow_credit=True,
    )
    if not allow_credit:
        return_second(folio, recorded.payment, tx)


def return_unwanted(folio: Folio, payment: Payment, tx: Transaction) -> None:
    """Promise back what of a payment that was taken last is beyond the debt."""
    _return(folio, payment, beyond_the_debt(folio, payment, tx), tx)


def return_second(folio: Folio, payment: Payment, tx: Transaction) -> None:
    """Promise back what of a payment that was taken last others have paid already."""
    over = beyond_the_debt(folio, payment, tx)
    if not over.is_zero:
        standing = tx.deposits.standing(folio)
        _return(folio, payment, min(over, taken_up(folio, standing, payment)), tx)


def _return(folio: Folio, payment: Payment, over: Money, tx: Transaction) -> None:
    """Promise it; a job asks the processor, as for every refund that waits."""
    promised = None if over.is_zero else give_back_beyond(folio, payment, over, tx)
    if promised is None:
        return
    tx.folios.keep(folio)
    tx.refunds.keep(promised.refund, promised.payment)
    tx.ledger.post(promised)
    tx.tell(promised)
