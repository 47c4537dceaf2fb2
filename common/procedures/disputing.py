"""A bank's claim as the processor tells of it: kept, booked, and followed by credits (WH-5, CRD-5).

The dispute is locked while a word about it is weighed, and never moves back. Of a purchase of
credits it takes back what was bought, and gives it back where it is won; the money is booked along.
Of a company's payment the company owes it again, and has it back where it is won. Of an invoice of
the platform the credits of its period follow. Money that came second for one goes back by the bank
or by us, and not by both; so does a payment that came for a closed folio.
"""

from common.domain.company_taking_back import CardReceipt
from common.domain.dataclass import dataclass
from common.domain.dispute import INQUIRIES, Dispute, DisputeFact, DisputeStatus
from common.domain.folio import Folio
from common.domain.identifiers import ReceiptId
from common.domain.money import Money
from common.domain.payment import Payment
from common.domain.refund import PaymentUnknown
from common.domain.returned_payment import ReturnedPayment, ReturnStatus
from common.domain.webhook import WebhookContradictsBooks
from common.ports.transaction import Transaction
from common.procedures.claiming_back import follow_claim as follow_second_claim
from common.procedures.claiming_back import left_of, must_be_of_all, refund_of_second
from common.procedures.giving_back import follow_dispute, invoice_paid_by
from common.procedures.owing_again import must_be_of, owe_as_disputed
from common.procedures.purchasing import (
    credits_of_payment_returned,
    credits_of_payment_taken_back,
)
from common.procedures.returning import follow_claim

TAKEN = "A bank asks for its money back"
WON = "The dispute was won"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A dispute as it was told: of which payment, how much, and where it stands."""

    processor_dispute_id: str
    processor_payment_id: str
    status: DisputeStatus
    reason: str
    amount: Money
    fee: Money | None


def keep_claim(claim: Claim, tx: Transaction) -> None:
    """Let a dispute stand where the processor says, or further on, and book what that means.

    Refuses: PaymentUnknown, AmountNotPositive, WebhookContradictsBooks, CreditsOutOfRange.
    """
    known = tx.disputes.find(claim.processor_dispute_id)
    before = known.status if known else None
    back = _going_back(claim, known, tx)
    payment = None if known or back else tx.folios.find_paid_by(claim.processor_payment_id)
    paid = None
    if payment is None and back is None and (known is None or known.receipt_id):
        paid = tx.company_accounts.take_paid_by(claim.processor_payment_id)
    left = paid.left if paid else back[1].left if back else None
    second = None
    if known is not None and known.surplus_id is not None:
        second = refund_of_second(claim.processor_payment_id, tx)
        left = left_of(second, tx) if second else None
    facts = (
        known.moved(claim.status, claim.fee, tx, owed_again=left)
        if known
        else _opened_of_return(claim, back[1], tx)
        if back
        else _opened(claim, payment, paid, tx)
    )
    for fact in facts:
        tx.disputes.keep(fact.subject)
        if (booked := fact.booked) is not None:
            tx.ledger.post(booked)
        tx.tell(fact)
    if back is not None:
        for fact in facts[:1]:
            if fact.subject.status is not before:
                follow_claim(*back, fact.subject, tx)
        return
    if paid is not None:
        for fact in facts[:1]:
            owe_as_disputed(paid, fact.subject, tx)
        return
    dispute = facts[0].subject if facts else known
    if dispute is not None and dispute.surplus_id is not None:
        second = second or refund_of_second(claim.processor_payment_id, tx)
        if second is not None and facts:
            follow_second_claim(dispute, second, tx, is_news=dispute.status is not before)
    elif dispute is not None and dispute.invoice_id is not None:
        follow_dispute(dispute, claim.processor_payment_id, tx)
    else:
        _move_credits(claim, tx)


def _going_back(
    claim: Claim, known: Dispute | None, tx: Transaction
) -> tuple[Folio, ReturnedPayment] | None:
    """The payment that came for a closed folio, with that, which is locked; None where the claim is
    of another. Of one that stands on its folio by now a claim that comes then is of that payment.
    """
    if known is not None and known.returned_id is None:
        return None
    taken = tx.returned_payments.take_paid_by(claim.processor_payment_id)
    is_placed = taken is not None and taken[1].status is ReturnStatus.PLACED
    return None if known is None and is_placed else taken


def _opened_of_return(
    claim: Claim, returned: ReturnedPayment, tx: Transaction
) -> tuple[DisputeFact, ...]:
    """A dispute that was not known, of a payment that goes back. Refuses: AmountNotPositive,
    WebhookContradictsBooks."""
    if claim.amount.currency != returned.paid.currency:
        raise WebhookContradictsBooks("It is in another currency than its payment.")
    return Dispute.opened(
        None,
        returned.property_id,
        claim.processor_dispute_id,
        claim.amount,
        claim.reason,
        claim.status,
        claim.fee,
        tx,
        owed_again=returned.left,
        returned=returned,
    )


def _opened(
    claim: Claim, payment: Payment | None, paid: CardReceipt | None, tx: Transaction
) -> tuple[DisputeFact, ...]:
    """A dispute that was not known: of a guest's payment, a company's, a purchase of credits, or
    an invoice of the platform.

    Refuses: PaymentUnknown, AmountNotPositive, WebhookContradictsBooks.
    """
    if paid is not None:
        must_be_of(paid, claim.amount)
        return Dispute.opened(
            None,
            paid.account.property_id,
            claim.processor_dispute_id,
            claim.amount,
            claim.reason,
            claim.status,
            claim.fee,
            tx,
            receipt_id=ReceiptId(paid.receipt.id),
            owed_again=paid.left,
        )
    invoice = second = None
    if payment is None and not tx.credit_purchases.find_paid_by(claim.processor_payment_id):
        invoice = invoice_paid_by(claim.processor_payment_id, tx)
        if invoice is None:
            second = refund_of_second(claim.processor_payment_id, tx)
            if second is None:
                raise PaymentUnknown()
            must_be_of_all(second, claim.amount)
    return Dispute.opened(
        payment,
        tx.folios.get(payment.folio_id).property_id if payment else None,
        claim.processor_dispute_id,
        claim.amount,
        claim.reason,
        claim.status,
        claim.fee,
        tx,
        invoice_id=invoice.id if invoice else None,
        surplus_id=second.surplus_id if second else None,
        owed_again=left_of(second, tx) if second else None,
    )


def _move_credits(claim: Claim, tx: Transaction) -> None:
    """Let credits and money of a purchase follow its dispute, each once, whatever is told in which
    order. An inquiry withholds nothing, and moves nothing.

    Refuses: CurrenciesDiffer, CreditsOutOfRange.
    """
    payment, source_key = claim.processor_payment_id, f"dispute:{claim.processor_dispute_id}"
    if claim.status is DisputeStatus.WON:
        credits_of_payment_returned(payment, claim.amount, source_key, WON, tx)
    elif claim.status not in INQUIRIES:
        credits_of_payment_taken_back(payment, claim.amount, source_key, TAKEN, tx)
