"""Refusals that are written down: the aftermath of an attempt on another tenant or a used token."""

from typing import Any, Final

from common.domain.refusal import Refusal
from common.ports.transaction import Transaction
from common.runtime.declaration import RateLimit
from common.runtime.problems import full_code

ATTEMPTS: Final = (RateLimit(quota=20, window_seconds=60),)
"""So often a minute somebody may name another tenant, whatever function they try it with."""


def note_incident(refused: Refusal, tx: Transaction) -> None:
    """Write a refusal into the audit trail of its actor."""
    record = tx.incidents.take(tx.actor.sub)
    tx.tell(record.refused(full_code(refused)))


def note_replay(request: Any, tx: Transaction, refused: Refusal) -> None:
    """Write down that a step-up token came back, after the command that brought it was refused."""
    note_incident(refused, tx)
