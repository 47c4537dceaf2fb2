"""Close a drawer as the second person: confirm the count that somebody else has signed.

The co-signer's client sends what it showed: who counted, and what. The co-signer's own confirmation
is bound to exactly that, and what was sent is held against the count that waits; so neither person
can have signed anything else than the other. Then, and not before, the count is held against what
should have been there.

What is signed is the document of `initiate_close`, with the closing actor in it: the session tells
its SHA-256 as `stepUpContexts.close`, and a client works it out from what it shows.
"""

from common.contracts.cash import CashSessionView, CountRequest
from common.contracts.fields import PersonRef
from common.domain import cash_close
from common.domain.cash import SessionUnknown
from common.domain.cash_close import CountDiffers, SamePerson, SessionNotPending
from common.domain.cash_count import CountInvalid
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.confirming import closing_signature, confirmed, note_attempt
from common.runtime.declaration import http_function


class CloseSession(CountRequest):
    """The count that the caller confirms, and who made it."""

    closed_by: PersonRef


def what_is_signed(request: CloseSession, actor: Actor) -> str:
    """The count of the closing actor, which both sign. Refuses: CountInvalid."""
    return closing_signature(request, request.closed_by, actor).hex()


@http_function(
    "POST",
    "/cash-sessions/{session_id}/close",
    scope="billing.cash_drawer.close",
    step_up=True,
    context=what_is_signed,
    moves_money=True,
    etag="cash_session",
    after_refusal={
        SessionNotPending: note_attempt,
        SamePerson: note_attempt,
        CountDiffers: note_attempt,
    },
    refusals=(SessionUnknown, SessionNotPending, SamePerson, CountDiffers, CountInvalid),
)
def close_session(request: CloseSession, tx: Transaction) -> CashSessionView:
    """Confirm another person's count, close the drawer, and book what is over or short.

    Refuses: SessionUnknown, SessionNotPending, SamePerson, CountDiffers, CountInvalid.
    """
    session = tx.cash_sessions.take(request.session_id)
    signed = closing_signature(request, request.closed_by, tx.actor)
    closed, *found = cash_close.close(session, signed, confirmed(tx), tx)
    tx.cash_sessions.keep(session)
    tx.cash_sessions.keep_movements(closed.movements)
    tx.ledger.post(closed)
    for fact in (closed, *found):
        tx.tell(fact)
    return CashSessionView.of(session, tx.settings)
