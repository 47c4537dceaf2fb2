"""Credit notes: which invoice each corrects, and what it takes off which line."""

from collections.abc import Sequence
from typing import Final

from common.domain.credit_note import CreditNote, CreditNoteUnknown, Credits
from common.domain.credited import Portion, portion_document, portion_of
from common.domain.identifiers import CreditNoteId, InvoiceId, LineId
from common.domain.invoice import Invoice, InvoiceUnknown
from common.domain.issued_document import Series
from common.domain.money import Currency, Money
from common.ports.transaction import InvoiceFilter, Page
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.invoices import (
    GET,
    PERSON,
    RENDITIONS,
    SIGNATURE,
    Invoices,
    document_of,
    drawn,
    person_of,
)
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk
from common.postgres.trails import continued, head_of

BEGIN_CREDITS: Final = """
INSERT INTO invoice_credits (invoice_id, total_micro)
SELECT id, total_micro
FROM invoices
WHERE id = $1 AND document_type = 'invoice'
ON CONFLICT DO NOTHING
"""
TAKE_CREDITS: Final = """
SELECT tenant_id, credited_micro, status
FROM invoice_credits
WHERE invoice_id = $1
FOR NO KEY UPDATE
"""
CREDITED: Final = """
SELECT tenant_id, line_id, net_micro, taxes
FROM credit_note_lines
WHERE invoice_id = $1
ORDER BY line_id, abs(before_micro)
"""
KEEP_CREDITS: Final = """
UPDATE invoice_credits
SET credited_micro = $2, status = $3
WHERE invoice_id = $1
"""
INSERT_NOTE = Insert.into(
    ranks.DOCUMENT_PARTS,
    "credit_notes",
    "id, invoice_id, issued_by, step_up_token_id, assertion_hash, step_up_method",
)
INSERT_LINE = Insert.into(
    ranks.LEDGER,
    "credit_note_lines",
    "credit_note_id, invoice_id, line_id, invoiced_micro, before_micro, gross_micro, net_micro,"
    " taxes",
)


class CreditNotes:
    """The credit notes of a tenant, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._documents = Invoices(desk)

    def get(self, credit_note_id: CreditNoteId) -> CreditNote:
        found = self._documents.find(credit_note_id)
        if not isinstance(found, CreditNote):
            raise CreditNoteUnknown()
        return found

    def page(
        self, which: InvoiceFilter, corrected: InvoiceId | None, limit: int, cursor: str | None
    ) -> Page[CreditNote]:
        page = self._documents.documents(which, CreditNote.kind, corrected, limit, cursor)
        notes = tuple(each for each in page.items if isinstance(each, CreditNote))
        return Page(notes, page.next_cursor)

    def take_credits(self, invoice_id: InvoiceId) -> Credits:
        """What follows the lock is read behind it: READ COMMITTED looks anew for each statement."""
        which = (invoice_id,)
        _, credits, invoice, person, signature, renditions, credited, head = self._desk.batch(
            *(Statement(sql, which) for sql in (BEGIN_CREDITS, TAKE_CREDITS, GET, PERSON)),
            *(Statement(sql, which) for sql in (SIGNATURE, RENDITIONS, CREDITED)),
            head_of(Invoice.kind, invoice_id),
        )
        if not invoice or not self._desk.actor.holds(invoice[0][3]):
            raise InvoiceUnknown()
        found = document_of(invoice[0])
        if not isinstance(found, Invoice):
            raise InvoiceUnknown()
        found.person = person_of(person)
        drawn(found, signature, renditions)
        return Credits(
            invoice=self._desk.loaded(continued(found, head)),
            credited=Money(credits[0][1], found.currency),
            by_line=_by_line(credited, found),
            status=credits[0][2],
        )

    def issue(self, note: CreditNote, credits: Credits, series: Series) -> None:
        confirmed = note.confirmed
        if confirmed is None:
            raise ValueError(f"{note.id} was confirmed by nobody")
        self._documents.number(note, series)
        self._desk.insert(
            INSERT_NOTE,
            [
                {
                    "id": note.id,
                    "invoice_id": note.invoice_id,
                    "issued_by": confirmed.by,
                    "step_up_token_id": confirmed.token_id,
                    "assertion_hash": confirmed.assertion_hash,
                    "step_up_method": confirmed.method,
                }
            ],
        )
        self._desk.insert(
            INSERT_LINE,
            [
                {
                    "credit_note_id": note.id,
                    "invoice_id": note.invoice_id,
                    "line_id": each.line.id,
                    "invoiced_micro": each.line.portion.gross.amount_micro,
                    "before_micro": each.before.amount_micro,
                    "gross_micro": each.portion.gross.amount_micro,
                    "net_micro": each.portion.net.amount_micro,
                    "taxes": portion_document(each.portion)["taxes"],
                }
                for each in note.lines
            ],
        )
        state = (note.invoice_id, credits.credited.amount_micro, credits.status)
        self._desk.write(
            ("invoice_credits", note.invoice_id),
            Write(ranks.AGGREGATE_CHANGES, Statement(KEEP_CREDITS, state)),
        )


def _by_line(rows: Sequence[Row], invoice: Invoice) -> dict[LineId, Portion]:
    """What has been credited of each line, added up."""
    found: dict[LineId, Portion] = {}
    for row in rows:
        line_id = LineId(row[1])
        portion = _portion(row, invoice.currency)
        known = found.get(line_id)
        found[line_id] = known.plus(portion) if known else portion
    return found


def _portion(row: Row, currency: Currency) -> Portion:
    return portion_of({"netMicro": row[2], "taxes": row[3]}, currency)
