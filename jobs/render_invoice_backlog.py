"""Draw the documents that were left behind: whose event was lost, or whose drawing had failed.

Every document waits in a queue from the moment it is issued until its PDF is stored; normally its
event has it drawn within a second. What is still waiting when it is due is drawn here, and what
fails again waits longer each time.
"""

from collections.abc import Sequence

from common.domain.identifiers import DocumentId
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.drawing import Drawn, Undrawn, draw, keep_drawn, known
from common.runtime.declaration import job


def waiting(which: Round, tx: Transaction) -> Sequence[DocumentId]:
    """The documents of a tenant that wait and are due, the longest waiting first."""
    return tx.render_queue.due(which.limit)


def keep(drawn: Drawn, tx: Transaction) -> None:
    """Write down the signature and the issued copy, or when to try again."""
    keep_drawn(drawn, tx)


def put_off(document_id: DocumentId, why: str, tx: Transaction) -> None:
    """Let a document wait that could not be drawn for a reason that is not its own."""
    tx.render_queue.postpone(document_id, why)


@job(
    schedule="*/5 * * * *",
    find=waiting,
    perform=draw,
    record=keep,
    put_off=put_off,
    needs=("database", "keys", "documents", "printer"),
)
def render_invoice_backlog(document_id: DocumentId, tx: Transaction) -> Undrawn | None:
    """Draw the issued copy of a document that still waits for it."""
    document = known(document_id, tx)
    return None if document.renditions else Undrawn.of(document, tx)
