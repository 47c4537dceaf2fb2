"""Billing a folio as it closes: what is on no document yet goes on one, and on one only."""

from collections.abc import Sequence

from common.domain.credit_note import CreditNote
from common.domain.difference import credit_difference, is_credit, needs_document
from common.domain.folio import Folio
from common.domain.folio_line import Line
from common.domain.invoice import Invoice, issue
from common.domain.payment import Payment
from common.domain.refund import Refund
from common.domain.settlement import Settlement
from common.ports.transaction import Transaction


def bill(
    tx: Transaction,
    folio: Folio,
    lines: Sequence[Line],
    payments: Sequence[Payment],
    refunds: Sequence[Refund],
    settlement: Settlement,
) -> Invoice | CreditNote | None:
    """Number a document over `lines`, tell it, and let its PDF be made.

    A credit note where a folio that was opened again comes to less; none where only money moved.
    """
    if folio.reopened and not needs_document(lines):
        return None
    house = tx.settings.property(folio.property_id)
    year = tx.settings.year_of_series(folio.property_id, tx.now)
    if is_credit(lines, folio.currency):
        series, invoice, confirmed = tx.credit_notes.take_series(folio, house.jurisdiction, year)
        credited = credit_difference(
            invoice, lines, payments, settlement, series, confirmed, tx, refunds
        )
        tx.credit_notes.bill(credited.subject, series)
        tx.tell(credited)
        document: Invoice | CreditNote = credited.subject
    else:
        series = tx.invoices.take_series(house.jurisdiction, Invoice.kind, year)
        issued = issue(folio, lines, payments, settlement, series, tx, refunds)
        tx.invoices.issue(issued.subject, series)
        tx.tell(issued)
        document = issued.subject
    tx.render_queue.put(document.id)
    return document
