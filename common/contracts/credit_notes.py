"""How a credit note reads on the wire."""

from common.contracts.fields import (
    Amount,
    CurrencyCode,
    Day,
    Instant,
)
from common.contracts.references import (
    CreditNoteRef,
    FolioRef,
    InvoiceRef,
    PropertyRef,
)
from common.contracts.shapes import Outcome
from common.domain.credit_note import CreditNote


class CreditNoteView(Outcome):
    """A credit note without its payload."""

    credit_note_id: CreditNoteRef
    invoice_id: InvoiceRef
    folio_id: FolioRef
    property_id: PropertyRef
    number: str
    currency: CurrencyCode
    total: Amount
    business_date: Day
    issued_at: Instant
    language: str
    payload_sha256: str

    @classmethod
    def of(cls, note: CreditNote) -> "CreditNoteView":
        return cls(
            credit_note_id=note.id,
            invoice_id=note.invoice_id,
            folio_id=note.folio_id,
            property_id=note.property_id,
            number=note.number,
            currency=note.currency,
            total=note.total,
            business_date=note.business_date,
            issued_at=note.issued_at,
            language=note.language,
            payload_sha256=note.payload_sha256.hex(),
        )


class Credited(CreditNoteView):
    """The credit note that was issued, and what the invoice comes to now."""

    invoice_status: str
    left: Amount
    version: int

    @property
    def moved_minor_units(self) -> int:
        return self.total.amount_micro // self.total.currency.minor_unit_micro
