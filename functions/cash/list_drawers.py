"""List cash drawers by property and state, in the order of their making."""

from typing import Literal

from common.contracts.cash import DrawerView
from common.contracts.references import PropertyRef
from common.contracts.shapes import ListRequest, Outcome
from common.ports.cash import CashDrawerFilter
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListDrawers(ListRequest):
    """Which drawers; what is not given is not asked."""

    property_id: PropertyRef | None = None
    state: Literal["active", "frozen"] | None = None


class DrawerPage(Outcome):
    """A page of drawers; `nextCursor` is null at the end."""

    items: tuple[DrawerView, ...]
    next_cursor: str | None


@http_function(
    "GET", "/cash-drawers", scope="billing.cash_drawer.operate", refusals=(CursorInvalid,)
)
def list_drawers(request: ListDrawers, tx: Transaction) -> DrawerPage:
    """Answer a page of the drawers of the caller's properties.

    Refuses: CursorInvalid.
    """
    page = tx.cash_drawers.page(
        CashDrawerFilter(
            property_id=request.property_id,
            active=request.state == "active" if request.state else None,
        ),
        request.limit,
        request.cursor,
    )
    return DrawerPage(
        items=tuple(DrawerView.of(drawer) for drawer in page.items), next_cursor=page.next_cursor
    )
