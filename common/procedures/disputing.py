"""A bank's claim as the processor tells of it: kept, booked, and followed by credits (WH-5, CRD-5).

The dispute is locked while a word about it is weighed, and never moves back. What it takes for the
first time takes back the credits that the payment bought; a dispute that is won gives them back. Of
a purchase of credits the money is booked with them, in the book of such sales.
"""

from dataclasses import dataclass

from common.domain.dispute import INQUIRIES, Dispute, DisputeFact, DisputeStatus, PaymentDisputed
from common.domain.money import Money
from common.domain.refund import PaymentUnknown
from common.ports.transaction import Transaction
from common.procedures.purchasing import (
    credits_of_payment_returned,
    credits_of_payment_taken_back,
)
from common.procedures.returning import bought_with, give_back_bought, take_back_bought

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
    facts = known.moved(claim.status, claim.fee, tx) if known else _opened(claim, tx)
    for fact in facts:
        tx.disputes.keep(fact.subject)
        if (booked := fact.booked) is not None:
            tx.ledger.post(booked)
        tx.tell(fact)
    _move_credits(claim, facts, tx)


def _opened(claim: Claim, tx: Transaction) -> tuple[DisputeFact, ...]:
    """A dispute that was not known, of a payment that is, or of a purchase of credits.

    Refuses: PaymentUnknown, AmountNotPositive.
    """
    payment = tx.folios.find_paid_by(claim.processor_payment_id)
    if payment is None and not _is_for_credits(claim.processor_payment_id, tx):
        raise PaymentUnknown()
    return Dispute.opened(
        payment,
        tx.folios.get(payment.folio_id).property_id if payment else None,
        claim.processor_dispute_id,
        claim.amount,
        claim.reason,
        claim.status,
        claim.fee,
        tx,
    )


def _is_for_credits(processor_payment_id: str, tx: Transaction) -> bool:
    if tx.credit_purchases.find_paid_by(processor_payment_id) is not None:
        return True
    return bought_with(processor_payment_id, tx)


def _move_credits(claim: Claim, facts: tuple[DisputeFact, ...], tx: Transaction) -> None:
    """Take back what was bought, once money is withheld for the first time; give it back once it is
    won. Of a dispute that was won before anybody heard of it nothing is taken at all."""
    source_key = f"dispute:{claim.processor_dispute_id}"
    if _moved_with_a_sale(claim, source_key, tx):
        return
    if facts and claim.status is DisputeStatus.WON:
        give_back_bought(source_key, WON, tx)
    elif any(isinstance(fact, PaymentDisputed) for fact in facts):
        payment = tx.folios.find_paid_by(claim.processor_payment_id)
        take_back_bought(claim.processor_payment_id, claim.amount, source_key, TAKEN, tx, payment)


def _moved_with_a_sale(claim: Claim, source_key: str, tx: Transaction) -> bool:
    """Let credits and money of a purchase follow its dispute, each once; False where it is none.

    An inquiry withholds nothing, and moves nothing. Refuses: CurrenciesDiffer, CreditsOutOfRange.
    """
    payment = claim.processor_payment_id
    if claim.status in INQUIRIES:
        return tx.credit_purchases.find_paid_by(payment) is not None
    if claim.status is DisputeStatus.WON:
        return credits_of_payment_returned(payment, claim.amount, source_key, WON, tx)
    return credits_of_payment_taken_back(payment, claim.amount, source_key, TAKEN, tx)
