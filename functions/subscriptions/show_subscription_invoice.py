"""Show an invoice of the platform to a tenant, with its payload, what became of its money, and the
credit notes of what was given back."""

from common.contracts.references import SubscriptionInvoiceRef, TenantRef
from common.contracts.shapes import Request
from common.contracts.subscriptions import SubscriptionInvoiceShown
from common.domain.subscription_invoice import SubscriptionInvoiceUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowSubscriptionInvoice(Request):
    """The invoice in the path, of one's own tenant, where no other may be named."""

    invoice_id: SubscriptionInvoiceRef
    tenant_id: TenantRef | None = None


@http_function(
    "GET",
    "/subscription-invoices/{invoice_id}",
    scope="subscription.read",
    platform_scope="platform.subscription.read",
    refusals=(SubscriptionInvoiceUnknown,),
)
def show_subscription_invoice(
    request: ShowSubscriptionInvoice, tx: Transaction
) -> SubscriptionInvoiceShown:
    """Answer an invoice of the platform.

    Refuses: SubscriptionInvoiceUnknown.
    """
    invoice = tx.subscriptions.get_invoice(request.invoice_id)
    return SubscriptionInvoiceShown.showing(invoice, tx.platform_credits.notes_of(invoice.id))
