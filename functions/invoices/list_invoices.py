"""List invoices by property, folio, number or business date, in the order of their issue."""

from common.contracts.fields import Day, Token
from common.contracts.invoices import InvoiceView
from common.contracts.references import FolioRef, PropertyRef
from common.contracts.shapes import ListRequest, Outcome
from common.ports.documents import InvoiceFilter
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListInvoices(ListRequest):
    """Which invoices; what is not given is not asked."""

    property_id: PropertyRef | None = None
    folio_id: FolioRef | None = None
    number: Token | None = None
    business_date: Day | None = None


class InvoicePage(Outcome):
    """A page of invoices; `nextCursor` is null at the end."""

    items: tuple[InvoiceView, ...]
    next_cursor: str | None


@http_function("GET", "/invoices", scope="billing.invoice.read", refusals=(CursorInvalid,))
def list_invoices(request: ListInvoices, tx: Transaction) -> InvoicePage:
    """Answer a page of the invoices of the caller's properties.

    Refuses: CursorInvalid.
    """
    page = tx.invoices.page(
        InvoiceFilter(
            property_id=request.property_id,
            folio_id=request.folio_id,
            number=request.number,
            business_date=request.business_date,
        ),
        request.limit,
        request.cursor,
    )
    return InvoicePage(
        items=tuple(InvoiceView.of(invoice) for invoice in page.items),
        next_cursor=page.next_cursor,
    )
