"""Lead to an invoice's PDF: a signed address that lives five minutes; the file is never public."""

from typing import Annotated

from pydantic import Field

from common.contracts.fields import Digits
from common.contracts.references import InvoiceRef
from common.contracts.shapes import Request
from common.domain.invoice import InvoiceUnknown
from common.domain.issued_document import DocumentNotRendered
from common.ports.transaction import Transaction
from common.procedures.linking import StoredPdf, link, stored
from common.runtime.declaration import http_function


class GetInvoicePdf(Request):
    """The invoice in the path; `copy` 0 is the one that was issued."""

    invoice_id: InvoiceRef
    copy_number: Annotated[int, Field(ge=0, le=9999), Digits] = 0


@http_function(
    "GET",
    "/invoices/{invoice_id}/pdf",
    scope="billing.invoice.read",
    status=302,
    perform=link,
    needs=("database", "documents"),
    refusals=(InvoiceUnknown, DocumentNotRendered),
)
def get_invoice_pdf(request: GetInvoicePdf, tx: Transaction) -> StoredPdf:
    """Answer a redirect to the invoice's PDF.

    Refuses: InvoiceUnknown, DocumentNotRendered.
    """
    return stored(tx.invoices.get(request.invoice_id), request.copy_number, tx.settings)
