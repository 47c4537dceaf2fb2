"""Show an invoice of the platform to a tenant, with its payload."""

from common.contracts.references import SubscriptionInvoiceRef
from common.contracts.shapes import Request
from common.contracts.subscriptions import SubscriptionInvoiceView, TenantRef
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
) -> SubscriptionInvoiceView:
    """Answer an invoice of the platform.

    Refuses: SubscriptionInvoiceUnknown.
    """
    return SubscriptionInvoiceView.of(tx.subscriptions.get_invoice(request.invoice_id))
