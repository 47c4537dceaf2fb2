"""Numbered documents, as a use case reads and keeps them: invoices and credit notes."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from common.domain.cash import Confirmed
    from common.domain.certificate import CertificateGiven, SigningCertificate
    from common.domain.credit_note import CreditNote, Credits
    from common.domain.folio import Folio
    from common.domain.identifiers import (
        CreditNoteId,
        DocumentId,
        FolioId,
        InvoiceId,
        PropertyId,
        SendingId,
    )
    from common.domain.invoice import Invoice
    from common.domain.issued_document import IssuedDocument, Rendition, Series, Signature
    from common.domain.sales_journal import Journal, Piece
    from common.domain.sending import Sending
    from common.ports.paging import Page


class Certificates(Protocol):
    """The certificates of the tenant's signing keys."""

    def kept(self) -> tuple[CertificateGiven, ...]:
        """All of them, in the order of their keeping: a handful."""

    def keep(self, certificate: SigningCertificate) -> None:
        """Keep one from now on; a key version has one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFilter:
    """Which invoices a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    folio_id: FolioId | None = None
    number: str | None = None
    business_date: date | None = None


class Invoices(Protocol):
    """Issued invoices, the series that number documents, and what is drawn of any of them."""

    def take_series(self, jurisdiction: str, document_type: str, year: int) -> Series:
        """Lock a series; a new one begins at 0."""

    def get(self, invoice_id: InvoiceId) -> Invoice:
        """An invoice with its signature and renditions. Refuses: InvoiceUnknown."""

    def find(self, document_id: DocumentId) -> IssuedDocument | None:
        """An invoice or a credit note with its signature and renditions, or None."""

    def page(self, which: InvoiceFilter, limit: int, cursor: str | None) -> Page[Invoice]:
        """Invoices in the order of their issue."""

    def issue(self, invoice: Invoice, series: Series) -> None:
        """Write a new invoice, its person and its lines, and move the series on."""

    def find_by_pdf(self, pdf_sha256: bytes) -> IssuedDocument | None:
        """The document that a file is a copy of, or None."""

    def keep_signature(self, document_id: DocumentId, signature: Signature) -> None:
        """Write the signature over the payload's hash, once."""

    def keep_rendition(self, document_id: DocumentId, rendition: Rendition) -> None:
        """Write that a copy was drawn and stored."""


class Sendings(Protocol):
    """Documents that were handed over to be sent, and to whom."""

    def get(self, sending_id: SendingId) -> Sending:
        """A sending with its addresses, unless they are erased. Refuses: SendingUnknown."""

    def of(self, document_id: DocumentId) -> Sequence[Sending]:
        """The newest hundred sendings of a document in their order, without their addresses."""

    def keep(self, sending: Sending) -> None:
        """Write a sending and its addresses, once."""


class SalesJournal(Protocol):
    """The issued documents of a period, as an accountant takes them over."""

    def of(self, first: date, last: date, property_id: PropertyId | None) -> Journal:
        """Which numbers the period has, asked at one moment; both dates are included."""

    def read(self, piece: Piece) -> Sequence[IssuedDocument]:
        """The documents of a run of numbers in their order, with whom they are made out to."""


class CreditNotes(Protocol):
    """Credit notes, and how much of each invoice they have taken."""

    def get(self, credit_note_id: CreditNoteId) -> CreditNote:
        """A credit note with its signature and renditions. Refuses: CreditNoteUnknown."""

    def page(
        self, which: InvoiceFilter, corrected: InvoiceId | None, limit: int, cursor: str | None
    ) -> Page[CreditNote]:
        """Credit notes in the order of their issue; `corrected` is the invoice that they name."""

    def take_credits(self, invoice_id: InvoiceId) -> Credits:
        """Lock what has been credited of an invoice; its folio stays as it is meanwhile.

        Refuses: InvoiceUnknown.
        """

    def take_series(
        self, folio: Folio, jurisdiction: str, year: int
    ) -> tuple[Series, Invoice, Confirmed]:
        """Lock the series of credit notes for a folio that was opened again, and read its last
        invoice and whose confirmation opened it. The folio is taken."""

    def issue(self, note: CreditNote, credits: Credits, series: Series) -> None:
        """Write a new credit note, its person and its lines, and move credits and series on."""

    def bill(self, note: CreditNote, series: Series) -> None:
        """Write a new credit note over lines of its folio, and move the series on."""


class RenderQueue(Protocol):
    """Documents whose PDF is still to be made."""

    def due(self, limit: int) -> Sequence[DocumentId]:
        """Documents that wait and are due, the longest waiting first."""

    def put(self, document_id: DocumentId) -> None:
        """Let a document wait for its PDF."""

    def postpone(self, document_id: DocumentId, error: str) -> None:
        """Try again later, after a pause that grows with each attempt."""

    def done(self, document_id: DocumentId) -> None:
        """Take a document off the queue."""
