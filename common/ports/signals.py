"""What is pointed out about cash: the figures, who looks at them, and where signals are kept."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from uuid import UUID

    from common.domain.cash_patterns import ActorFigures, Finding, Pattern, Suspicion
    from common.domain.identifiers import PropertyId, SignalId
    from common.domain.signal import Signal
    from common.ports.paging import Page


class Detector(Protocol):
    """Somebody who looks at figures of cash and says what is odd about them.

    It may be down, slow or wrong; whoever asks it goes on without it.
    """

    @property
    def name(self) -> str:
        """Who it is; a signal says it as its source."""

    def look(self, tenant_id: UUID, figures: Sequence[ActorFigures]) -> Sequence[Finding]:
        """What is odd about a tenant's cash. Raises whatever went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFilter:
    """Which signals a list is asked for; `reviewed`: those that a person has looked at, or not."""

    property_id: PropertyId | None = None
    pattern: Pattern | Suspicion | None = None
    reviewed: bool | None = None


class Signals(Protocol):
    """Signals, and the days that were looked at."""

    def days_to_look_at(self, limit: int) -> Sequence[tuple[PropertyId, date]]:
        """Ended business days that nobody has looked at, the oldest first."""

    def figures(self, property_id: PropertyId, on: date) -> Sequence[ActorFigures]:
        """What everybody's cash came to in the window that ends with a day."""

    def known(self, property_id: PropertyId, on: date) -> frozenset[tuple[Pattern, str]]:
        """What was raised, and about whom, in the window that ends with a day."""

    def is_looked_at(self, property_id: PropertyId, on: date) -> bool:
        """Whether somebody has looked at a day."""

    def is_raised(self, pattern: Suspicion, subject: str) -> bool:
        """Whether that was pointed out about a folio, a payment or a refund."""

    def take(self, signal_id: SignalId) -> Signal:
        """Lock a signal. Refuses: SignalUnknown."""

    def page(self, which: SignalFilter, limit: int, cursor: str | None) -> Page[Signal]:
        """A page of the signals of the actor's properties. Refuses: CursorInvalid."""

    def keep(self, signal: Signal) -> None:
        """Write a signal down, or what became of it."""

    def keep_look(self, property_id: PropertyId, on: date, source: str) -> None:
        """Write down that a day was looked at, and by whom; once."""
