"""Open a cash drawer with a counted float.

A drawer is in one session at a time, guaranteed by the database. The float comes out of the safe;
while drawers are counted blind it is not told again, not even to who opened it, because a drawer in
which nothing has moved should hold exactly that.
"""

from common.contracts.cash import CashSessionView, CountShape, count_of
from common.contracts.references import CashDrawerRef, CashSessionRef
from common.contracts.shapes import Request
from common.domain.cash import CashSession
from common.domain.cash_count import CountInvalid
from common.domain.cash_drawer import DrawerAlreadyOpen, DrawerFrozen, DrawerUnknown
from common.domain.identifiers import CashSessionId
from common.domain.settings import PropertyUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class OpenSession(Request):
    """What was counted into the drawer in the path, in each currency."""

    drawer_id: CashDrawerRef
    id: CashSessionRef | None = None
    opening: CountShape


@http_function(
    "POST",
    "/cash-drawers/{drawer_id}/sessions",
    scope="billing.cash_drawer.operate",
    status=201,
    moves_money=True,
    creates=True,
    etag="cash_drawer",
    refusals=(DrawerUnknown, DrawerFrozen, DrawerAlreadyOpen, CountInvalid, PropertyUnknown),
)
def open_session(request: OpenSession, tx: Transaction) -> CashSessionView:
    """Open a drawer, with the float that was counted into it.

    Refuses: DrawerUnknown, DrawerFrozen, DrawerAlreadyOpen, CountInvalid, PropertyUnknown.
    """
    drawer = tx.cash_drawers.take(request.drawer_id)
    opening = count_of(request.opening)
    session_id = request.id or tx.new_id(CashSessionId)
    opened = CashSession.open(drawer, opening, tx.actor.sub, tx, session_id)
    tx.cash_sessions.keep(opened.subject)
    tx.cash_sessions.keep_movements(opened.movements)
    tx.ledger.post(opened)
    tx.tell(opened)
    return CashSessionView.of(opened.subject, tx.settings, opening.amounts)
