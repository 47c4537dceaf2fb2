"""List cash sessions by property, drawer, state or business date, in the order of their opening."""

from typing import Literal

from common.contracts.cash import CashSessionView
from common.contracts.fields import Day
from common.contracts.references import CashDrawerRef, PropertyRef
from common.contracts.shapes import ListRequest, Outcome
from common.domain.cash import SessionStatus
from common.ports.cash import CashSessionFilter
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListSessions(ListRequest):
    """Which sessions; what is not given is not asked."""

    property_id: PropertyRef | None = None
    cash_drawer_id: CashDrawerRef | None = None
    status: Literal["open", "pending_close", "closed", "acknowledged"] | None = None
    business_date: Day | None = None


class SessionPage(Outcome):
    """A page of sessions; `nextCursor` is null at the end."""

    items: tuple[CashSessionView, ...]
    next_cursor: str | None


@http_function(
    "GET", "/cash-sessions", scope="billing.cash_drawer.operate", refusals=(CursorInvalid,)
)
def list_sessions(request: ListSessions, tx: Transaction) -> SessionPage:
    """Answer a page of the sessions of the caller's properties.

    Refuses: CursorInvalid.
    """
    page = tx.cash_sessions.page(
        CashSessionFilter(
            property_id=request.property_id,
            drawer_id=request.cash_drawer_id,
            status=request.status,
            business_date=request.business_date,
        ),
        request.limit,
        request.cursor,
    )
    shown = [
        session.id
        for session in page.items
        if session.status is SessionStatus.OPEN and not session.hides(tx.settings)
    ]
    sums = tx.cash_sessions.sums(shown) if shown else {}
    return SessionPage(
        items=tuple(
            CashSessionView.of(session, tx.settings, sums.get(session.id, ()))
            for session in page.items
        ),
        next_cursor=page.next_cursor,
    )
