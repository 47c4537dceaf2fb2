"""Verify a credit note by its id and hash: what the QR code on the paper leads to."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts.references import CreditNoteRef
from common.contracts.shapes import Request
from common.ports.transaction import Transaction
from common.procedures.verifying import Found, nothing_known, verify
from common.runtime.declaration import HTML, RateLimit, http_function


class VerifyCreditNote(Request):
    """The document's id, the tenant that issued it, and the payload's SHA-256 in hex."""

    credit_note_id: CreditNoteRef
    tenant: UUID
    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@http_function(
    "GET",
    "/credit-notes/{credit_note_id}/verify",
    scope=None,
    perform=verify,
    pages={HTML: "verification"},
    needs=("database", "keys"),
    limits=(RateLimit(quota=60, window_seconds=60, per="address"),),
    when_tenant_unknown=nothing_known,
)
def verify_credit_note(request: VerifyCreditNote, tx: Transaction) -> Found:
    """Say whether a credit note is ours and unchanged, as JSON or as a page.

    Refuses nothing: what is not known is not valid.
    """
    note = tx.invoices.find(request.credit_note_id)
    return Found(tx.settings, note, bytes.fromhex(request.hash))
