"""Writing a period's documents as a file, piece by piece: never more than one piece is in memory.

A file that broke off must not pass for a whole one. The table ends with a line `end`, which counts
the documents and the lines and bears the SHA-256 of everything before it; an archive ends with its
directory, without which no program opens it, and the manifest in it says how many there are.
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from common.contracts import spreadsheet
from common.contracts.shapes import Outcome
from common.domain.einvoice import EInvoiceNotPossible
from common.domain.issued_document import IssuedDocument
from common.domain.sales_journal import COLUMNS, Journal, Piece, row, rows_of
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.procedures.stating import e_invoice_of

CSV: Final = "text/csv"
ZIP: Final = "application/zip"
DOCUMENTS_MAX: Final = {"csv": 50_000, "xml": 5_000}
"""What is written well within the time that a function has."""

MANIFEST: Final = "manifest.csv"
_MANIFEST_COLUMNS: Final = ("record", "number", "kind", "file", "sha256", "not_possible")
_SAFE: Final = re.compile(r"[^A-Za-z0-9._-]")

Documents = Sequence[IssuedDocument]


class Export(Outcome):
    """The documents of a period: a table, or an archive of the e-invoices."""

    format: Literal["csv", "xml"]
    journal: Journal

    @property
    def media_type(self) -> str:
        return f"{CSV}; charset=utf-8; header=present" if self.format == "csv" else ZIP

    @property
    def file_name(self) -> str:
        ending = "csv" if self.format == "csv" else "zip"
        return f"documents-{self.journal.first}-{self.journal.last}.{ending}"


def pieces_of(export: Export) -> Iterator[Piece]:
    """What is to be read, one after the other."""
    return export.journal.pieces()


def read_piece(piece: Piece, tx: Transaction) -> Documents:
    """The documents of a piece, in the order of their numbers."""
    return tx.sales_journal.read(piece)


def write(export: Export, pieces: Iterator[Documents], powers: Powers) -> Iterator[bytes]:
    """The file. Raises ValueError where a document is missing of those that were counted."""
    documents = _all_of(export.journal, pieces)
    return _table(documents) if export.format == "csv" else _archive(documents, powers)


def _all_of(journal: Journal, pieces: Iterator[Documents]) -> Iterator[IssuedDocument]:
    left = journal.documents
    for documents in pieces:
        left -= len(documents)
        yield from documents
    if left:
        raise ValueError(f"{left} documents of the period were not found again")


def _table(documents: Iterator[IssuedDocument]) -> Iterator[bytes]:
    sha256, count, lines = hashlib.sha256(), 0, 0
    for text in (spreadsheet.MARK, spreadsheet.row(COLUMNS)):
        sha256.update(text)
        yield text
    for document in documents:
        count += 1
        for cells in rows_of(document, json.loads(document.payload)):
            lines += 1
            text = spreadsheet.row(cells)
            sha256.update(text)
            yield text
    end = {"record": "end", "sha256": sha256.hexdigest(), "documents": count, "lines": lines}
    yield spreadsheet.row(row(end))


class _Sink:
    """Where the archive is written: taken off as it grows; it cannot be gone back in."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, content: bytes, /) -> int:
        self._written += content
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is kept open."""

    def taken(self) -> bytes:
        """What was written since it was last asked."""
        written, self._written = bytes(self._written), bytearray()
        return written


def _archive(documents: Iterator[IssuedDocument], powers: Powers) -> Iterator[bytes]:
    """A document that the standard has no words for is named in the manifest, with the reason."""
    sink, count = _Sink(), 0
    manifest = [spreadsheet.MARK + spreadsheet.row(_MANIFEST_COLUMNS)]
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for document in documents:
            count += 1
            named: list[str | None] = ["document", document.number, document.document_type]
            try:
                xml = e_invoice_of(document, powers)
            except EInvoiceNotPossible as refused:
                named += [None, None, refused.detail or refused.title]
            else:
                name = f"{_SAFE.sub('_', document.number)}.xml"
                archive.writestr(_entry(name, document), xml)
                named += [name, hashlib.sha256(xml).hexdigest(), None]
            manifest.append(spreadsheet.row(named))
            yield sink.taken()
        manifest.append(spreadsheet.row(["end", count, None, None, None, None]))
        archive.writestr(zipfile.ZipInfo(MANIFEST), b"".join(manifest))
    yield sink.taken()


def _entry(name: str, document: IssuedDocument) -> zipfile.ZipInfo:
    """The file's place in the archive, dated by the document: the same bytes each time."""
    entry = zipfile.ZipInfo(name, document.issued_at.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
