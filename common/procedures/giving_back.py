"""Money of the platform's invoices goes back, and what it paid for follows it (WH-5, CRD-5).

Whoever tells of it, the invoice's subscription is locked, and each refund and each dispute counts
once by the processor's own id. A refund is a credit note; of a dispute the money is booked as it
stands. The credits of the invoice's period follow all of it together: the share of them that is the
share of the invoice's total. What a dispute has taken comes back when it is won, but for what other
refunds have asked for by then.
"""

from typing import Final

from common.domain.dispute import Dispute, DisputeStatus
from common.domain.identifiers import SubscriptionInvoiceId
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
from common.domain.refund import RefundExceedsPayment
from common.domain.subscription_invoice import Purpose, SubscriptionInvoice
from common.domain.subscription_payment import SubscriptionPayment
from common.ports.subscriptions import PendingSubscriptionRefund
from common.ports.transaction import Transaction
from common.ports.transactions import TryAgain
from common.procedures.granting import give_back_what_is_not_gone, take_back_share
from common.procedures.refunded_there import Told

REFUNDED: Final = "Given back at the processor"
TAKEN: Final = "A bank asks for the money of the invoice back"
WON: Final = "The dispute was won"


def invoice_paid_by(processor_payment_id: str, tx: Transaction) -> SubscriptionInvoice | None:
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
    tx.subscriptions.take_by_id(whose.subscription_id)
    payment = tx.subscription_payments.get(whose.payment_id)
    invoice = tx.subscriptions.get_invoice(payment.invoice_id)
    if payment.is_paid:
        return invoice
    if invoice.paid_at is None:
        raise TryAgain("what went back has not been heard to come")
    return None


def take_paid_invoice(
    invoice_id: SubscriptionInvoiceId, tx: Transaction
) -> tuple[SubscriptionInvoice, SubscriptionPayment]:
    """An invoice with the charge that has paid it, behind its subscription's lock.

    Refuses: SubscriptionInvoiceUnknown, RefundExceedsPayment (nothing was paid).
    """
    subscription_id = tx.subscriptions.get_invoice(invoice_id).subscription_id
    tx.subscriptions.foresee_invoice(invoice_id)
    tx.subscription_payments.foresee_that_paid(invoice_id)
    tx.subscription_refunds.foresee_promised(invoice_id)
    tx.subscriptions.take_by_id(subscription_id)
    payment = tx.subscription_payments.that_paid(invoice_id)
    if payment is None:
        raise RefundExceedsPayment(leftMicro=0)
    return tx.subscriptions.get_invoice(invoice_id), payment


def keep_refunded(told: Told, reason: str, tx: Transaction) -> bool:
    """Write the credit note of what was refunded of an invoice, once. False where the payment paid
    no invoice. Refuses: AmountNotPositive, CurrenciesDiffer, RefundExceedsPayment.
    """
    invoice = invoice_paid_by(told.processor_payment_id, tx)
    if invoice is None:
        return False
    if not tx.platform_credits.booked(refund_source(told.processor_refund_id)):
        _credit(invoice, told.paid, told.processor_refund_id, reason, tx)
    return True


def keep_refund_result(
    pending: PendingSubscriptionRefund, failure_code: str | None, tx: Transaction
) -> None:
    """Keep what became of a refund that we have asked for, unless that is kept already.

    Refuses: RefundExceedsPayment, where somebody has given the same money back at the processor.
    """
    tx.subscriptions.take_by_id(pending.subscription_id)
    refund = tx.subscription_refunds.get(pending.id)
    if not refund.is_pending:
        return
    settled = refund.settle(failure_code, tx)
    tx.subscription_refunds.keep(refund)
    tx.tell(settled)
    if failure_code is None:
        invoice = tx.subscriptions.get_invoice(refund.invoice_id)
        _credit(invoice, refund.amount, refund.id, refund.reason, tx)


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


def follow_dispute(dispute: Dispute, tx: Transaction) -> None:
    """Let an invoice's money and credits follow a dispute as it stands, each step once, whatever
    was told in which order. An inquiry withholds nothing, and moves nothing.

    Refuses: CurrenciesDiffer, CreditsOutOfRange.
    """
    if dispute.invoice_id is None:
        return
    subscription_id = tx.subscriptions.get_invoice(dispute.invoice_id).subscription_id
    tx.subscriptions.foresee_invoice(dispute.invoice_id)
    tx.subscriptions.take_by_id(subscription_id)
    invoice = tx.subscriptions.get_invoice(dispute.invoice_id)
    source = dispute_source(dispute.processor_dispute_id)
    before = tx.platform_credits.booked(source)
    entries = follow(invoice, dispute, before)
    if not entries:
        return
    tx.platform_credits.keep(invoice, entries)
    if dispute.status is not DisputeStatus.WON:
        _take_credits(invoice, invoice.gone, source, TAKEN, tx)
    elif invoice.bill.purpose is Purpose.PERIOD:
        give_back_what_is_not_gone(
            tx, _grant_key(invoice), source, invoice.gone, invoice.bill.total, WON
        )


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
