"""What the processor's events say of purchases of credits (WH-4, WH-5, CRD-3, CRD-5).

Each is held against the purchase under its lock: a payment that was taken is granted, and money
that went back takes its credits along. What is told twice, late, or beside somebody else changes
nothing more. What a bank asks back is a dispute like any other.
"""

from typing import Final

from common.contracts.webhooks import ProcessorObject, RefundPart
from common.domain.identifiers import PaymentIntentId
from common.domain.money import Money
from common.domain.processor_payment import Heard
from common.domain.processor_units import from_processor
from common.domain.webhook import WebhookContradictsBooks
from common.ports.transaction import Transaction
from common.procedures.purchasing import (
    credits_of_payment_returned,
    credits_of_payment_taken_back,
    keep_heard,
)

REFUNDED: Final = "The purchase was refunded at the processor"
REFUND_FAILED: Final = "The refund failed at the processor"


def heard_of_purchase(purchase_id: PaymentIntentId, heard: Heard, tx: Transaction) -> bool:
    """A purchase has come to another state; False where the payment is none of credits.

    Refuses: WebhookContradictsBooks, CreditsOutOfRange.
    """
    purchase = tx.credit_purchases.find(purchase_id)
    if purchase is None:
        return False
    keep_heard(purchase, heard, tx)
    return True


def purchase_refunded(about: ProcessorObject | RefundPart, tx: Transaction) -> bool:
    """Money of a purchase went back: so do its credits. False where it bought none.

    Refuses: WebhookContradictsBooks, CurrenciesDiffer, CreditsOutOfRange.
    """
    if about.status != "succeeded" or about.payment_intent is None:
        return False
    return credits_of_payment_taken_back(
        about.payment_intent, _amount(about), f"refund:{about.id}", REFUNDED, tx
    )


def purchase_refund_failed(about: ProcessorObject | RefundPart, tx: Transaction) -> bool:
    """A refund of a purchase has failed, if it was made or not: its money is the platform's, and
    its credits are the buyer's, whatever is told of it later. False where it bought none.

    Refuses: WebhookContradictsBooks, CurrenciesDiffer, CreditsOutOfRange.
    """
    if about.payment_intent is None:
        return False
    return credits_of_payment_returned(
        about.payment_intent, _amount(about), f"refund:{about.id}", REFUND_FAILED, tx
    )


def _amount(about: ProcessorObject | RefundPart) -> Money:
    if about.amount is None or about.currency is None:
        raise WebhookContradictsBooks("It does not say how much it is about.")
    return from_processor(about.amount, about.currency)
