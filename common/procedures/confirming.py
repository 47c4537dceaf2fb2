"""What a fresh confirmation leaves behind: who signed, in a drawer's own record and in the audit.

A deed that was confirmed and is refused all the same changes nothing; that somebody tried is
written down in the trail of who did, in a transaction of its own.
"""

from typing import Any

from common.domain.cash import Confirmed
from common.domain.refusal import Refusal
from common.ports.transaction import Transaction


def confirmed(tx: Transaction) -> Confirmed:
    """The actor's confirmation of the deed at hand. Raises ValueError where none was asked for."""
    step_up = tx.step_up
    if step_up is None:
        raise ValueError("this deed was declared without a confirmation")
    return Confirmed(
        by=tx.actor.sub,
        at=tx.now,
        token_id=step_up.token_id,
        assertion_hash=step_up.assertion_hash,
        method=step_up.method,
    )


def note_attempt(request: Any, tx: Transaction, refusal: Refusal) -> None:
    """Write a refused attempt into the audit trail of its actor."""
    record = tx.incidents.take(tx.actor.sub)
    tx.tell(record.refused(f"MELMASTOON.{refusal.area}.{refusal.code}"))
