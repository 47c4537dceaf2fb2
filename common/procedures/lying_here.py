"""What came back of a refund of the platform, and what banks have got of the same payment (WH-5).

A bank may get what had gone back as well, where that refund has failed since: then what lies here
of it goes by the bank. Where the bank was first, what comes again is the house's, and lies for
nobody: such an event is refused, and kept for a person.

The subscription of the invoice is locked before anybody looks.
"""

from common.domain.dispute import Dispute, DisputeStatus
from common.domain.money import Money
from common.domain.platform_credit import DECIDED, dispute_source
from common.domain.subscription_invoice import SubscriptionInvoice
from common.domain.subscription_refund import SubscriptionRefund
from common.domain.webhook import WebhookContradictsBooks
from common.ports.transaction import Transaction


def lies_for(
    dispute: Dispute, invoice: SubscriptionInvoice, processor_payment_id: str, tx: Transaction
) -> SubscriptionRefund | None:
    """What goes by a claim that is lost now: the most that had come back of a refund, lies here and
    is within what the bank has got beyond what had not gone back; None where nothing is."""
    booked = tx.platform_credits.booked(dispute_source(dispute.processor_dispute_id))
    if DECIDED in booked:
        return None
    beyond = invoice.refunded + invoice.lost + dispute.amount - invoice.left
    came = tx.subscription_refunds.that_came_back(processor_payment_id)
    lying = [each for each in came if not each.has_gone]
    of_it = [each for each in lying if each.amount <= min(beyond, dispute.amount)]
    return max(of_it, key=lambda each: each.amount.amount_micro, default=None)


def has_taken(dispute: Dispute, tx: Transaction) -> bool:
    """Whether what lay here has gone by this claim."""
    return tx.subscription_refunds.find_made_there(dispute.processor_dispute_id) is not None


def must_not_be_lost(
    invoice: SubscriptionInvoice, processor_payment_id: str, tx: Transaction
) -> None:
    """A refund that fails brings nothing that is to be returned where a bank has got the same money
    since. Refuses: WebhookContradictsBooks."""
    found = tx.subscription_refunds.find_surplus(processor_payment_id)
    second = tx.subscription_refunds.get(found[0]).surplus_id if found else None
    if second is not None:
        is_lost = DisputeStatus.LOST in tx.disputes.of_surplus(second).values()
    else:
        came = tx.subscription_refunds.that_came_back(processor_payment_id)
        lies = Money.total((e.amount for e in came if not e.has_gone), invoice.currency)
        is_lost = not invoice.lost.is_zero and invoice.refunded + invoice.lost - lies > invoice.left
    if is_lost:
        raise WebhookContradictsBooks("A bank has got this money.")
