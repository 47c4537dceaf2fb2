"""A bank's claim as the processor tells of it: kept, booked, and followed by credits (WH-5, CRD-5).

The dispute is locked while a word about it is weighed, and never moves back. Of a purchase of
credits it takes back what was bought, and gives it back where it is won; the money is booked along.
Of a company's payment the company owes it again, and has it back where it is won. Of an invoice of
the platform the credits of its period follow.
"""

from common.domain.company_taking_back import CardReceipt
from common.domain.dataclass import dataclass
from common.domain.dispute import INQUIRIES, Dispute, DisputeFact, DisputeStatus
from common.domain.identifiers import ReceiptId
from common.domain.money import Money
from common.domain.payment import Payment
from common.domain.refund import PaymentUnknown
from common.ports.transaction import Transaction
from common.procedures.giving_back import follow_dispute, invoice_paid_by
from common.procedures.owing_again import must_be_of, owe_as_disputed
from common.procedures.purchasing import (
    credits_of_payment_returned,
    credits_of_payment_taken_back,
)

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
    payment = None if known else tx.folios.find_paid_by(claim.processor_payment_id)
    paid = None
    if payment is None and (known is None or known.receipt_id):
        paid = tx.company_accounts.take_paid_by(claim.processor_payment_id)
    left = paid.left if paid else None
    facts = (
        known.moved(claim.status, claim.fee, tx, owed_again=left)
        if known
        else _opened(claim, payment, paid, tx)
    )
    for fact in facts:
        tx.disputes.keep(fact.subject)
        if (booked := fact.booked) is not None:
            tx.ledger.post(booked)
        tx.tell(fact)
    if paid is not None:
        for fact in facts[:1]:
            owe_as_disputed(paid, fact.subject, tx)
        return
    dispute = facts[0].subject if facts else known
    if dispute is not None and dispute.invoice_id is not None:
        follow_dispute(dispute, tx)
    else:
        _move_credits(claim, tx)


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
    invoice = None
    if payment is None and not tx.credit_purchases.find_paid_by(claim.processor_payment_id):
        invoice = invoice_paid_by(claim.processor_payment_id, tx)
        if invoice is None:
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
        invoice_id=invoice.id if invoice else None,
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
