"""A card payment that comes for a closed folio goes back by itself (BEY-4, REF-1).

It is taken in beside the folio and promised back in one commit, under the folio's lock; a job asks
the processor, as for every refund of a card. What the processor cannot give back waits, and stands
on its folio once a person has opened that again.
"""

from collections.abc import Sequence

from common.domain.folio import Folio, FolioStatus
from common.domain.identifiers import FolioId, RefundId
from common.domain.money import Money
from common.domain.payment import PaymentMethod
from common.domain.returned_payment import ReturnedPayment
from common.ports.transaction import Transaction
from common.procedures.paying import take_payment


def send_back(
    folio: Folio, paid: Money, processor_payment_id: str, tx: Transaction
) -> ReturnedPayment:
    """Take a payment in beside its closed folio, and promise it back. Refuses:
    AmountNotPositive."""
    promised = ReturnedPayment.promise(folio, paid, processor_payment_id, tx)
    tx.returned_payments.keep(promised.subject)
    tx.ledger.post(promised)
    tx.tell(promised)
    return promised.subject


def keep_return(
    folio_id: FolioId, refund_id: RefundId, failure_code: str | None, tx: Transaction
) -> None:
    """Keep what became of a payment's return, unless that is kept already.

    What was not made while the folio is open stands on that at once. Refuses: FolioUnknown,
    RefundUnknown.
    """
    folio, returned = tx.returned_payments.take(folio_id, refund_id)
    settled = returned.settle(failure_code, tx)
    if settled is None:
        return
    tx.returned_payments.keep(returned)
    tx.ledger.post(settled)
    tx.tell(settled)
    if folio.status is FolioStatus.OPEN and returned.is_unreturned:
        place_unreturned(folio, [returned], tx)


def place_unreturned(folio: Folio, unreturned: Sequence[ReturnedPayment], tx: Transaction) -> None:
    """Put onto an open folio what came while it was closed and could not go back.

    What the folio has no rate for waits on, as what is late and cannot be taken does.
    """
    for each in unreturned:
        if not each.is_payment_of(folio):
            continue
        placed = each.place(tx)
        tx.returned_payments.keep(each)
        tx.ledger.post(placed)
        tx.tell(placed)
        recorded = take_payment(
            tx,
            folio,
            each.paid,
            PaymentMethod.CARD,
            payment_id=each.id,
            processor_payment_id=each.processor_payment_id,
            allow_credit=True,
            is_listed=True,
        )
        intent = tx.payment_intents.find_sent_back(each.id)
        if intent is not None:
            fact = intent.place(recorded.payment, tx)
            tx.payment_intents.keep(intent)
            tx.tell(fact)
