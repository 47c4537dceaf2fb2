"""The events of invoices and credit notes: issued, drawn, sent, voided."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from common.contracts.event import EventData
from common.contracts.fields import Amount, Instant
from common.contracts.references import (
    CreditNoteRef,
    FolioRef,
    InvoiceRef,
    LineRef,
    PropertyRef,
    SendingRef,
    SettlementRef,
)
from common.contracts.shapes import Shape
from common.domain.identifiers import CreditNoteId, InvoiceId

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.credit_note import (
        CreditedLine,
        CreditNoteIssued,
        CreditNoteRendered,
        CreditNoteSent,
        InvoiceVoided,
    )
    from common.domain.invoice import InvoiceIssued, InvoiceRendered, InvoiceSent
    from common.domain.issued_document import DocumentRendered, DocumentSent


class InvoiceGeneratedV1(EventData):
    fact = "invoice.generated"
    invoice_id: InvoiceRef
    folio_id: FolioRef
    property_id: PropertyRef
    number: str
    document_type: str
    total: Amount
    payload_sha256: str
    issued_at: Instant

    @classmethod
    def of(cls, fact: "InvoiceIssued") -> "InvoiceGeneratedV1":
        invoice = fact.subject
        return cls(
            invoice_id=invoice.id,
            folio_id=invoice.folio_id,
            property_id=invoice.property_id,
            number=invoice.number,
            document_type=invoice.document_type,
            total=invoice.total,
            payload_sha256=invoice.payload_sha256.hex(),
            issued_at=invoice.issued_at,
        )


def _drawn(fact: "DocumentRendered") -> dict[str, Any]:
    """What is told of a PDF, whatever document it is of."""
    return {
        "number": fact.subject.number,
        "copy_number": fact.rendition.copy,
        "template_version": fact.rendition.template_version,
        "pdf_sha256": fact.rendition.pdf_sha256.hex(),
    }


class InvoiceRenderedV1(EventData):
    fact = "invoice.rendered"
    invoice_id: InvoiceRef
    number: str
    copy_number: int
    template_version: str
    pdf_sha256: str

    @classmethod
    def of(cls, fact: "InvoiceRendered") -> "InvoiceRenderedV1":
        return cls(invoice_id=InvoiceId(fact.subject.id), **_drawn(fact))


def _sent(fact: "DocumentSent") -> dict[str, Any]:
    """What is told of a sending, whatever document it is of."""
    sending = fact.sending
    return {
        "property_id": fact.subject.property_id,
        "number": fact.subject.number,
        "sending_id": sending.id,
        "copy_number": sending.copy,
        "language": sending.language,
        "recipient_count": sending.recipient_count,
        "recipients_sha256": sending.recipients_sha256.hex(),
    }


class InvoiceSentV1(EventData):
    """A copy is to be sent. To whom is answered by `GET /sendings/{sendingId}` to who may know."""

    fact = "invoice.sent"
    invoice_id: InvoiceRef
    property_id: PropertyRef
    number: str
    sending_id: SendingRef
    copy_number: int
    language: str
    recipient_count: int
    recipients_sha256: str

    @classmethod
    def of(cls, fact: "InvoiceSent") -> "InvoiceSentV1":
        return cls(invoice_id=InvoiceId(fact.subject.id), **_sent(fact))


class InvoiceVoidedV1(EventData):
    """Nothing is left of the invoice; the credit note took the last of it."""

    fact = "invoice.voided"
    invoice_id: InvoiceRef
    folio_id: FolioRef
    property_id: PropertyRef
    number: str
    credit_note_id: CreditNoteRef

    @classmethod
    def of(cls, fact: "InvoiceVoided") -> "InvoiceVoidedV1":
        invoice = fact.subject
        return cls(
            invoice_id=invoice.id,
            folio_id=invoice.folio_id,
            property_id=invoice.property_id,
            number=invoice.number,
            credit_note_id=fact.credit_note_id,
        )


class CreditedLineData(Shape):
    """What was taken off a line of the invoice: net price and taxes."""

    line_id: LineRef
    net: Amount
    gross: Amount

    @classmethod
    def all_of(cls, lines: "Iterable[CreditedLine]") -> "tuple[CreditedLineData, ...]":
        return tuple(
            cls(line_id=each.line.id, net=each.portion.net, gross=each.portion.gross)
            for each in lines
        )


class CreditNoteIssuedV1(EventData):
    """What was taken off lines of an invoice. Where a folio that was opened again came to less,
    `settlementId` says by which settlement, and the lines are those of the folio."""

    fact = "credit_note.issued"
    credit_note_id: CreditNoteRef
    invoice_id: InvoiceRef
    folio_id: FolioRef
    property_id: PropertyRef
    number: str
    total: Amount
    lines: tuple[CreditedLineData, ...]
    payload_sha256: str
    issued_at: Instant
    settlement_id: SettlementRef | None = None

    @classmethod
    def of(cls, fact: "CreditNoteIssued") -> "CreditNoteIssuedV1":
        note = fact.subject
        return cls(
            credit_note_id=note.id,
            invoice_id=note.invoice_id,
            folio_id=note.folio_id,
            property_id=note.property_id,
            number=note.number,
            total=note.total,
            lines=CreditedLineData.all_of(note.lines),
            payload_sha256=note.payload_sha256.hex(),
            issued_at=note.issued_at,
            settlement_id=note.settlement_id,
        )


class CreditNoteRenderedV1(EventData):
    fact = "credit_note.rendered"
    credit_note_id: CreditNoteRef
    number: str
    copy_number: int
    template_version: str
    pdf_sha256: str

    @classmethod
    def of(cls, fact: "CreditNoteRendered") -> "CreditNoteRenderedV1":
        return cls(credit_note_id=CreditNoteId(fact.subject.id), **_drawn(fact))


class CreditNoteSentV1(EventData):
    """A copy is to be sent. To whom is answered by `GET /sendings/{sendingId}` to who may know."""

    fact = "credit_note.sent"
    credit_note_id: CreditNoteRef
    property_id: PropertyRef
    number: str
    sending_id: SendingRef
    copy_number: int
    language: str
    recipient_count: int
    recipients_sha256: str

    @classmethod
    def of(cls, fact: "CreditNoteSent") -> "CreditNoteSentV1":
        return cls(credit_note_id=CreditNoteId(fact.subject.id), **_sent(fact))


DOCUMENT_EVENTS: Final = (
    InvoiceGeneratedV1,
    InvoiceRenderedV1,
    InvoiceSentV1,
    InvoiceVoidedV1,
    CreditNoteIssuedV1,
    CreditNoteRenderedV1,
    CreditNoteSentV1,
)
