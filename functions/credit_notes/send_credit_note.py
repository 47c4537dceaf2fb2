"""Send a credit note: hand its issued copy to the notification service, as an invoice's."""

from common.contracts.references import CreditNoteRef
from common.contracts.sendings import SendingAsked, SendingView
from common.contracts.shapes import Request
from common.domain.credit_note import CreditNoteUnknown
from common.domain.issued_document import DocumentNotRendered
from common.domain.languages import LanguageNotWritten
from common.ports.transaction import Transaction
from common.procedures import sending
from common.runtime.declaration import RateLimit, http_function


class SendCreditNote(SendingAsked, Request):
    """The credit note in the path."""

    credit_note_id: CreditNoteRef


@http_function(
    "POST",
    "/credit-notes/{credit_note_id}/send",
    scope=sending.SCOPE,
    status=202,
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(CreditNoteUnknown, DocumentNotRendered, LanguageNotWritten),
)
def send_credit_note(request: SendCreditNote, tx: Transaction) -> SendingView:
    """Hand a credit note over to be sent, and answer the sending.

    Refuses: CreditNoteUnknown, DocumentNotRendered, LanguageNotWritten.
    """
    return sending.send(tx.credit_notes.get(request.credit_note_id), request, tx)
