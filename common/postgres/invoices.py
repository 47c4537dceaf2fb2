"""Issued documents, invoices and credit notes, the series that number them, their signatures and
renditions. What is of credit notes alone stands in `credit_notes`."""

import json
from collections.abc import Sequence
from typing import Any, Final

from common.domain.aggregate import TRAIL_START
from common.domain.credit_note import CreditNote
from common.domain.identifiers import CreditNoteId, DocumentId, FolioId, InvoiceId, PropertyId
from common.domain.invoice import Invoice, InvoiceUnknown
from common.domain.issued_document import IssuedDocument, Person, Rendition, Series, Signature
from common.domain.money import Currency, Money
from common.ports.documents import InvoiceFilter
from common.ports.paging import Page
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, held_properties
from common.postgres.trails import continued, head_of

COLUMNS: Final = (
    "id, folio_id, property_id, jurisdiction, document_type, year, series_number, number, currency,"
    " total_micro, business_date, issued_at, language, template_version, payload, payload_sha256,"
    " previous_sha256"
)
BEGIN_SERIES: Final = """
INSERT INTO number_series (jurisdiction, document_type, year, last_number)
VALUES ($1, $2, $3, 0)
ON CONFLICT DO NOTHING
"""
TAKE_SERIES: Final = """
SELECT tenant_id, last_number, last_sha256, last_issued_at
FROM number_series
WHERE jurisdiction = $1 AND document_type = $2 AND year = $3
FOR NO KEY UPDATE
"""
KEEP_SERIES: Final = """
UPDATE number_series
SET last_number = $4, last_sha256 = $5, last_issued_at = $6
WHERE jurisdiction = $1 AND document_type = $2 AND year = $3
"""
KINDS: Final[dict[type[DocumentId], str]] = {
    InvoiceId: Invoice.kind,
    CreditNoteId: CreditNote.kind,
}
GET: Final = f"SELECT tenant_id, {COLUMNS} FROM invoices WHERE id = $1"
PERSON: Final = "SELECT tenant_id, salt, document FROM invoice_persons WHERE invoice_id = $1"
SIGNATURE: Final = """
SELECT tenant_id, key_version, algorithm, signature, signed_at
FROM invoice_signatures
WHERE invoice_id = $1
"""
RENDITIONS: Final = """
SELECT tenant_id, copy, language, template_version, object_name, pdf_sha256, rendered_at
FROM invoice_renditions
WHERE invoice_id = $1
ORDER BY copy
"""
STATUS: Final = "SELECT tenant_id, status FROM invoice_credits WHERE invoice_id = $1"
FIND_BY_PDF: Final = """
SELECT tenant_id, invoice_id
FROM invoice_renditions
WHERE pdf_sha256 = $1
LIMIT 1
"""
PAGE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM invoices
WHERE id > $1
  AND property_id = ANY ($2::uuid[])
  AND ($3::text IS NULL OR folio_id = $3)
  AND ($4::text IS NULL OR number = $4)
  AND ($5::date IS NULL OR business_date = $5)
  AND document_type = $6
  AND ($7::text IS NULL OR id IN (SELECT id FROM credit_notes WHERE invoice_id = $7))
ORDER BY id
LIMIT $8
"""
INSERT_INVOICE = Insert.into(ranks.DOCUMENTS, "invoices", COLUMNS)
INSERT_LINE = Insert.into(ranks.DOCUMENT_PARTS, "invoice_lines", "line_id, invoice_id")
INSERT_PERSON = Insert.into(ranks.DOCUMENT_PARTS, "invoice_persons", "invoice_id, salt, document")
INSERT_SIGNATURE = Insert.into(
    ranks.DOCUMENT_PARTS,
    "invoice_signatures",
    "invoice_id, key_version, algorithm, signature, signed_at",
)
INSERT_RENDITION = Insert.into(
    ranks.DOCUMENT_PARTS,
    "invoice_renditions",
    "invoice_id, copy, language, template_version, object_name, pdf_sha256, rendered_at",
)


class Invoices:
    """The invoices of a tenant, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take_series(self, jurisdiction: str, document_type: str, year: int) -> Series:
        which = (jurisdiction, document_type, year)
        _, rows = self._desk.batch(Statement(BEGIN_SERIES, which), Statement(TAKE_SERIES, which))
        return series_of(which, rows[0])

    def get(self, invoice_id: InvoiceId) -> Invoice:
        invoice = self.find(invoice_id)
        if not isinstance(invoice, Invoice):
            raise InvoiceUnknown()
        return invoice

    def find(self, document_id: DocumentId) -> IssuedDocument | None:
        asked = (GET, PERSON, SIGNATURE, RENDITIONS, STATUS)
        document, person, signature, renditions, status, head = self._desk.batch(
            *(Statement(sql, (document_id,)) for sql in asked),
            head_of(KINDS[type(document_id)], document_id),
        )
        if not document or not self._desk.actor.holds(document[0][3]):
            return None
        found = document_of(document[0])
        found.person = person_of(person)
        drawn(found, signature, renditions)
        if status and isinstance(found, Invoice):
            found.status = status[0][1]
        return self._desk.loaded(continued(found, head))

    def page(self, which: InvoiceFilter, limit: int, cursor: str | None) -> Page[Invoice]:
        page = self.documents(which, "invoice", None, limit, cursor)
        return Page(tuple(x for x in page.items if isinstance(x, Invoice)), page.next_cursor)

    def documents(
        self,
        which: InvoiceFilter,
        document_type: str,
        corrected: InvoiceId | None,
        limit: int,
        cursor: str | None,
    ) -> Page[IssuedDocument]:
        """Documents of one type, in the order of their issue."""
        rows = self._desk.rows(
            PAGE,
            key_of(cursor),
            held_properties(self._desk, which.property_id),
            which.folio_id,
            which.number,
            which.business_date,
            document_type,
            corrected,
            limit + 1,
        )
        documents = tuple(document_of(row) for row in rows[:limit])
        return Page(documents, next_cursor([row[1] for row in rows], limit))

    def issue(self, invoice: Invoice, series: Series) -> None:
        self.number(invoice, series)
        self.hold(invoice.id, invoice.line_ids)

    def hold(self, document_id: DocumentId, line_ids: Sequence[str]) -> None:
        """Write which lines of its folio stand on a document."""
        rows = [{"line_id": line_id, "invoice_id": document_id} for line_id in line_ids]
        self._desk.insert(INSERT_LINE, rows)

    def number(self, document: IssuedDocument, series: Series) -> None:
        """Write a new document and its person, and move the series on."""
        self._desk.insert(INSERT_INVOICE, [_row(document)])
        person = document.person
        if person is not None:
            row = {"invoice_id": document.id, "salt": person.salt, "document": person.document}
            self._desk.insert(INSERT_PERSON, [row])
        which = (series.jurisdiction, series.document_type, series.year)
        kept = (series.last_number, series.last_sha256, series.last_issued_at)
        self._desk.write(
            ("series", *which),
            Write(ranks.AGGREGATE_CHANGES, Statement(KEEP_SERIES, (*which, *kept))),
        )

    def find_by_pdf(self, pdf_sha256: bytes) -> IssuedDocument | None:
        rows = self._desk.rows(FIND_BY_PDF, pdf_sha256)
        return self.find(DocumentId(rows[0][1])) if rows else None

    def keep_signature(self, document_id: DocumentId, signature: Signature) -> None:
        self._desk.insert(INSERT_SIGNATURE, [_signature_row(document_id, signature)])

    def keep_rendition(self, document_id: DocumentId, rendition: Rendition) -> None:
        self._desk.insert(INSERT_RENDITION, [_rendition_row(document_id, rendition)])


def series_of(which: tuple[str, str, int], row: Row) -> Series:
    """A series as it was read: tenant, then what it came to; `which` names it."""
    jurisdiction, document_type, year = which
    return Series(
        jurisdiction=jurisdiction,
        document_type=document_type,
        year=year,
        last_number=row[1],
        last_sha256=row[2] and bytes(row[2]),
        last_issued_at=row[3],
    )


def _row(document: IssuedDocument) -> dict[str, Any]:
    return {
        "id": document.id,
        "folio_id": document.folio_id,
        "property_id": document.property_id,
        "jurisdiction": document.jurisdiction,
        "document_type": document.document_type,
        "year": document.year,
        "series_number": document.series_number,
        "number": document.number,
        "currency": document.currency,
        "total_micro": document.total.amount_micro,
        "business_date": document.business_date,
        "issued_at": document.issued_at,
        "language": document.language,
        "template_version": document.template_version,
        "payload": document.payload,
        "payload_sha256": document.payload_sha256,
        "previous_sha256": document.previous_sha256,
    }


def document_of(row: Row) -> IssuedDocument:
    """A document as it was read: tenant, then COLUMNS. Whom it is made out to stands apart."""
    currency = Currency(row[9])
    common: dict[str, Any] = {
        "folio_id": FolioId(row[2]),
        "property_id": PropertyId(row[3]),
        "jurisdiction": row[4],
        "document_type": row[5],
        "year": row[6],
        "series_number": row[7],
        "number": row[8],
        "currency": currency,
        "total": Money(row[10], currency),
        "business_date": row[11],
        "issued_at": row[12],
        "language": row[13],
        "template_version": row[14],
        "payload": row[15],
        "payload_sha256": bytes(row[16]),
        "previous_sha256": row[17] and bytes(row[17]),
        "person": None,
        "trail": TRAIL_START,
        "is_new": False,
    }
    if row[5] != CreditNote.kind:
        return Invoice(id=InvoiceId(row[1]), **common)
    corrected = json.loads(row[15])["invoice"]["invoiceId"]
    return CreditNote(id=CreditNoteId(row[1]), invoice_id=InvoiceId(corrected), **common)


def person_of(rows: Sequence[Row]) -> Person | None:
    """The person, unless it was erased."""
    if not rows or rows[0][1] is None:
        return None
    return Person(salt=bytes(rows[0][1]), document=rows[0][2])


def _signature_row(document_id: DocumentId, signature: Signature) -> dict[str, Any]:
    return {
        "invoice_id": document_id,
        "key_version": signature.key_version,
        "algorithm": signature.algorithm,
        "signature": signature.value,
        "signed_at": signature.signed_at,
    }


def drawn(document: IssuedDocument, signature: Sequence[Row], renditions: Sequence[Row]) -> None:
    """Let a document know its signature and its copies: its state is not whole without them."""
    document.signature = _signature_of(signature)
    document.renditions = tuple(_rendition_of(row) for row in renditions)


def _signature_of(rows: Sequence[Row]) -> Signature | None:
    if not rows:
        return None
    _, key_version, algorithm, value, signed_at = rows[0]
    return Signature(
        key_version=key_version, algorithm=algorithm, value=bytes(value), signed_at=signed_at
    )


def _rendition_row(document_id: DocumentId, rendition: Rendition) -> dict[str, Any]:
    return {
        "invoice_id": document_id,
        "copy": rendition.copy,
        "language": rendition.language,
        "template_version": rendition.template_version,
        "object_name": rendition.object_name,
        "pdf_sha256": rendition.pdf_sha256,
        "rendered_at": rendition.rendered_at,
    }


def _rendition_of(row: Row) -> Rendition:
    return Rendition(
        copy=row[1],
        language=row[2],
        template_version=row[3],
        object_name=row[4],
        pdf_sha256=bytes(row[5]),
        rendered_at=row[6],
    )
