"""The shared state of a circuit breaker, changed under its lock and never during a call."""

from typing import Protocol

from common.domain.circuit import CircuitState


class Breaker(Protocol):
    """One breaker, the same for all instances. Raises DatabaseUnavailable."""

    def admits(self, caller: str) -> CircuitState | None:
        """Under which state this call may go through now; None where it may not."""

    def heard(self, caller: str, *, answered: bool) -> None:
        """Write down whether a call that was let through was answered. An answer to one that found
        it closed changes nothing, whatever has become of it since, and need not be told."""
