"""Render an invoice again from its stored payload, as a further copy beside the issued one."""

from common.contracts.references import InvoiceRef
from common.contracts.shapes import Outcome, Request
from common.domain.identifiers import InvoiceId
from common.domain.invoice import InvoiceUnknown
from common.ports.transaction import Transaction
from common.procedures.drawing import Drawn, Undrawn, draw, keep_drawn
from common.runtime.declaration import http_function


class RegenerateInvoice(Request):
    """The invoice in the path."""

    invoice_id: InvoiceRef


class Regenerated(Outcome):
    """The number of the new copy and the SHA-256 of its file; null while it could not be drawn."""

    invoice_id: InvoiceRef
    copy_number: int | None
    pdf_sha256: str | None
    error: str | None


def keep(drawn: Drawn, tx: Transaction) -> Regenerated:
    """Write the copy down."""
    kept = keep_drawn(drawn, tx)
    rendition = kept.rendition
    return Regenerated(
        invoice_id=InvoiceId(kept.document_id),
        copy_number=rendition.copy if rendition else None,
        pdf_sha256=rendition.pdf_sha256.hex() if rendition else None,
        error=kept.error or None,
    )


@http_function(
    "POST",
    "/invoices/{invoice_id}/regenerate",
    scope="billing.admin",
    status=201,
    perform=draw,
    record=keep,
    needs=("database", "keys", "documents", "printer"),
    refusals=(InvoiceUnknown,),
)
def regenerate_invoice(request: RegenerateInvoice, tx: Transaction) -> Undrawn:
    """Draw a further copy of an invoice from the payload that was signed.

    Refuses: InvoiceUnknown.
    """
    return Undrawn.of(tx.invoices.get(request.invoice_id), tx)
