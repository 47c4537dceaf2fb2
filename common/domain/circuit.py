"""A circuit breaker: somebody who does not answer is left alone for a while (GW-4).

Closed, everybody is let through, and failures are counted in a window. So many of them open it:
nobody is let through, and everybody is told so at once. After a pause it is half-open: one caller
is let through as a probe, under a lease that ends when the caller is never heard of again. The
probe closes it, or opens it anew.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from common.domain.dataclass import dataclass

FAILURES_MAX: Final = 5
WINDOW: Final = timedelta(seconds=60)
PAUSE: Final = timedelta(seconds=30)
PROBE: Final = timedelta(seconds=60)
"""Longer than a call with its time-outs takes: a probe that is under way is the only one."""


class CircuitState(StrEnum):
    """Whether calls go through: all, none, or one."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """What all instances know of it. `probe_by` is the caller who tries, until `probe_until`."""

    failures: int = 0
    window_began_at: datetime | None = None
    opened_at: datetime | None = None
    probe_by: str | None = None
    probe_until: datetime | None = None

    def state(self, now: datetime) -> CircuitState:
        """Where it stands."""
        if self.opened_at is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if now < self.opened_at + PAUSE else CircuitState.HALF_OPEN

    def admitting(self, caller: str, now: datetime) -> "Circuit | None":
        """The circuit with this caller let through; None where the caller is not."""
        match self.state(now):
            case CircuitState.CLOSED:
                return self
            case CircuitState.OPEN:
                return None
            case CircuitState.HALF_OPEN:
                is_taken = self.probe_until is not None and now < self.probe_until
                if is_taken:
                    return None
                return replace(self, probe_by=caller, probe_until=now + PROBE)

    def heard(self, caller: str, now: datetime, *, answered: bool) -> "Circuit":
        """The circuit after a call. While it is open, only the probe's word counts."""
        if self.opened_at is not None:
            if self.probe_by != caller:
                return self
            return Circuit() if answered else Circuit(opened_at=now)
        if answered:
            return self
        began = self.window_began_at
        is_running = began is not None and now < began + WINDOW
        failures = self.failures + 1 if is_running else 1
        if failures >= FAILURES_MAX:
            return Circuit(opened_at=now)
        return Circuit(failures=failures, window_began_at=began if is_running else now)
