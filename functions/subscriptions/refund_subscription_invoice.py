"""Give back money of an invoice of the platform, in part or in whole, and say why (WH-5).

It is promised here and asked of the processor by a job. Once that has made it, a credit note says
so, and the share of the period's credits goes back that is the share of the invoice. Where the
period has been used, its credits become a debt, which the platform may waive.
"""

from common.contracts.fields import FreeText, Payable
from common.contracts.references import RefundRef, SubscriptionInvoiceRef, TenantRef
from common.contracts.shapes import Request
from common.contracts.subscription_refunds import SubscriptionRefundAnswer
from common.domain.identifiers import SubscriptionInvoiceId
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.domain.platform_credit import refund_source
from common.domain.refund import RefundExceedsPayment
from common.domain.subscription import Subscription
from common.domain.subscription_given_back import went_back
from common.domain.subscription_invoice import SubscriptionInvoice, SubscriptionInvoiceUnknown
from common.domain.subscription_payment import SubscriptionPayment
from common.domain.subscription_refund import SubscriptionRefund
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.runtime.declaration import RateLimit, http_function


class RefundSubscriptionInvoice(Request):
    """How much of which invoice goes back to which tenant, and why."""

    invoice_id: SubscriptionInvoiceRef
    tenant_id: TenantRef
    id: RefundRef
    amount: Payable
    reason: FreeText


@http_function(
    "POST",
    "/subscription-invoices/{invoice_id}/refunds",
    scope="platform.subscription.write",
    platform_scope="platform.subscription.write",
    status=201,
    step_up=True,
    context=confirming("subscription_invoice.refund"),
    moves_money=True,
    creates=True,
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(
        SubscriptionInvoiceUnknown,
        AmountNotPositive,
        CurrenciesDiffer,
        RefundExceedsPayment,
    ),
)
def refund_subscription_invoice(
    request: RefundSubscriptionInvoice, tx: Transaction
) -> SubscriptionRefundAnswer:
    """Promise to give back money of an invoice, and answer the refund, which is pending.

    Refuses: SubscriptionInvoiceUnknown, AmountNotPositive, CurrenciesDiffer, RefundExceedsPayment.
    """
    subscription, invoice, payment = _take_paid(request.invoice_id, tx)
    promised = tx.subscription_refunds.promised(invoice.id, invoice.currency)
    requested = SubscriptionRefund.request(
        invoice,
        payment,
        request.amount,
        promised,
        tx.subscription_refunds.left_of_period(invoice.id, invoice.currency),
        tx,
        id=request.id,
        reason=request.reason,
    )
    tx.subscription_refunds.keep(requested.subject)
    tx.tell(requested)
    gone, source = invoice.gone + promised, refund_source(requested.subject.id)
    noted = went_back(subscription, invoice, source, gone, request.amount)
    if noted is not None:
        tx.subscriptions.keep(subscription)
        tx.tell(noted)
    return SubscriptionRefundAnswer.of(requested.subject)


def _take_paid(
    invoice_id: SubscriptionInvoiceId, tx: Transaction
) -> tuple[Subscription, SubscriptionInvoice, SubscriptionPayment]:
    """An invoice with its subscription, which is locked, and the charge that has paid it.

    Refuses: SubscriptionInvoiceUnknown, RefundExceedsPayment (nothing was paid).
    """
    subscription_id = tx.subscriptions.get_invoice(invoice_id).subscription_id
    tx.subscriptions.foresee_invoice(invoice_id)
    tx.subscription_payments.foresee_that_paid(invoice_id)
    tx.subscription_refunds.foresee_promised(invoice_id)
    subscription = tx.subscriptions.take_by_id(subscription_id)
    payment = tx.subscription_payments.that_paid(invoice_id)
    if payment is None:
        raise RefundExceedsPayment(leftMicro=0)
    return subscription, tx.subscriptions.get_invoice(invoice_id), payment
