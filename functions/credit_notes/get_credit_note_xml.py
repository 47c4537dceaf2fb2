"""Give a credit note to an accountant's program: it names the invoice that it corrects (BG-3)."""

from common.contracts.references import CreditNoteRef
from common.contracts.shapes import Request
from common.domain.credit_note import CreditNote, CreditNoteUnknown
from common.domain.einvoice import EInvoiceNotPossible
from common.ports.transaction import Transaction
from common.procedures.stating import state
from common.runtime.declaration import XML, http_function


class GetCreditNoteXml(Request):
    """The credit note in the path."""

    credit_note_id: CreditNoteRef


@http_function(
    "GET",
    "/credit-notes/{credit_note_id}/xml",
    scope="billing.invoice.read",
    perform=state,
    gives=XML,
    needs=("database", "printer"),
    refusals=(CreditNoteUnknown, EInvoiceNotPossible),
)
def get_credit_note_xml(request: GetCreditNoteXml, tx: Transaction) -> CreditNote:
    """Answer the credit note as XML.

    Refuses: CreditNoteUnknown, EInvoiceNotPossible.
    """
    return tx.credit_notes.get(request.credit_note_id)
