"""An invoice was issued: it is signed and its PDF is made, after the guest has gone home."""

from common.contracts.document_events import InvoiceGeneratedV1
from common.ports.transaction import Transaction
from common.procedures.drawing import Drawn, Undrawn, draw, keep_drawn
from common.runtime.declaration import event_function


def keep(drawn: Drawn, tx: Transaction) -> None:
    """Write down the signature and the issued copy, or when to try again."""
    keep_drawn(drawn, tx)


@event_function(
    "melmastoon.billing.invoice.generated.v1",
    perform=draw,
    record=keep,
    needs=("database", "keys", "documents", "printer"),
)
def on_invoice_generated(issued: InvoiceGeneratedV1, tx: Transaction) -> Undrawn | None:
    """Draw the issued copy, unless it is there.

    Refuses: InvoiceUnknown.
    """
    invoice = tx.invoices.get(issued.invoice_id)
    return None if invoice.renditions else Undrawn.of(invoice, tx)
