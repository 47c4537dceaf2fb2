"""A bank asks for money that came second for an invoice of the platform, and goes back by itself.

It goes back by the bank or by our refund, and not by both (WH-5, BEY-4). While the bank asks, a
refund that was not made is called off. Lost, what had not gone back has gone by the bank; what had
is lost twice, and is the platform's loss. Won, what was called off is promised again, under its own
id: whoever asks the processor asks first whether it was made all the same.

The subscription of the invoice is locked before anybody looks where the refund stands.
"""

from common.domain.dispute import DECIDED, INQUIRIES, Dispute, DisputeStatus
from common.domain.money import Money
from common.domain.platform_credit import ReversalEntry, dispute_source, follow_second
from common.domain.subscription_refund import SubscriptionRefund, SubscriptionRefundFact
from common.domain.webhook import WebhookContradictsBooks
from common.ports.transaction import Transaction
from common.procedures.giving_back import next_part


def refund_of_second(processor_payment_id: str, tx: Transaction) -> SubscriptionRefund | None:
    """The refund of a payment that came second, behind its subscription's lock; None where it did
    not."""
    found = tx.subscription_refunds.find_surplus(processor_payment_id)
    if found is None:
        return None
    tx.subscriptions.take_by_id(found[1])
    return tx.subscription_refunds.get(found[0])


def must_be_of_all(refund: SubscriptionRefund, amount: Money) -> None:
    """A claim is about all that came second, or more: a part that a bank has cannot be told from
    what goes back. Refuses: WebhookContradictsBooks."""
    if amount.currency != refund.amount.currency or amount < refund.amount:
        raise WebhookContradictsBooks("It is about a part of what came second.")


def left_of(refund: SubscriptionRefund, tx: Transaction) -> Money:
    """What of it has not gone back: what is promised and not made, or lies here."""
    lying = _lying(refund, tx)
    return lying.amount if lying else Money.zero(refund.amount.currency)


def follow_claim(
    dispute: Dispute, refund: SubscriptionRefund, tx: Transaction, *, is_news: bool
) -> None:
    """Let the refund of what came second follow a claim, and book that once; `is_news` where it
    has come to where it stands now, and not only its fee was told."""
    booked = tx.platform_credits.booked(dispute_source(dispute.processor_dispute_id))
    entries = follow_second(dispute, booked)
    if entries:
        tx.platform_credits.keep(tx.subscriptions.get_invoice(refund.invoice_id), entries)
    if not is_news or not dispute.takes_money:
        return
    match dispute.status:
        case DisputeStatus.WON:
            if not _is_claimed(refund, dispute, tx):
                _move(refund, refund.promise_again(next_part(refund, tx)), tx)
        case DisputeStatus.LOST:
            gone = _lying(refund, tx)
            if gone is not None and dispute.on_account == gone.amount:
                part = next_part(gone, tx)
                if contested := gone.contest(part, tx):
                    _move(gone, contested, tx)
                    part += 1
                _move(gone, gone.lost_to(dispute.processor_dispute_id, part, tx), tx)
        case _:
            _move(refund, refund.contest(next_part(refund, tx), tx), tx)


def _lying(refund: SubscriptionRefund, tx: Transaction) -> SubscriptionRefund | None:
    """What is still here of it: itself, or what came back of a refund of it."""
    if not refund.has_gone:
        return refund
    if refund.processor_payment_id is None:
        return None
    came_back = tx.subscription_refunds.that_came_back(refund.processor_payment_id)
    return next((each for each in came_back if not each.has_gone), None)


def _is_claimed(refund: SubscriptionRefund, decided: Dispute, tx: Transaction) -> bool:
    """Whether a bank still asks for it, but for a claim that is decided now."""
    if refund.surplus_id is None:
        return False
    claims = tx.disputes.of_surplus(refund.surplus_id)
    return any(
        status not in DECIDED and status not in INQUIRIES
        for id, status in claims.items()
        if id != decided.id
    )


def _move(
    refund: SubscriptionRefund,
    moved: tuple[SubscriptionRefundFact, tuple[ReversalEntry, ...]] | None,
    tx: Transaction,
) -> None:
    if moved is None:
        return
    fact, entries = moved
    tx.subscription_refunds.keep(refund)
    tx.platform_credits.keep(tx.subscriptions.get_invoice(refund.invoice_id), entries)
    tx.tell(fact)
