"""The shared state of a circuit breaker, changed under its lock and never during a call."""

from typing import Protocol


class Breaker(Protocol):
    """One breaker, the same for all instances. Raises DatabaseUnavailable."""

    def admits(self, caller: str) -> bool:
        """Whether this call may go through now."""

    def heard(self, caller: str, *, answered: bool) -> None:
        """Write down whether a call that was let through was answered."""
