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

from common.contracts.cash import CashSessionView, CountRequest, count_of
from common.domain import cash_close
from common.domain.cash import SessionNotOpen, SessionUnknown
from common.domain.cash_close import CountDiffers
from common.domain.cash_count import CountInvalid
from common.ports.transaction import Transaction
from common.procedures.confirming import confirmed, signature_of_who_counts
from common.runtime.declaration import http_function


class InitiateClose(CountRequest):
    """What was counted, and which count of the session in the path it is."""


@http_function(
    "POST",
    "/cash-sessions/{session_id}/initiate-close",
    scope="billing.cash_drawer.operate",
    step_up=True,
    context=signature_of_who_counts,
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
