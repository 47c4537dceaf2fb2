"""The clock. Time comes from the database's transaction; only a laptop may move it."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Turns the database's time into the service's."""

    def at(self, database_time: datetime) -> datetime:
        """The service's time at a moment of the database, UTC."""

    def now(self) -> datetime:
        """The service's time where there is no transaction: tokens, leases, logs."""


class SystemClock:
    """The time as it is."""

    def at(self, database_time: datetime) -> datetime:
        return database_time

    def now(self) -> datetime:
        return datetime.now(UTC)
