"""Hold the books of a business date against one another when it is over (CASH-9).

Every hour the dates that have ended somewhere are found, so that each property's own midnight and
close hour are met, and whatever was left behind by a run that died. `--as-of` runs a past date
again. Nothing is corrected here: what differs is written down, and the house is told.

The processor is asked between two transactions, for what it has of the date and of our own ids.
"""

from collections.abc import Sequence

from common.domain.reconciliation import BusinessDay, has_ended, last_ended
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.reconciling import Inquiry, ask_for_records, inquiry_of, keep_findings
from common.runtime.declaration import job


def ended(which: Round, tx: Transaction) -> Sequence[BusinessDay]:
    """The dates of a tenant's properties that are over and were not looked at to the end.

    With a date given, that one, wherever it is over.
    """
    if which.as_of is None:
        return tx.reconciliations.due(last_ended(tx.settings, tx.now), which.limit)
    days = [BusinessDay(each, which.as_of) for each in sorted(tx.settings.properties)]
    return [each for each in days if has_ended(tx.settings, each, tx.now)]


@job(
    schedule="20 * * * *",
    find=ended,
    perform=ask_for_records,
    record=keep_findings,
    needs=("database", "gateway"),
)
def reconcile_nightly(day: BusinessDay, tx: Transaction) -> Inquiry:
    """Hold the books of a date against one another, and its cards against the processor's records.

    Here is read what the processor is to be asked for. Refuses: PropertyUnknown.
    """
    return inquiry_of(day, tx)
