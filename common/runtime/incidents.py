"""Refusals that are written down: the aftermath of an attempt on another tenant or a used token."""

from typing import Any

from common.domain.refusal import Refusal
from common.ports.transaction import Transaction
from common.runtime.problems import full_code


def note_incident(request: Any, tx: Transaction, refusal: Refusal) -> None:  # noqa: ANN401
    """Write the refusal into the audit trail of its actor."""
    record = tx.incidents.take(tx.actor.sub)
    tx.tell(record.refused(full_code(refusal)))
