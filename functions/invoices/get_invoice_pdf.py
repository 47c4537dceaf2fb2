"""Lead to an invoice's PDF: a signed address that lives five minutes; the file is never public."""

from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from common.contracts.fields import Digits, InvoiceRef
from common.contracts.shapes import Outcome, Request
from common.domain.invoice import InvoiceNotRendered, InvoiceUnknown
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function

LINK_SECONDS: Final = 300


class GetInvoicePdf(Request):
    """The invoice in the path; `copy` 0 is the one that was issued."""

    invoice_id: InvoiceRef
    copy_number: Annotated[int, Field(ge=0, le=9999), Digits] = 0


class StoredPdf(Outcome):
    """Where the PDF lies in the tenant's own store."""

    tenant_id: str
    object_name: str


class PdfLink(Outcome):
    """Where the PDF can be fetched for the next five minutes."""

    location: str


def link(stored: StoredPdf, powers: Powers) -> PdfLink:
    """Sign an address for the stored file."""
    location = powers.documents.link(UUID(stored.tenant_id), stored.object_name, LINK_SECONDS)
    return PdfLink(location=location)


@http_function(
    "GET",
    "/invoices/{invoice_id}/pdf",
    scope="billing.invoice.read",
    status=302,
    perform=link,
    needs=("database", "documents"),
    refusals=(InvoiceUnknown, InvoiceNotRendered),
)
def get_invoice_pdf(request: GetInvoicePdf, tx: Transaction) -> StoredPdf:
    """Answer a redirect to the invoice's PDF.

    Refuses: InvoiceUnknown, InvoiceNotRendered.
    """
    invoice = tx.invoices.get(request.invoice_id)
    rendition = invoice.rendition(request.copy_number)
    return StoredPdf(tenant_id=str(tx.settings.tenant_id), object_name=rendition.object_name)
