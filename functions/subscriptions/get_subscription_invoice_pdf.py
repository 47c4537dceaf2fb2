"""Lead to the PDF of an invoice of the platform: a signed address that lives five minutes.

It is drawn when it is first asked for, from the payload, sealed by the platform's key, and kept in
the tenant's own store.
"""

from common.contracts.references import SubscriptionInvoiceRef, TenantRef
from common.contracts.shapes import Request
from common.domain.subscription_invoice import SubscriptionInvoiceUnknown
from common.ports.powers import NotPrintable
from common.ports.transaction import Transaction
from common.procedures.drawing_platform_invoices import AskedFor, draw_and_link
from common.runtime.declaration import RateLimit, http_function


class GetSubscriptionInvoicePdf(Request):
    """The invoice in the path, of one's own tenant, where no other may be named."""

    invoice_id: SubscriptionInvoiceRef
    tenant_id: TenantRef | None = None


@http_function(
    "GET",
    "/subscription-invoices/{invoice_id}/pdf",
    scope="subscription.read",
    platform_scope="platform.subscription.read",
    status=302,
    perform=draw_and_link,
    needs=("database", "documents", "platform_keys", "printer"),
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(SubscriptionInvoiceUnknown, NotPrintable),
)
def get_subscription_invoice_pdf(request: GetSubscriptionInvoicePdf, tx: Transaction) -> AskedFor:
    """Answer a redirect to the PDF of an invoice of the platform.

    Refuses: SubscriptionInvoiceUnknown, NotPrintable.
    """
    invoice = tx.subscriptions.get_invoice(request.invoice_id)
    return AskedFor(tx.settings.tenant_id, invoice)
