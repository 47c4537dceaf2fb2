"""Put cash into an open drawer, pay some out, or drop some into the safe; always with a reason.

Whether the drawer holds as much is not checked: it does or it does not, and a refusal would tell
what should be in it before it is counted.
"""

from typing import Literal

from common.contracts.cash import MovementView
from common.contracts.fields import FreeText, Payable
from common.contracts.references import CashMovementRef, CashSessionRef
from common.contracts.shapes import Outcome, Request
from common.domain.cash import SessionNotOpen, SessionUnknown
from common.domain.cash_movement import MovementKind
from common.domain.identifiers import CashMovementId
from common.domain.money import AmountNotPositive
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class PostMovement(Request):
    """How much moves, which way, and why."""

    session_id: CashSessionRef
    id: CashMovementRef | None = None
    kind: Literal["paid_in", "paid_out", "drop"]
    amount: Payable
    reason: FreeText


class Moved(Outcome):
    """What moved. What is in the drawer now is not told."""

    cash_session_id: CashSessionRef
    movement: MovementView
    version: int


@http_function(
    "POST",
    "/cash-sessions/{session_id}/movements",
    scope="billing.cash_drawer.operate",
    status=201,
    moves_money=True,
    creates=True,
    etag="cash_session",
    refusals=(SessionUnknown, SessionNotOpen, AmountNotPositive),
)
def post_movement(request: PostMovement, tx: Transaction) -> Moved:
    """Move cash into or out of a drawer, other than for a guest.

    Refuses: SessionUnknown, SessionNotOpen, AmountNotPositive.
    """
    session = tx.cash_sessions.take(request.session_id)
    moved = session.move(
        request.id or tx.new_id(CashMovementId),
        MovementKind(request.kind),
        request.amount,
        request.reason,
        tx,
    )
    tx.cash_sessions.keep(session)
    tx.cash_sessions.keep_movements(moved.movements)
    tx.ledger.post(moved)
    tx.tell(moved)
    return Moved(
        cash_session_id=session.id,
        movement=MovementView.of(moved.movements[0]),
        version=session.version,
    )
