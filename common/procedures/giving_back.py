"""Money of the platform's invoices goes back, and what it paid for follows it (WH-5, CRD-5).

Whoever tells of it, the invoice's subscription is locked, and each refund and each dispute counts
once by the processor's own id. A refund is a credit note; of a dispute the money is booked as it
stands. The credits of the invoice's period follow all of it together: the share of them that is the
share of the invoice's total. What a dispute has taken comes back when it is won, but for what other
refunds have asked for by then. What went back of a period is not credited again, and a credit of it
is taken back (`common.domain.subscription_given_back`). A refund that fails after it was made takes
nothing of that back: the tenant is owed the money, and it lies here until a person has sent it.

What was taken a second time for an invoice goes back by itself (BEY-4): our own collector and a
subscription of the processor's own may both take its money, and so may two charges of ours, one of
which a bank has confirmed late. The first pays; the second is booked in beside it and promised back
in one commit. A job asks the processor, and its word is kept once, whoever hears of it first.
"""

from typing import Final

from common.domain.dispute import Dispute, DisputeStatus
from common.domain.money import Money
from common.domain.platform_credit import (
    dispute_source,
    entries_of,
    follow,
    give_back,
    must_be_refundable,
    refund_source,
)
from common.domain.platform_identifiers import PlatformCreditNoteId
from common.domain.prepaid_grant import renewal_key
from common.domain.subscription import Subscription, SubscriptionFact
from common.domain.subscription_given_back import is_back, take_credit_back, went_back
from common.domain.subscription_invoice import Purpose, SubscriptionInvoice
from common.domain.subscription_payment import (
    SubscriptionPaymentSentBack,
)
from common.domain.subscription_refund import SubscriptionRefund
from common.domain.webhook import WebhookContradictsBooks
from common.ports.subscription_refunds import PendingSubscriptionRefund
from common.ports.transaction import Transaction
from common.ports.transactions import TryAgain
from common.procedures.granting import give_back_what_is_not_gone, take_back_share
from common.procedures.refunded_there import Told
from common.procedures.subscribing import settle, with_credit_set_off

REFUNDED: Final = "Given back at the processor"
TAKEN: Final = "A bank asks for the money of the invoice back"
WON: Final = "The dispute was won"


def invoice_paid_by(processor_payment_id: str, tx: Transaction) -> SubscriptionInvoice | None:
    """The invoice of the platform that a payment has paid; see `_paid_by`. Raises TryAgain."""
    found = _paid_by(processor_payment_id, tx)
    return found[1] if found else None


def _paid_by(
    processor_payment_id: str, tx: Transaction
) -> tuple[Subscription, SubscriptionInvoice] | None:
    """The invoice of the platform that a payment has paid, behind its subscription's lock; None
    where it has paid none, or its invoice was paid by another charge: that money was never in the
    books. Money that goes back has come before, and whoever says so is under way.

    Raises TryAgain.
    """
    whose = tx.subscription_payments.whose(None, processor_payment_id)
    if whose is None:
        return None
    tx.subscription_payments.foresee_charge(whose)
    tx.subscriptions.foresee_invoice(whose.invoice_id)
    subscription = tx.subscriptions.take_by_id(whose.subscription_id)
    payment = tx.subscription_payments.get(whose.payment_id)
    invoice = tx.subscriptions.get_invoice(payment.invoice_id)
    if payment.is_paid:
        return subscription, invoice
    if invoice.paid_at is None or payment.is_under_way:
        raise TryAgain("what went back has not been heard to come")
    return None


def keep_refunded(told: Told, reason: str, tx: Transaction) -> bool:
    """Write the credit note of what was refunded of an invoice, once; what came second needs none,
    and what came back has one. False where the payment is of no invoice.

    Refuses: AmountNotPositive, CurrenciesDiffer, RefundExceedsPayment, WebhookContradictsBooks.
    """
    tx.subscription_refunds.foresee_surplus(told.processor_payment_id)
    found = _paid_by(told.processor_payment_id, tx)
    if found is None:
        return keep_surplus_made_there(told, tx)
    source = refund_source(told.processor_refund_id)
    if not tx.platform_credits.booked(source) and not _is_what_came_back(told, tx):
        subscription, invoice = found
        gone = invoice.gone
        _credit(invoice, told.paid, told.processor_refund_id, reason, tx)
        _went_back(subscription, invoice, source, gone, tx)
    return True


def keep_refund_result(
    pending: PendingSubscriptionRefund, failure_code: str | None, tx: Transaction
) -> bool:
    """Keep what became of a refund that we have asked for, unless that is kept already. False where
    it is said to have failed, and we have had it made (`keep_failed_afterwards`).

    Refuses: RefundExceedsPayment, where somebody has given the same money back at the processor.
    """
    subscription = tx.subscriptions.take_by_id(pending.subscription_id)
    refund = tx.subscription_refunds.get(pending.id)
    if not refund.is_pending:
        if failure_code is None and refund.is_called_off:
            _made_after_all(refund, tx)
        return failure_code is None or not refund.was_made_by_us
    was_known = refund.processor_payment_id is not None
    settled = refund.settle(failure_code, tx, pending.processor_payment_id)
    tx.subscription_refunds.keep(refund)
    tx.tell(settled)
    if not was_known:
        tx.subscription_refunds.list_payment(refund)
    if refund.surplus_id is not None:
        if refund.has_gone:
            return True
        if entries := refund.settled_as(next_part(refund, tx)):
            tx.platform_credits.keep(tx.subscriptions.get_invoice(refund.invoice_id), entries)
    elif failure_code is None:
        invoice = tx.subscriptions.get_invoice(refund.invoice_id)
        _credit(invoice, refund.amount, refund.id, refund.reason, tx)
    else:
        _told(is_back(subscription, refund_source(refund.id)), tx)
    return True


def is_refunded(processor_refund_id: str, tx: Transaction) -> bool:
    """Whether a refund that somebody made at the processor is in the books of the platform: of an
    invoice, of what came second for one, or of what came back."""
    if tx.platform_credits.booked(refund_source(processor_refund_id)):
        return True
    return tx.subscription_refunds.find_made_there(processor_refund_id) is not None


def keep_failed_afterwards(
    pending: PendingSubscriptionRefund, failure_code: str, tx: Transaction
) -> None:
    """A refund that we have had made has failed since: its money lies here, once.

    Refuses: WebhookContradictsBooks, where a bank has got the same money.
    """
    tx.subscriptions.take_by_id(pending.subscription_id)
    refund = tx.subscription_refunds.get(pending.id)
    if refund.was_made_by_us and refund.processor_payment_id is not None:
        paid_by = refund.processor_payment_id
        invoice = tx.subscriptions.get_invoice(refund.invoice_id)
        _came_back(refund.id, invoice, paid_by, refund.amount, failure_code, tx)


def keep_failed_there(told: Told, failure_code: str, tx: Transaction) -> None:
    """A refund that was made at the processor and is in the books has failed since: its money lies
    here, once.

    Refuses: WebhookContradictsBooks, for another amount than was made, and where a bank has got the
    same money. Raises TryAgain.
    """
    failed, found = told.processor_refund_id, _paid_by(told.processor_payment_id, tx)
    known = tx.subscription_refunds.find_made_there(failed)
    if known is not None:
        tx.subscriptions.take_by_id(known[1])
        made = tx.subscription_refunds.get(known[0])
        invoice, amount = tx.subscriptions.get_invoice(made.invoice_id), made.amount
    elif found is not None:
        invoice = found[1]
        booked = tx.platform_credits.booked(refund_source(failed)).values()
        amount = Money.total((each.amount for each in booked), invoice.currency)
    else:
        return
    if amount != told.paid:
        raise WebhookContradictsBooks("Another amount was given back.")
    _came_back(failed, invoice, told.processor_payment_id, amount, failure_code, tx)


def _came_back(
    failed: str,
    invoice: SubscriptionInvoice,
    processor_payment_id: str,
    amount: Money,
    failure_code: str,
    tx: Transaction,
) -> None:
    if tx.subscription_refunds.has_come_back(failed):
        return
    from common.procedures.lying_here import must_not_be_lost  # it comes seldom (PERF-1)

    must_not_be_lost(invoice, processor_payment_id, tx)
    fact, entries = SubscriptionRefund.came_back(
        failed, invoice, processor_payment_id, amount, failure_code, tx
    )
    tx.subscription_refunds.keep(fact.subject)
    tx.platform_credits.keep(invoice, entries)
    tx.tell(fact)


def _is_what_came_back(told: Told, tx: Transaction) -> bool:
    """Whether what was given back at the processor is what had come back of the same payment; it
    lies here no longer then. The subscription is locked."""
    came = tx.subscription_refunds.that_came_back(told.processor_payment_id)
    if any(each.made_there == told.processor_refund_id for each in came):
        return True
    lying = (each for each in came if each.made_there is None and each.amount == told.paid)
    if (refund := next(lying, None)) is None:
        return False
    _made_there(refund, told, tx)
    return True


def next_part(refund: SubscriptionRefund, tx: Transaction) -> int:
    """The part of the next entry of what came second, or came back."""
    booked = tx.platform_credits.booked(refund.source)
    return max(booked, default=refund.first_part - 1) + 1


def _made_after_all(refund: SubscriptionRefund, tx: Transaction) -> None:
    """What was called off for a bank's claim had been made."""
    fact, entries = refund.made_after_all(next_part(refund, tx), tx)
    tx.subscription_refunds.keep(refund)
    tx.platform_credits.keep(tx.subscriptions.get_invoice(refund.invoice_id), entries)
    tx.tell(fact)


def _made_there(refund: SubscriptionRefund, told: Told, tx: Transaction) -> None:
    """Refuses: WebhookContradictsBooks."""
    part = next_part(refund, tx)
    made = refund.made_at_the_processor(told.processor_refund_id, told.paid, tx, part)
    if made is not None:
        fact, entries = made
        tx.subscription_refunds.keep(refund)
        if entries:
            tx.platform_credits.keep(tx.subscriptions.get_invoice(refund.invoice_id), entries)
        tx.tell(fact)


def _went_back(
    subscription: Subscription,
    invoice: SubscriptionInvoice,
    source: str,
    gone: Money,
    tx: Transaction,
    *,
    for_good: bool = True,
) -> None:
    """Note what of an invoice has gone back beyond what had `gone`; where that is for good and was
    credited before, take the credit back."""
    now = invoice.gone - gone
    _told(went_back(subscription, invoice, source, gone, now), tx)
    if for_good and not subscription.credit.is_zero:
        left = tx.subscription_refunds.left_of_period(invoice.id, invoice.currency)
        _told(take_credit_back(subscription, invoice, now - left), tx)


def _told(fact: SubscriptionFact | None, tx: Transaction) -> None:
    """Keep what became of a subscription, with the invoice of it if there is one."""
    if fact is not None and fact.bill is not None:
        settle(with_credit_set_off(fact, tx), tx)
    elif fact is not None:
        tx.subscriptions.keep(fact.subject)
        tx.tell(fact)


def _credit(
    invoice: SubscriptionInvoice, amount: Money, refund_id: str, reason: str, tx: Transaction
) -> None:
    """Write the credit note of a refund, let the credits follow, and book it.

    The series comes last: all tenants stand in line for it.
    """
    must_be_refundable(invoice, amount)
    _take_credits(invoice, invoice.gone + amount, refund_source(refund_id), reason, tx)
    series = tx.platform_credits.take_series(tx.now.year)
    issued = give_back(
        invoice,
        amount,
        refund_id,
        reason,
        id=tx.new_id(PlatformCreditNoteId),
        series=series,
        at=tx.now,
    )
    tx.platform_credits.keep_note(issued.subject, series)
    tx.platform_credits.keep(invoice, entries_of(issued.subject))
    tx.tell(issued)


def follow_dispute(dispute: Dispute, processor_payment_id: str, tx: Transaction) -> None:
    """Let an invoice's money and credits follow a dispute as it stands, each step once, whatever
    was told in which order. An inquiry withholds nothing, and moves nothing. What had come back of
    a refund and lies here goes by a claim that is lost, where that is about it as well.

    Refuses: CurrenciesDiffer, CreditsOutOfRange.
    """
    if dispute.invoice_id is None:
        return
    subscription_id = tx.subscriptions.get_invoice(dispute.invoice_id).subscription_id
    tx.subscriptions.foresee_invoice(dispute.invoice_id)
    subscription = tx.subscriptions.take_by_id(subscription_id)
    invoice = tx.subscriptions.get_invoice(dispute.invoice_id)
    source = dispute_source(dispute.processor_dispute_id)
    before, gone = tx.platform_credits.booked(source), invoice.gone
    lying, is_over = None, False
    if dispute.status is DisputeStatus.LOST:
        from common.procedures.lying_here import has_taken, lies_for  # it comes seldom

        is_over = has_taken(dispute, tx)
        lying = None if is_over else lies_for(dispute, invoice, processor_payment_id, tx)
    lay_here = lying.amount if lying else Money.zero(invoice.currency)
    entries = follow(invoice, dispute, before, lay_here, is_over=is_over)
    if lying is not None:
        _goes_by(lying, dispute, invoice, tx)
    elif not entries:
        return
    tx.platform_credits.keep(invoice, entries)
    if dispute.status is not DisputeStatus.WON:
        _take_credits(invoice, invoice.gone, source, TAKEN, tx)
        is_lost = dispute.status is DisputeStatus.LOST
        _went_back(subscription, invoice, source, gone, tx, for_good=is_lost)
        return
    if invoice.bill.purpose is Purpose.PERIOD:
        give_back_what_is_not_gone(
            tx, _grant_key(invoice), source, invoice.gone, invoice.bill.total, WON
        )
    _told(is_back(subscription, source), tx)


def _goes_by(
    lying: SubscriptionRefund, dispute: Dispute, invoice: SubscriptionInvoice, tx: Transaction
) -> None:
    """What had come back goes by a claim that was lost."""
    fact, entries = lying.lost_to(dispute.processor_dispute_id, next_part(lying, tx), tx)
    tx.subscription_refunds.keep(lying)
    tx.platform_credits.keep(invoice, entries)
    tx.tell(fact)


def _take_credits(
    invoice: SubscriptionInvoice, gone: Money, source: str, reason: str, tx: Transaction
) -> None:
    """Take back the share of the period's credits that so much is of what the invoice came to.

    An invoice of a change, or of what was used, came with none.
    """
    if invoice.bill.purpose is Purpose.PERIOD:
        take_back_share(tx, _grant_key(invoice), source, gone, invoice.bill.total, reason)


def _grant_key(invoice: SubscriptionInvoice) -> str:
    return renewal_key(invoice.subscription_id, invoice.bill.period.start)


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
    if refund.made_there == told.processor_refund_id or not _is_what_came_back(told, tx):
        _made_there(refund, told, tx)
    return True
