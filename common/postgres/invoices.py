"""Issued invoices, the series that number them, their signatures and renditions."""

from collections.abc import Sequence
from typing import Any, Final

from common.domain.aggregate import TRAIL_START
from common.domain.identifiers import FolioId, InvoiceId, PropertyId
from common.domain.invoice import Invoice, InvoiceUnknown, Person, Rendition, Series, Signature
from common.domain.money import Currency, Money
from common.ports.transaction import InvoiceFilter, Page
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
SELECT tenant_id, last_number, last_sha256
FROM number_series
WHERE jurisdiction = $1 AND document_type = $2 AND year = $3
FOR NO KEY UPDATE
"""
KEEP_SERIES: Final = """
UPDATE number_series
SET last_number = $4, last_sha256 = $5
WHERE jurisdiction = $1 AND document_type = $2 AND year = $3
"""
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
FIND_BY_PDF: Final = """
SELECT tenant_id, invoice_id
FROM invoice_renditions
WHERE pdf_sha256 = $1
LIMIT 1
"""
INVOICED_LINES: Final = """
SELECT lines.tenant_id, lines.line_id
FROM invoice_lines AS lines
JOIN invoices ON invoices.tenant_id = lines.tenant_id AND invoices.id = lines.invoice_id
WHERE invoices.folio_id = $1
"""
PAGE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM invoices
WHERE id > $1
  AND property_id = ANY ($2::uuid[])
  AND ($3::text IS NULL OR folio_id = $3)
  AND ($4::text IS NULL OR number = $4)
  AND ($5::date IS NULL OR business_date = $5)
ORDER BY id
LIMIT $6
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
        return Series(
            jurisdiction=jurisdiction,
            document_type=document_type,
            year=year,
            last_number=rows[0][1],
            last_sha256=rows[0][2] and bytes(rows[0][2]),
        )

    def get(self, invoice_id: InvoiceId) -> Invoice:
        invoice = self.find(invoice_id)
        if invoice is None:
            raise InvoiceUnknown()
        return invoice

    def find(self, invoice_id: InvoiceId) -> Invoice | None:
        invoice, person, signature, renditions, head = self._desk.batch(
            *(Statement(sql, (invoice_id,)) for sql in (GET, PERSON, SIGNATURE, RENDITIONS)),
            head_of(Invoice.kind, invoice_id),
        )
        if not invoice or not self._desk.actor.holds(invoice[0][3]):
            return None
        found = _invoice_of(invoice[0])
        found.person = _person_of(person)
        found.signature = _signature_of(signature)
        found.renditions = tuple(_rendition_of(row) for row in renditions)
        return self._desk.loaded(continued(found, head))

    def page(self, which: InvoiceFilter, limit: int, cursor: str | None) -> Page[Invoice]:
        rows = self._desk.rows(
            PAGE,
            key_of(cursor),
            held_properties(self._desk, which.property_id),
            which.folio_id,
            which.number,
            which.business_date,
            limit + 1,
        )
        invoices = tuple(_invoice_of(row) for row in rows[:limit])
        return Page(invoices, next_cursor([row[1] for row in rows], limit))

    def invoiced_lines(self, folio_id: FolioId) -> frozenset[str]:
        return frozenset(row[1] for row in self._desk.rows(INVOICED_LINES, folio_id))

    def issue(self, invoice: Invoice, series: Series) -> None:
        self._desk.insert(INSERT_INVOICE, [_row(invoice)])
        self._desk.insert(
            INSERT_LINE,
            [{"line_id": line_id, "invoice_id": invoice.id} for line_id in invoice.line_ids],
        )
        if invoice.person is not None:
            self._desk.insert(
                INSERT_PERSON,
                [
                    {
                        "invoice_id": invoice.id,
                        "salt": invoice.person.salt,
                        "document": invoice.person.document,
                    }
                ],
            )
        which = (series.jurisdiction, series.document_type, series.year)
        self._desk.write(
            ("series", *which),
            Write(
                ranks.AGGREGATE_CHANGES,
                Statement(KEEP_SERIES, (*which, series.last_number, series.last_sha256)),
            ),
        )

    def find_by_pdf(self, pdf_sha256: bytes) -> Invoice | None:
        rows = self._desk.rows(FIND_BY_PDF, pdf_sha256)
        return self.find(InvoiceId(rows[0][1])) if rows else None

    def keep_signature(self, invoice_id: InvoiceId, signature: Signature) -> None:
        self._desk.insert(INSERT_SIGNATURE, [_signature_row(invoice_id, signature)])

    def keep_rendition(self, invoice_id: InvoiceId, rendition: Rendition) -> None:
        self._desk.insert(INSERT_RENDITION, [_rendition_row(invoice_id, rendition)])


def _row(invoice: Invoice) -> dict[str, Any]:
    return {
        "id": invoice.id,
        "folio_id": invoice.folio_id,
        "property_id": invoice.property_id,
        "jurisdiction": invoice.jurisdiction,
        "document_type": invoice.document_type,
        "year": invoice.year,
        "series_number": invoice.series_number,
        "number": invoice.number,
        "currency": invoice.currency,
        "total_micro": invoice.total.amount_micro,
        "business_date": invoice.business_date,
        "issued_at": invoice.issued_at,
        "language": invoice.language,
        "template_version": invoice.template_version,
        "payload": invoice.payload,
        "payload_sha256": invoice.payload_sha256,
        "previous_sha256": invoice.previous_sha256,
    }


def _invoice_of(row: Row) -> Invoice:
    currency = Currency(row[9])
    return Invoice(
        id=InvoiceId(row[1]),
        folio_id=FolioId(row[2]),
        property_id=PropertyId(row[3]),
        jurisdiction=row[4],
        document_type=row[5],
        year=row[6],
        series_number=row[7],
        number=row[8],
        currency=currency,
        total=Money(row[10], currency),
        business_date=row[11],
        issued_at=row[12],
        language=row[13],
        template_version=row[14],
        payload=row[15],
        payload_sha256=bytes(row[16]),
        previous_sha256=row[17] and bytes(row[17]),
        person=None,
        trail=TRAIL_START,
        is_new=False,
    )


def _person_of(rows: Sequence[Row]) -> Person | None:
    """The person, unless it was erased."""
    if not rows or rows[0][1] is None:
        return None
    return Person(salt=bytes(rows[0][1]), document=rows[0][2])


def _signature_row(invoice_id: InvoiceId, signature: Signature) -> dict[str, Any]:
    return {
        "invoice_id": invoice_id,
        "key_version": signature.key_version,
        "algorithm": signature.algorithm,
        "signature": signature.value,
        "signed_at": signature.signed_at,
    }


def _signature_of(rows: Sequence[Row]) -> Signature | None:
    if not rows:
        return None
    _, key_version, algorithm, value, signed_at = rows[0]
    return Signature(
        key_version=key_version, algorithm=algorithm, value=bytes(value), signed_at=signed_at
    )


def _rendition_row(invoice_id: InvoiceId, rendition: Rendition) -> dict[str, Any]:
    return {
        "invoice_id": invoice_id,
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
