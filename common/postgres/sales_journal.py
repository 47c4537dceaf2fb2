"""The sales journal: which numbers of which series a period has, and the documents of a run."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from common.domain.identifiers import PropertyId
from common.domain.issued_document import IssuedDocument
from common.domain.sales_journal import Journal, Piece, Stretch
from common.postgres.connection import Row
from common.postgres.invoices import COLUMNS, document_of, person_of
from common.postgres.stores import Desk, held_properties

STRETCHES: Final = """
SELECT tenant_id, jurisdiction, document_type, year, min(series_number), max(series_number),
       count(*)
FROM invoices
WHERE property_id = ANY ($1::uuid[]) AND business_date BETWEEN $2 AND $3
GROUP BY tenant_id, jurisdiction, document_type, year
ORDER BY jurisdiction, document_type, year
"""
PIECE: Final = f"""
SELECT invoices.tenant_id, {COLUMNS}, salt, document
FROM invoices
LEFT JOIN invoice_persons ON invoice_id = id
WHERE jurisdiction = $1 AND document_type = $2 AND year = $3
  AND series_number BETWEEN $4 AND $5
  AND property_id = ANY ($6::uuid[]) AND business_date BETWEEN $7 AND $8
ORDER BY series_number
"""


class SalesJournal:
    """The issued documents of a tenant, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def of(self, first: date, last: date, property_id: PropertyId | None) -> Journal:
        held = held_properties(self._desk, property_id)
        stretches = tuple(
            Stretch(
                jurisdiction=row[1],
                document_type=row[2],
                year=row[3],
                first=row[4],
                last=row[5],
                documents=row[6],
            )
            for row in self._desk.rows(STRETCHES, held, first, last)
        )
        return Journal(first=first, last=last, property_id=property_id, stretches=stretches)

    def read(self, piece: Piece) -> Sequence[IssuedDocument]:
        stretch, journal = piece.stretch, piece.journal
        rows = self._desk.rows(
            PIECE,
            stretch.jurisdiction,
            stretch.document_type,
            stretch.year,
            piece.first,
            piece.last,
            held_properties(self._desk, journal.property_id),
            journal.first,
            journal.last,
        )
        return [_with_person(row) for row in rows]


def _with_person(row: Row) -> IssuedDocument:
    document = document_of(row[:-2])
    document.person = person_of([(row[0], *row[-2:])])
    return document
