"""List credit notes by property, folio, number, business date or invoice, in their order."""

from uuid import UUID

from common.contracts.credit_notes import CreditNoteView
from common.contracts.fields import Day, Token
from common.contracts.references import FolioRef, InvoiceRef
from common.contracts.shapes import ListRequest, Outcome
from common.domain.identifiers import PropertyId
from common.ports.documents import InvoiceFilter
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListCreditNotes(ListRequest):
    """Which credit notes; what is not given is not asked. `invoiceId` is the one corrected."""

    property_id: UUID | None = None
    folio_id: FolioRef | None = None
    invoice_id: InvoiceRef | None = None
    number: Token | None = None
    business_date: Day | None = None


class CreditNotePage(Outcome):
    """A page of credit notes; `nextCursor` is null at the end."""

    items: tuple[CreditNoteView, ...]
    next_cursor: str | None


@http_function("GET", "/credit-notes", scope="billing.invoice.read", refusals=(CursorInvalid,))
def list_credit_notes(request: ListCreditNotes, tx: Transaction) -> CreditNotePage:
    """Answer a page of the credit notes of the caller's properties.

    Refuses: CursorInvalid.
    """
    page = tx.credit_notes.page(
        InvoiceFilter(
            property_id=PropertyId(request.property_id) if request.property_id else None,
            folio_id=request.folio_id,
            number=request.number,
            business_date=request.business_date,
        ),
        request.invoice_id,
        request.limit,
        request.cursor,
    )
    return CreditNotePage(
        items=tuple(CreditNoteView.of(note) for note in page.items),
        next_cursor=page.next_cursor,
    )
