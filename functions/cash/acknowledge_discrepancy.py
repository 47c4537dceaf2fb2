"""Answer for a drawer that was over or short, as a person who neither counted nor confirmed."""

from common.contracts.cash import CashSessionView
from common.contracts.fields import FreeText
from common.contracts.references import CashSessionRef
from common.contracts.shapes import Request
from common.domain import cash_close
from common.domain.cash import SessionUnknown
from common.domain.cash_close import NothingToAcknowledge, SamePerson
from common.domain.cash_count import acknowledging_sha256
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.confirming import confirmed, note_attempt
from common.runtime.declaration import http_function


class AcknowledgeDiscrepancy(Request):
    """How the difference of the session in the path came about."""

    session_id: CashSessionRef
    explanation: FreeText


def what_is_signed(request: AcknowledgeDiscrepancy, actor: Actor) -> str:
    """The difference of this session, which does not change any more."""
    return acknowledging_sha256(actor.tenant_id, request.session_id).hex()


@http_function(
    "POST",
    "/cash-sessions/{session_id}/acknowledge-discrepancy",
    scope="billing.cash_drawer.acknowledge_discrepancy",
    step_up=True,
    context=what_is_signed,
    etag="cash_session",
    after_refusal={SamePerson: note_attempt},
    refusals=(SessionUnknown, NothingToAcknowledge, SamePerson),
)
def acknowledge_discrepancy(request: AcknowledgeDiscrepancy, tx: Transaction) -> CashSessionView:
    """Explain a drawer's difference; it is settled then.

    Refuses: SessionUnknown, NothingToAcknowledge, SamePerson.
    """
    session = tx.cash_sessions.take(request.session_id)
    acknowledged = cash_close.acknowledge(session, request.explanation, confirmed(tx))
    tx.cash_sessions.keep(session)
    tx.tell(acknowledged)
    return CashSessionView.of(session, tx.settings)
