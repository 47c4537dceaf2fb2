"""A card payment that comes for a closed folio goes back by itself (BEY-4, REF-1).

It is taken in beside the folio and promised back in one commit, under the folio's lock; a job asks
the processor, as for every refund of a card. What the processor cannot give back waits, and stands
on its folio once a person has opened that again.

Whatever else becomes of it at the processor meanwhile is kept behind the same lock, whoever tells
of it, and each thing once by its name there: the second to tell finds what the first has done.
"""

from collections.abc import Sequence

from common.domain.dispute import DECIDED, INQUIRIES, Dispute, DisputeStatus
from common.domain.folio import Folio, FolioStatus
from common.domain.identifiers import FolioId, RefundId
from common.domain.money import Money
from common.domain.payment import PaymentMethod
from common.domain.refund import BANK_ASKS
from common.domain.returned_payment import (
    PartKind,
    ReturnedPayment,
    ReturnFact,
    ReturnWentOtherwise,
)
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

    What was not made while the folio is open stands on that at once. A refund that was called off
    and was made all the same is kept as that. Refuses: FolioUnknown, RefundUnknown,
    RefundExceedsPayment, WebhookContradictsBooks.
    """
    folio, returned = tx.returned_payments.take(folio_id, refund_id)
    if returned.is_news_of_now(refund_id):
        is_claimed = returned.was_made and _is_claimed(returned, tx)
        is_decided = failure_code == BANK_ASKS and _has_been_decided(returned, tx)
        fact = returned.settle(failure_code, tx, is_claimed=is_claimed, is_decided=is_decided)
        _keep(folio, returned, fact, tx)
        if is_decided:
            _keep(folio, returned, returned.promise_again(tx), tx)
    elif failure_code is not None:
        come_again(folio, returned, refund_id, failure_code, tx)
    elif refund_id not in returned.refused:
        amount = tx.returned_payments.promised(refund_id)
        go_otherwise(folio, returned, amount, PartKind.MADE_AFTER_ALL, refund_id, tx)


def go_otherwise(
    folio: Folio,
    returned: ReturnedPayment,
    amount: Money,
    kind: PartKind,
    cause: str,
    tx: Transaction,
    *,
    decided: Dispute | None = None,
) -> None:
    """Keep that so much has gone back otherwise, once; `decided` is the claim that was lost for it.

    Refuses: AmountNotPositive, WebhookContradictsBooks, RefundExceedsPayment.
    """
    if tx.returned_payments.part(cause) is not None:
        return
    is_claimed = _is_claimed(returned, tx, decided)
    fact = returned.go_otherwise(amount, kind, cause, tx, is_claimed=is_claimed)
    _keep(folio, returned, fact, tx)


def come_again(
    folio: Folio, returned: ReturnedPayment, cause: str, failure_code: str, tx: Transaction
) -> None:
    """Keep that what had gone back otherwise has not, after all. Refuses:
    WebhookContradictsBooks."""
    gone = tx.returned_payments.part(cause)
    if gone is None or gone.kind is PartKind.REFUND_FAILED:
        return
    is_claimed = _is_claimed(returned, tx)
    fact = returned.come_again(gone, failure_code, tx, is_claimed=is_claimed)
    _keep(folio, returned, fact, tx)


def follow_claim(
    folio: Folio, returned: ReturnedPayment, dispute: Dispute, tx: Transaction
) -> None:
    """Let a payment that goes back follow a claim that has come to where it stands now.

    Refuses: WebhookContradictsBooks.
    """
    if not dispute.takes_money:
        return
    match dispute.status:
        case DisputeStatus.WON:
            if not _is_claimed(returned, tx, dispute):
                _keep(folio, returned, returned.promise_again(tx), tx)
        case DisputeStatus.LOST:
            lost, cause = dispute.on_account, dispute.processor_dispute_id
            if lost is not None and not lost.is_zero:
                go_otherwise(folio, returned, lost, PartKind.LOST, cause, tx, decided=dispute)
        case _:
            _keep(folio, returned, returned.contest(tx), tx)


def _keep(
    folio: Folio, returned: ReturnedPayment, fact: ReturnFact | None, tx: Transaction
) -> None:
    """Write what happened, if anything did; what then cannot go back goes onto its open folio."""
    if fact is None:
        return
    tx.returned_payments.keep(returned)
    if isinstance(fact, ReturnWentOtherwise):
        tx.returned_payments.keep_part(fact.part)
    tx.ledger.post(fact)
    tx.tell(fact)
    if folio.status is FolioStatus.OPEN and returned.is_unreturned:
        place_unreturned(folio, [returned], tx)


def _is_claimed(returned: ReturnedPayment, tx: Transaction, decided: Dispute | None = None) -> bool:
    """Whether a bank still asks for its money, but for a claim that is decided now."""
    claims = tx.disputes.of_return(returned.id)
    return any(
        status not in DECIDED and status not in INQUIRIES
        for id, status in claims.items()
        if decided is None or id != decided.id
    )


def _has_been_decided(returned: ReturnedPayment, tx: Transaction) -> bool:
    """Whether the claim for which it was refused is known, and over by now."""
    claims = tx.disputes.of_return(returned.id)
    return bool(claims) and all(status in DECIDED for status in claims.values())


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
            each.rest,
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
