"""Lead to a credit note's PDF: a signed address that lives five minutes."""

from common.contracts.references import CreditNoteRef
from common.contracts.shapes import Request
from common.domain.credit_note import CreditNoteUnknown
from common.domain.issued_document import DocumentNotRendered
from common.ports.transaction import Transaction
from common.procedures.linking import StoredPdf, link, stored
from common.runtime.declaration import http_function


class GetCreditNotePdf(Request):
    """The credit note in the path."""

    credit_note_id: CreditNoteRef


@http_function(
    "GET",
    "/credit-notes/{credit_note_id}/pdf",
    scope="billing.invoice.read",
    status=302,
    perform=link,
    needs=("database", "documents"),
    refusals=(CreditNoteUnknown, DocumentNotRendered),
)
def get_credit_note_pdf(request: GetCreditNotePdf, tx: Transaction) -> StoredPdf:
    """Answer a redirect to the credit note's PDF.

    Refuses: CreditNoteUnknown, DocumentNotRendered.
    """
    return stored(tx.credit_notes.get(request.credit_note_id), 0, tx.settings)
