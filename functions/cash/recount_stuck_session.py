"""Count a drawer anew whose count nobody has confirmed for six hours.

The closing actor has gone home, or the co-signer does not believe the count. A supervisor counts in
the closing actor's place and signs; a second supervisor confirms by `close_session`. So two persons
close a stuck drawer too, and never one (CASH-8).
"""

from common.contracts.cash import CashSessionView, CountRequest, count_of
from common.domain import cash_close
from common.domain.cash import SessionUnknown
from common.domain.cash_close import (
    CountDiffers,
    SamePerson,
    SessionNotPending,
    SessionNotStuck,
)
from common.domain.cash_count import CountInvalid
from common.ports.transaction import Transaction
from common.procedures.confirming import confirmed, note_attempt, signature_of_who_counts
from common.runtime.declaration import http_function


class RecountStuckSession(CountRequest):
    """What the supervisor counted, as the next count of the session in the path."""


@http_function(
    "POST",
    "/cash-sessions/{session_id}/recount",
    scope="billing.cash_drawer.close",
    step_up=True,
    context=signature_of_who_counts,
    moves_money=True,
    etag="cash_session",
    after_refusal={SessionNotStuck: note_attempt, SamePerson: note_attempt},
    refusals=(
        SessionUnknown,
        SessionNotPending,
        SessionNotStuck,
        SamePerson,
        CountDiffers,
        CountInvalid,
    ),
)
def recount_stuck_session(request: RecountStuckSession, tx: Transaction) -> CashSessionView:
    """Put a supervisor's count in the place of one that nobody confirmed for six hours.

    Refuses: SessionUnknown, SessionNotPending, SessionNotStuck, SamePerson, CountDiffers,
    CountInvalid.
    """
    session, sums = tx.cash_sessions.take_with_sums(request.session_id)
    initiated = cash_close.recount_stuck(
        session, count_of(request.count), request.count_number, sums, confirmed(tx), tx
    )
    tx.cash_sessions.keep(session)
    tx.tell(initiated)
    return CashSessionView.of(session, tx.settings)
