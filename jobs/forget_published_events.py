"""Delete the events that everybody was told 30 days ago, and counters that count no more (AUD-3).

Nobody asks for either again: who lost an event has had its redelivery, and a limit's longest window
is a day. Both stand in tables of the cell, so this is done once for all tenants, step by step,
until nothing is too old. What is not published never goes, however old: the database sees to it.

A step is two small transactions. Killed anywhere, the next run finds what is left; two at once
share it.
"""

from typing import Final

from common.ports.jobs import JobPowers, Step, Turn
from common.runtime.declaration import job

BATCH: Final = 1_000
"""Rows that one transaction deletes: it is over well before anybody waits for it."""


@job(schedule="15 1 * * *", needs=("outbox",))
def forget_published_events(turn: Turn, powers: JobPowers) -> Step:
    """Delete some events and counters that have had their time, the oldest first."""
    gone = powers.old_rows.forget_events(BATCH) + powers.old_rows.forget_counters(BATCH)
    return Step(done=gone, idle=not gone, finished=not gone)
