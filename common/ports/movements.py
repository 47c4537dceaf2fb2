"""What moved money at the processor, as a reconciliation reads it: page by page, or by its id."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from common.domain.identifiers import ProcessorDifferenceId, PropertyId
    from common.domain.processor_reconciliation import (
        Differs,
        Known,
        Movement,
        MovementKind,
        ProcessorDifference,
        Span,
    )
    from common.ports.answers import Unknown
    from common.ports.paging import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementsWanted:
    """Which movements: of a kind, in a span of the processor's time, from a place in its list on.

    What the processor says is another tenant's is not asked for; what it says nobody's is. Payouts
    are those of an `account`.
    """

    tenant_id: UUID
    kind: MovementKind
    span: Span
    cursor: str | None = None
    account: str = ""


@dataclass(frozen=True, slots=True)
class MovementPage:
    """A page of movements that took place, and where the next one begins (None at the end)."""

    items: tuple[Movement, ...]
    next_cursor: str | None = None


class Movements(Protocol):
    """The processor's side of a reconciliation."""

    def movements(self, wanted: MovementsWanted) -> MovementPage | Unknown:
        """A page of what took place; Unknown where the processor does not tell."""

    def movement(self, known: Known, payment: str) -> Movement | Unknown | None:
        """One movement of a payment, or of an account; whenever it was. None where none such took
        place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorDifferenceFilter:
    """Which differences a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    status: str | None = None
    kind: str | None = None
    owner: str | None = None


class ProcessorDifferences(Protocol):
    """Our side of it, and the differences that were found."""

    def account(self) -> str:
        """The account at the processor from which payouts go; empty where none is connected."""

    def moved_in(self, span: Span) -> Sequence[Movement]:
        """Our movements that were recorded in a span of time, and those that wait for a folio."""

    def moved_as(
        self, known: Collection[Known], payments: Collection[str]
    ) -> tuple[Sequence[Movement], Mapping[str, PropertyId | None]]:
        """Our movements that both sides know so, whenever they were; and which of the processor's
        payments are ours, of which property. What a tenant pays the platform is of none."""

    def open_ones(self, limit: int) -> Sequence[Differs]:
        """What is open, the longest first."""

    def take_for(self, found: Collection[Differs]) -> Sequence[ProcessorDifference]:
        """Let no other look be written meanwhile; lock what is open, and what is known of these."""

    def take(self, difference_id: ProcessorDifferenceId) -> ProcessorDifference:
        """Lock a difference. Refuses: ProcessorDifferenceUnknown."""

    def get(self, difference_id: ProcessorDifferenceId) -> ProcessorDifference:
        """A difference as it is. Refuses: ProcessorDifferenceUnknown."""

    def page(
        self, which: ProcessorDifferenceFilter, limit: int, cursor: str | None
    ) -> Page[ProcessorDifference]:
        """Differences in the order in which they were found. Refuses: CursorInvalid."""

    def keep(self, difference: ProcessorDifference) -> None:
        """Write a difference."""
