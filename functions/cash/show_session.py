"""Show a cash session with what moved in it, as far as it may be seen yet."""

from common.contracts.cash import CashSessionView, MovementView
from common.contracts.references import CashSessionRef
from common.contracts.shapes import Request
from common.domain.cash import SessionUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowSession(Request):
    """The session in the path."""

    session_id: CashSessionRef


class CashSessionWithMovements(CashSessionView):
    """A session with what moved in it other than by guests; null while it is counted blind."""

    movements: tuple[MovementView, ...] | None


@http_function(
    "GET",
    "/cash-sessions/{session_id}",
    scope="billing.cash_drawer.operate",
    refusals=(SessionUnknown,),
)
def show_session(request: ShowSession, tx: Transaction) -> CashSessionWithMovements:
    """Answer a session with its movements, what should be there and what was.

    Refuses: SessionUnknown.
    """
    session, sums, movements = tx.cash_sessions.get_whole(request.session_id)
    hidden = session.hides(tx.settings)
    return CashSessionWithMovements(
        **dict(CashSessionView.of(session, tx.settings, sums)),
        movements=None if hidden else tuple(MovementView.of(each) for each in movements),
    )
