"""List folios by property, state, reservation or business date, in the order of their opening."""

from typing import Literal

from common.contracts.fields import Day, Token
from common.contracts.folios import FolioView
from common.contracts.references import PropertyRef
from common.contracts.shapes import ListRequest, Outcome
from common.ports.folios import FolioFilter
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListFolios(ListRequest):
    """Which folios; what is not given is not asked."""

    property_id: PropertyRef | None = None
    status: Literal["open", "closed"] | None = None
    reservation_id: Token | None = None
    business_date: Day | None = None


class FolioPage(Outcome):
    """A page of folios; `nextCursor` is null at the end."""

    items: tuple[FolioView, ...]
    next_cursor: str | None


@http_function("GET", "/folios", scope="billing.folio.read", refusals=(CursorInvalid,))
def list_folios(request: ListFolios, tx: Transaction) -> FolioPage:
    """Answer a page of the folios of the caller's properties.

    Refuses: CursorInvalid.
    """
    page = tx.folios.page(
        FolioFilter(
            property_id=request.property_id,
            status=request.status,
            reservation_id=request.reservation_id,
            business_date=request.business_date,
        ),
        request.limit,
        request.cursor,
    )
    return FolioPage(
        items=tuple(FolioView.of(folio) for folio in page.items), next_cursor=page.next_cursor
    )
