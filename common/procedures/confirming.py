"""What a fresh confirmation leaves behind: who signed, in a drawer's own record and in the audit.

A deed that was confirmed and is refused all the same changes nothing; that somebody tried is
written down in the trail of who did, in a transaction of its own.
"""

from typing import Any

from common.contracts.cash import CountRequest, count_of
from common.domain.cash import Confirmed
from common.domain.cash_count import closing_sha256
from common.domain.refusal import Refusal
from common.ports.identity import Actor
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


def closing_signature(request: CountRequest, closed_by: str, actor: Actor) -> bytes:
    """What is signed by who made a count, and again by who confirms it. Refuses: CountInvalid."""
    count = count_of(request.count)
    return closing_sha256(
        actor.tenant_id, request.session_id, closed_by, request.count_number, count
    )


def signature_of_who_counts(request: CountRequest, actor: Actor) -> str:
    """What the caller signs by making this count. Refuses: CountInvalid."""
    return closing_signature(request, actor.sub, actor).hex()


def note_attempt(request: Any, tx: Transaction, refusal: Refusal) -> None:
    """Write a refused attempt into the audit trail of its actor."""
    record = tx.incidents.take(tx.actor.sub)
    tx.tell(record.refused(f"MELMASTOON.{refusal.area}.{refusal.code}"))
