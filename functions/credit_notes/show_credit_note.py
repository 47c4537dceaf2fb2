"""Show a credit note with the payload that was hashed and signed."""

import json
from typing import Any

from common.contracts.credit_notes import CreditNoteView
from common.contracts.invoices import SignatureView
from common.contracts.references import CreditNoteRef
from common.contracts.sendings import SendingView
from common.contracts.shapes import Request
from common.domain.credit_note import CreditNoteUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowCreditNote(Request):
    """The credit note in the path."""

    credit_note_id: CreditNoteRef


class CreditNoteWithPayload(CreditNoteView):
    """A credit note with its payload, who it is made out to (null once erased), its copies and
    its sendings."""

    payload: dict[str, Any]
    customer: dict[str, Any] | None
    signed: bool
    signature: SignatureView | None
    copies: int
    sendings: tuple[SendingView, ...]


@http_function(
    "GET",
    "/credit-notes/{credit_note_id}",
    scope="billing.invoice.read",
    refusals=(CreditNoteUnknown,),
)
def show_credit_note(request: ShowCreditNote, tx: Transaction) -> CreditNoteWithPayload:
    """Answer a credit note with its payload.

    Refuses: CreditNoteUnknown.
    """
    note = tx.credit_notes.get(request.credit_note_id)
    return CreditNoteWithPayload(
        **dict(CreditNoteView.of(note)),
        payload=json.loads(note.payload),
        customer=note.person.document if note.person else None,
        signed=note.signature is not None,
        signature=SignatureView.of(note.signature) if note.signature else None,
        copies=len(note.renditions),
        sendings=SendingView.all(tx.sendings.of(note.id)),
    )
