"""What has had its time, as seen by who deletes it (AUD-3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class StoredAnswers(Protocol):
    """The answers of a tenant's commands, by the hashes of their keys."""

    def before(self, moment: datetime, limit: int) -> Sequence[str]:
        """Answers of before a moment, the oldest first."""

    def forget(self, key_hashes: Sequence[str], before: datetime) -> None:
        """Delete answers, if they are of before a moment."""


class OldRows(Protocol):
    """What a cell has kept of all tenants together. Raises DatabaseUnavailable."""

    def forget_events(self, limit: int) -> int:
        """Delete events that were published 30 days ago, of each aggregate the oldest first, at
        most so many; answers how many it did.
        """

    def forget_counters(self, limit: int) -> int:
        """Delete counters whose windows are long over, at most so many; answers how many."""
