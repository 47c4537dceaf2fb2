"""Send a count back, with a reason: the drawer is open again until it is counted anew.

The co-signer does not find what the count says, or something came up that has to be paid. What
should have been there stays untold, so that counting again is as blind as counting once.
"""

from common.contracts.cash import CashSessionView, CountNumber
from common.contracts.fields import FreeText
from common.contracts.references import CashSessionRef
from common.contracts.shapes import Request
from common.domain import cash_close
from common.domain.cash import SessionUnknown
from common.domain.cash_close import CountDiffers, SessionNotPending
from common.domain.cash_count import returning_sha256
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ReturnToOpen(Request):
    """Which count of the session in the path is sent back, and why."""

    session_id: CashSessionRef
    count_number: CountNumber
    reason: FreeText


def what_is_signed(request: ReturnToOpen, actor: Actor) -> str:
    """The sending back of this count."""
    return returning_sha256(actor.tenant_id, request.session_id, request.count_number).hex()


@http_function(
    "POST",
    "/cash-sessions/{session_id}/return-to-open",
    scope="billing.cash_drawer.close",
    step_up=True,
    context=what_is_signed,
    etag="cash_session",
    refusals=(SessionUnknown, SessionNotPending, CountDiffers),
)
def return_to_open(request: ReturnToOpen, tx: Transaction) -> CashSessionView:
    """Send a count back, and let cash move again.

    Refuses: SessionUnknown, SessionNotPending, CountDiffers.
    """
    session = tx.cash_sessions.take(request.session_id)
    returned = cash_close.return_to_open(session, request.count_number, request.reason)
    tx.cash_sessions.keep(session)
    tx.tell(returned)
    return CashSessionView.of(session, tx.settings)
