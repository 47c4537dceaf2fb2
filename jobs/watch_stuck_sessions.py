"""Raise the alarm about counts that nobody has confirmed for six hours, once for each (CASH-8).

A drawer that waits for its second person takes no cash, and nobody knows whether it is right. The
alarm is an event; what to do about it is the house's: confirm the count, send it back, or count
anew with two supervisors.
"""

from collections.abc import Sequence

from common.domain.cash import STUCK_AFTER
from common.domain.cash_close import find_stuck
from common.domain.identifiers import CashSessionId
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.runtime.declaration import job


def waiting(which: Round, tx: Transaction) -> Sequence[CashSessionId]:
    """The sessions of a tenant that wait too long, and of which nobody was told yet."""
    return tx.cash_sessions.pending_since(tx.now - STUCK_AFTER, which.limit)


@job(schedule="*/10 * * * *", find=waiting)
def watch_stuck_sessions(session_id: CashSessionId, tx: Transaction) -> None:
    """Tell the house of a count that has waited for six hours.

    Refuses: SessionUnknown.
    """
    session = tx.cash_sessions.take(session_id)
    stuck = find_stuck(session, tx.now)
    if stuck is not None:
        tx.cash_sessions.keep(session)
        tx.tell(stuck)
