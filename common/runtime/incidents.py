"""Refusals that are written down: the aftermath of an attempt on another tenant or a used token."""

from typing import Any

from common.domain.refusal import Refusal
from common.ports.transaction import Transaction
from common.runtime.problems import full_code


def note_incident(refused: Refusal, tx: Transaction) -> None:
    """Write a refusal into the audit trail of its actor."""
    record = tx.incidents.take(tx.actor.sub)
    tx.tell(record.refused(full_code(refused)))


def note_replay(request: Any, tx: Transaction, refused: Refusal) -> None:
    """Write down that a step-up token came back, after the command that brought it was refused."""
    note_incident(refused, tx)
