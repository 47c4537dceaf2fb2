"""What was taken a second time for an invoice of the platform goes back by itself (BEY-4, WH-4).

Our own collector and a subscription of the processor's own may both take the money of one invoice,
and so may two charges of ours, one of which a bank has confirmed late. The first pays the invoice;
the second is booked in beside it and promised back in one commit, behind the subscription's lock. A
job asks the processor, as for every refund, and its word is kept once, whoever hears of it first.
"""

from common.domain.subscription_invoice import SubscriptionInvoice
from common.domain.subscription_payment import SubscriptionPaymentSentBack
from common.domain.subscription_refund import SubscriptionRefund
from common.ports.transaction import Transaction
from common.procedures.refunded_there import Told


def send_back(
    second: SubscriptionPaymentSentBack, invoice: SubscriptionInvoice, tx: Transaction
) -> None:
    """Keep a charge that came second for an invoice, and promise all of it back."""
    tx.subscription_payments.keep(second.subject)
    tx.tell(second)
    promised, entries = SubscriptionRefund.of_surplus(second.subject, tx)
    tx.subscription_refunds.keep(promised.subject)
    tx.subscription_refunds.list_payment(promised.subject)
    tx.platform_credits.keep(invoice, entries)
    tx.tell(promised)


def keep_surplus_made_there(told: Told, tx: Transaction) -> bool:
    """Keep that somebody has given back at the processor what came second. False where the payment
    did not. Refuses: WebhookContradictsBooks.
    """
    found = tx.subscription_refunds.find_surplus(told.processor_payment_id)
    if found is None:
        return False
    refund_id, subscription_id = found
    tx.subscriptions.take_by_id(subscription_id)
    refund = tx.subscription_refunds.get(refund_id)
    made = refund.made_at_the_processor(told.processor_refund_id, told.paid, tx)
    if made is not None:
        fact, entries = made
        tx.subscription_refunds.keep(refund)
        if entries:
            tx.platform_credits.keep(tx.subscriptions.get_invoice(refund.invoice_id), entries)
        tx.tell(fact)
    return True
