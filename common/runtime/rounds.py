"""Whose turn it is in a run: a round of items of one tenant, then of the next, and so round again.

A run has little time, and some tenants have much to do. In rounds nobody waits for another one's
hundred thousand items; and as each run begins with another tenant, those whom a run did not come to
are not the same ones night after night (EVT-6, JOB-1). Runs that overlap begin apart, too.
"""

import zlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from common.domain.dataclass import dataclass

ITEMS_PER_ROUND: Final = 100


@dataclass(slots=True)
class Line:
    """A tenant's items in a run: those that were looked at, and how many of them are still due."""

    tenant_id: UUID
    seen: set[Any] = field(default_factory=set)
    still_due: int = 0

    def next_round(self, find: Callable[[int], Sequence[Any]]) -> list[Any]:
        """Items that this run has not looked at, each once; `find` answers so many that are due.

        What was looked at and is still due hides none behind it, whether it has failed or only has
        to be asked again later.
        """
        while True:
            limit = ITEMS_PER_ROUND + self.still_due
            found = find(limit)
            fresh = [item for item in found if item not in self.seen]
            self.still_due = len(found) - len(fresh)
            if fresh or len(found) < limit:
                self.seen.update(fresh)
                return fresh


def lines(tenants: Sequence[UUID]) -> deque[Line]:
    """A line for each tenant, in this order."""
    return deque(Line(tenant_id) for tenant_id in tenants)


def begun_anywhere(tenants: Sequence[UUID], job: str, now: datetime) -> list[UUID]:
    """The tenants in their order, from one on that is another at each minute and for each job.

    It follows from the clock and is no chance: the same run is played again in the same order.
    """
    if not tenants:
        return []
    first = zlib.crc32(f"{job} {now:%Y-%m-%dT%H:%M}".encode()) % len(tenants)
    return [*tenants[first:], *tenants[:first]]
