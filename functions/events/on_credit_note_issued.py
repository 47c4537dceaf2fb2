"""A credit note was issued: it is signed and its PDF is made, as an invoice's is."""

from common.contracts.document_events import CreditNoteIssuedV1
from common.ports.transaction import Transaction
from common.procedures.drawing import Drawn, Undrawn, draw, keep_drawn
from common.runtime.declaration import event_function


def keep(drawn: Drawn, tx: Transaction) -> None:
    """Write down the signature and the issued copy, or when to try again."""
    keep_drawn(drawn, tx)


@event_function(
    "melmastoon.billing.credit_note.issued.v1",
    perform=draw,
    record=keep,
    needs=("database", "keys", "documents", "printer"),
)
def on_credit_note_issued(issued: CreditNoteIssuedV1, tx: Transaction) -> Undrawn | None:
    """Draw the issued copy, unless it is there.

    Refuses: CreditNoteUnknown.
    """
    note = tx.credit_notes.get(issued.credit_note_id)
    return None if note.renditions else Undrawn.of(note, tx)
