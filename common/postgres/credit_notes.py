"""Credit notes: which invoice each corrects, and what it takes off which line."""

from collections.abc import Sequence
from typing import Final

from common.domain.cash import Confirmed
from common.domain.credit_note import CreditNote, CreditNoteUnknown, Credits
from common.domain.credited import Portion, portion_document, portion_of
from common.domain.folio import Folio, FolioStatus
from common.domain.identifiers import CreditNoteId, InvoiceId, LineId
from common.domain.invoice import Invoice, InvoiceUnknown
from common.domain.issued_document import Series
from common.domain.money import Currency, Money
from common.ports.documents import InvoiceFilter
from common.ports.paging import Page
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.invoices import (
    BEGIN_SERIES,
    COLUMNS,
    GET,
    PERSON,
    RENDITIONS,
    SIGNATURE,
    TAKE_SERIES,
    Invoices,
    document_of,
    drawn,
    person_of,
    series_of,
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
CORRECTED: Final = """
SELECT mine.tenant_id, mine.line_id
FROM invoice_lines AS mine
JOIN folio_lines AS line ON line.id = mine.line_id
WHERE mine.invoice_id = $1
  AND EXISTS (
    SELECT
    FROM folio_lines AS other
    JOIN invoice_lines AS theirs ON theirs.line_id = other.id
    WHERE other.folio_id = line.folio_id
      AND other.charge_id = line.charge_id
      AND theirs.invoice_id <> mine.invoice_id)
"""
TAKE_FOLIO: Final = """
SELECT tenant_id, status
FROM folios
WHERE id = (SELECT folio_id FROM invoices WHERE id = $1)
FOR SHARE
"""
_LAST: Final = """
WHERE folio_id = $1 AND document_type = 'invoice'
ORDER BY issued_at DESC, id DESC
LIMIT 1
"""
LAST_INVOICE: Final = f"SELECT tenant_id, {COLUMNS} FROM invoices {_LAST}"
LAST_PERSON: Final = f"""
SELECT tenant_id, salt, document
FROM invoice_persons
WHERE invoice_id = (SELECT id FROM invoices {_LAST})
"""
REOPENED_BY: Final = """
SELECT tenant_id, reopened_by, reopened_at, step_up_token_id, assertion_hash, step_up_method
FROM reopenings
WHERE folio_id = $1 AND number = $2
"""
KEEP_CREDITS: Final = """
UPDATE invoice_credits
SET credited_micro = $2, status = $3
WHERE invoice_id = $1
"""
INSERT_NOTE = Insert.into(
    ranks.DOCUMENT_PARTS,
    "credit_notes",
    "id, invoice_id, settlement_id, issued_by, step_up_token_id, assertion_hash, step_up_method",
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
        asked = (TAKE_FOLIO, BEGIN_CREDITS, TAKE_CREDITS, GET, PERSON, SIGNATURE, RENDITIONS)
        folio, _, credits, invoice, person, *copies, credited, corrected, head = self._desk.batch(
            *(Statement(sql, which) for sql in (*asked, CREDITED, CORRECTED)),
            head_of(Invoice.kind, invoice_id),
        )
        if not invoice or not self._desk.actor.holds(invoice[0][3]):
            raise InvoiceUnknown()
        found = document_of(invoice[0])
        if not isinstance(found, Invoice):
            raise InvoiceUnknown()
        found.person = person_of(person)
        drawn(found, *copies)
        return Credits(
            invoice=self._desk.loaded(continued(found, head)),
            credited=Money(credits[0][1], found.currency),
            by_line=_by_line(credited, found),
            status=credits[0][2],
            corrected=frozenset(LineId(row[1]) for row in corrected),
            folio_is_open=folio[0][1] == FolioStatus.OPEN,
        )

    def take_series(
        self, folio: Folio, jurisdiction: str, year: int
    ) -> tuple[Series, Invoice, Confirmed]:
        which = (jurisdiction, CreditNote.kind, year)
        _, series, invoice, person, reopened = self._desk.batch(
            Statement(BEGIN_SERIES, which),
            Statement(TAKE_SERIES, which),
            Statement(LAST_INVOICE, (folio.id,)),
            Statement(LAST_PERSON, (folio.id,)),
            Statement(REOPENED_BY, (folio.id, folio.reopened)),
        )
        named = document_of(invoice[0])
        if not isinstance(named, Invoice):
            raise InvoiceUnknown()
        named.person = person_of(person)
        return series_of(which, series[0]), named, _confirmed_of(reopened[0])

    def issue(self, note: CreditNote, credits: Credits, series: Series) -> None:
        self._number(note, series)
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

    def bill(self, note: CreditNote, series: Series) -> None:
        self._number(note, series)
        self._documents.hold(note.id, note.line_ids)

    def _number(self, note: CreditNote, series: Series) -> None:
        """Write a new document, which invoice it names, and whose confirmation allowed it."""
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
                    "settlement_id": note.settlement_id,
                    "issued_by": confirmed.by,
                    "step_up_token_id": confirmed.token_id,
                    "assertion_hash": confirmed.assertion_hash,
                    "step_up_method": confirmed.method,
                }
            ],
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


def _confirmed_of(row: Row) -> Confirmed:
    _, by, at, token_id, assertion_hash, method = row
    return Confirmed(by=by, at=at, token_id=token_id, assertion_hash=assertion_hash, method=method)


def _portion(row: Row, currency: Currency) -> Portion:
    return portion_of({"netMicro": row[2], "taxes": row[3]}, currency)
