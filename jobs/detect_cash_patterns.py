"""Point out odd patterns of cash, for each business day that has ended (CASH-10).

What is found is a signal that a person looks at. It is raised once in thirty days for a person and
a pattern. A day that was missed, because the job or the orchestrator was down, is looked at by the
next run.
"""

from collections.abc import Sequence
from datetime import date

from common.domain.identifiers import PropertyId
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.detecting import Day, keep_signals, look_at
from common.runtime.declaration import job


def ended(which: Round, tx: Transaction) -> Sequence[tuple[PropertyId, date]]:
    """The days of a tenant's properties that nobody has looked at, the oldest first."""
    return tx.signals.days_to_look_at(which.limit)


@job(
    schedule="20 * * * *",
    find=ended,
    perform=look_at,
    record=keep_signals,
    needs=("database", "detector"),
)
def detect_cash_patterns(day: tuple[PropertyId, date], tx: Transaction) -> Day:
    """Find what everybody's cash came to in the thirty days before the end of a day."""
    property_id, on = day
    return Day(tx.settings.tenant_id, property_id, on, tuple(tx.signals.figures(property_id, on)))
