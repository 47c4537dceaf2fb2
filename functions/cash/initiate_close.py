"""Count a drawer, blind, and sign the count: the first of the two persons who close it.

Both persons sign one document: tenant, session, who counted, which count of the session it is, and
the count. The client works its SHA-256 out from what was entered and lets the identity service
confirm it; here it is worked out again from what came. A desktop that was offline keeps the count
and sends it later; the confirmation is made when it does (CASH-8).

What is signed (`ctx` of the step-up token) is the SHA-256, in hex, of the RFC 8785 spelling of
`{"deed": "cash_drawer.close", "tenant", "session", "closedBy", "number", "count": [{"currency",
"amountMicro", "denominations": [{"valueMicro", "pieces"}]}]}`, currencies in the order of their
codes, denominations by value with the largest first.
"""

from common.contracts.cash import CashSessionView, CountNumber, CountShape, count_of
from common.contracts.fields import CashSessionRef
from common.contracts.shapes import Request
from common.domain import cash_close
from common.domain.cash import SessionNotOpen, SessionUnknown
from common.domain.cash_close import CountDiffers
from common.domain.cash_count import CountInvalid, closing_sha256
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.confirming import confirmed
from common.runtime.declaration import http_function


class InitiateClose(Request):
    """What was counted, and which count of the session in the path it is."""

    session_id: CashSessionRef
    count_number: CountNumber
    count: CountShape


def what_is_signed(request: InitiateClose, actor: Actor) -> str:
    """The count of the caller. Refuses: CountInvalid."""
    count = count_of(request.count)
    return closing_sha256(
        actor.tenant_id, request.session_id, actor.sub, request.count_number, count
    ).hex()


@http_function(
    "POST",
    "/cash-sessions/{session_id}/initiate-close",
    scope="billing.cash_drawer.operate",
    step_up=True,
    context=what_is_signed,
    moves_money=True,
    etag="cash_session",
    refusals=(SessionUnknown, SessionNotOpen, CountInvalid, CountDiffers),
)
def initiate_close(request: InitiateClose, tx: Transaction) -> CashSessionView:
    """Take the count of a drawer; until a second person confirms it, no cash moves.

    Refuses: SessionUnknown, SessionNotOpen, CountInvalid, CountDiffers.
    """
    session, sums = tx.cash_sessions.take_with_sums(request.session_id)
    initiated = cash_close.initiate_close(
        session, count_of(request.count), request.count_number, sums, confirmed(tx), tx
    )
    tx.cash_sessions.keep(session)
    tx.tell(initiated)
    return CashSessionView.of(session, tx.settings)
