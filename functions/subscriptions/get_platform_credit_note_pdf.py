"""Lead to the PDF of a credit note of the platform: a signed address that lives five minutes.

What was given back of an invoice is a document as the invoice is (SUB-5): drawn from its payload
when it is first asked for, sealed by the platform's key, and kept in the tenant's own store.
"""

from common.contracts.references import PlatformCreditNoteRef, SubscriptionInvoiceRef, TenantRef
from common.contracts.shapes import Request
from common.domain.credit_note import CreditNoteUnknown
from common.domain.subscription_invoice import SubscriptionInvoiceUnknown
from common.ports.powers import NotPrintable
from common.ports.transaction import Transaction
from common.procedures.drawing_platform_invoices import AskedFor, draw_and_link
from common.runtime.declaration import RateLimit, http_function


class GetPlatformCreditNotePdf(Request):
    """The credit note in the path, of an invoice of one's own tenant, where no other may be
    named."""

    invoice_id: SubscriptionInvoiceRef
    credit_note_id: PlatformCreditNoteRef
    tenant_id: TenantRef | None = None


@http_function(
    "GET",
    "/subscription-invoices/{invoice_id}/credit-notes/{credit_note_id}/pdf",
    scope="subscription.read",
    platform_scope="platform.subscription.read",
    status=302,
    perform=draw_and_link,
    needs=("database", "documents", "platform_keys", "printer"),
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(SubscriptionInvoiceUnknown, CreditNoteUnknown, NotPrintable),
)
def get_platform_credit_note_pdf(request: GetPlatformCreditNotePdf, tx: Transaction) -> AskedFor:
    """Answer a redirect to the PDF of a credit note of the platform.

    Refuses: SubscriptionInvoiceUnknown, CreditNoteUnknown, NotPrintable.
    """
    invoice = tx.subscriptions.get_invoice(request.invoice_id)
    notes = {each.id: each for each in tx.platform_credits.notes_of(invoice.id)}
    if request.credit_note_id not in notes:
        raise CreditNoteUnknown()
    return AskedFor(tx.settings.tenant_id, notes[request.credit_note_id])
