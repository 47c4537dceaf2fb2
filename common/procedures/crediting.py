"""Crediting an invoice: the same lines whether lines of it are named or all that is left."""

from collections.abc import Sequence
from typing import Final

from common.contracts.credit_notes import Credited, CreditNoteView
from common.domain.credit_note import CreditNote, credit
from common.domain.identifiers import InvoiceId, LineId
from common.domain.money import Money
from common.ports.transaction import Transaction
from common.procedures.confirming import confirmed

SCOPE: Final = "billing.credit_note.write"


def issue_credit_note(
    tx: Transaction,
    invoice_id: InvoiceId,
    asked: Sequence[tuple[LineId, Money]] | None,
    reason: str,
) -> Credited:
    """Number a credit note over an invoice, book it, tell it, and let its PDF be made.

    What has been credited of the invoice is locked first, then the series: two credits of one
    invoice wait for one another, and the second sees what the first has left.

    Refuses: InvoiceUnknown, FolioOpenAgain, InvoiceAlreadyVoided, LineNotInvoiced, LineCorrected,
    CreditExceedsInvoice, AmountNotPositive, CurrenciesDiffer, AmountNotInMinorUnits.
    """
    credits = tx.credit_notes.take_credits(invoice_id)
    year = tx.settings.year_of_series(credits.invoice.property_id, tx.now)
    series = tx.invoices.take_series(credits.invoice.jurisdiction, CreditNote.kind, year)
    issued, voided = credit(credits, asked, series, confirmed(tx), reason, tx)
    note = issued.subject
    tx.credit_notes.issue(note, credits, series)
    tx.ledger.post(issued)
    tx.render_queue.put(note.id)
    tx.tell(issued)
    if voided is not None:
        tx.tell(voided)
    return Credited(
        **dict(CreditNoteView.of(note)),
        invoice_status=credits.status,
        left=credits.left,
        version=note.version,
    )
