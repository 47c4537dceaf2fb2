"""Hold the books against the processor, every hour and, farther back, every night (REC-1).

Each run looks at the hours that are over; that at night at the last four days, so that whatever a
webhook of three days could still heal is looked at again. Looks overlap, may run twice at once and
be killed anywhere: a difference is one row, however often it is found. `--as-of` looks at one day.
A run has most of its hour: whom the night's has no time for is not looked at so far back by the
next one, and by then it is another hour.

The processor is asked between two transactions. One that does not answer fails the run, which is
reported, and changes nothing: to write down that all is well would be a guess.

After a restore it finds what the processor has and the books have forgotten: so it runs while the
database only reads for everybody else.
"""

from collections.abc import Sequence

from common.domain.processor_reconciliation import Span, spans
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.matching import Look, ask_for_movements, keep_differences, look_at
from common.runtime.declaration import job


def to_look_at(which: Round, tx: Transaction) -> Sequence[Span]:
    """The span of this hour or night, or of the day that is given."""
    return spans(tx.now, which.as_of)


@job(
    schedule="35 * * * *",
    timeout_seconds=3_000,
    find=to_look_at,
    perform=ask_for_movements,
    record=keep_differences,
    serves_recovery=True,
    needs=("database", "gateway"),
)
def reconcile_processor(span: Span, tx: Transaction) -> Look:
    """Hold every payment, refund, dispute and payout of a span against the processor's.

    Here is read what the books have of it.
    """
    return look_at(span, tx)
