"""What the processor's events say of purchases of credits (WH-4, WH-5, CRD-3, CRD-5).

Each is held against the purchase under its lock: a payment that was taken is granted, money that
went back takes its credits along, and a dispute that is won brings them back. What is told twice,
late, or beside somebody else changes nothing more.
"""

from typing import Final

from common.contracts.webhooks import ProcessorObject
from common.domain.dispute import DisputeStatus
from common.domain.identifiers import PaymentIntentId
from common.domain.money import Money
from common.domain.payment_intent import Heard
from common.domain.processor_units import from_processor
from common.domain.webhook import WebhookContradictsBooks
from common.ports.transaction import Transaction
from common.procedures.purchasing import (
    credits_of_payment_returned,
    credits_of_payment_taken_back,
    keep_heard,
)

REFUNDED: Final = "The purchase was refunded at the processor"
DISPUTED: Final = "A bank asks for the purchase's money back"
WON: Final = "The dispute was won"
_INQUIRIES: Final = frozenset(
    {
        DisputeStatus.WARNING_NEEDS_RESPONSE,
        DisputeStatus.WARNING_UNDER_REVIEW,
        DisputeStatus.WARNING_CLOSED,
    }
)


def heard_of_purchase(purchase_id: PaymentIntentId, heard: Heard, tx: Transaction) -> bool:
    """A purchase has come to another state; False where the payment is none of credits.

    Refuses: WebhookContradictsBooks, CreditsOutOfRange.
    """
    purchase = tx.credit_purchases.find(purchase_id)
    if purchase is None:
        return False
    keep_heard(purchase, heard, tx)
    return True


def purchase_refunded(about: ProcessorObject, tx: Transaction) -> None:
    """Money of a purchase went back: so do its credits. Nothing where it bought none.

    Refuses: WebhookContradictsBooks, CurrenciesDiffer, CreditsOutOfRange.
    """
    if about.status != "succeeded" or about.payment_intent is None:
        return
    credits_of_payment_taken_back(
        about.payment_intent, _amount(about), f"refund:{about.id}", REFUNDED, tx
    )


def purchase_disputed(about: ProcessorObject, status: DisputeStatus, tx: Transaction) -> bool:
    """A bank asks for a purchase's money back, or has lost; False where it bought no credits.

    Refuses: WebhookContradictsBooks, CurrenciesDiffer, CreditsOutOfRange.
    """
    if about.payment_intent is None:
        return False
    if status in _INQUIRIES:
        return tx.credit_purchases.find_paid_by(about.payment_intent) is not None
    source_key, money = f"dispute:{about.id}", _amount(about)
    if status is DisputeStatus.WON:
        return credits_of_payment_returned(about.payment_intent, money, source_key, WON, tx)
    return credits_of_payment_taken_back(about.payment_intent, money, source_key, DISPUTED, tx)


def _amount(about: ProcessorObject) -> Money:
    if about.amount is None or about.currency is None:
        raise WebhookContradictsBooks("It does not say how much it is about.")
    return from_processor(about.amount, about.currency)
