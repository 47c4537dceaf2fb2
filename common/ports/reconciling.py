"""What a reconciliation reads and keeps: the books of a business date, and what came of them."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from common.domain.identifiers import PropertyId, ReconciliationId
    from common.domain.reconciliation import (
        BusinessDay,
        CardRecords,
        Figure,
        Reconciliation,
    )
    from common.ports.paging import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationFilter:
    """Which reconciliations a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    status: str | None = None
    business_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A business date with the instants at which it opens and is over."""

    day: BusinessDay
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What our books say of a business date, all of it read under the reconciliation's lock.

    `known` are those of the processor's ids that we have under any date.
    """

    figures: Sequence[Figure]
    known: frozenset[str]


class Reconciliations(Protocol):
    """Reconciliations. Another tenant's or property's is unknown here."""

    def due(self, last: Mapping[PropertyId, date], limit: int) -> Sequence[BusinessDay]:
        """Dates that are to be looked at, from the last one of each property back.

        Those since anything happened at the property that were not looked at yet, or for which the
        processor did not answer. However many there are, last night's never wait for them.
        """

    def card_records(self, day: BusinessDay) -> CardRecords:
        """The card payments and refunds that we hold under a date."""

    def take_with_books(
        self, hours: Hours, theirs: CardRecords
    ) -> tuple[Reconciliation | None, Books]:
        """Lock the reconciliation of a date, if there is one yet, and read what the books say."""

    def take(self, reconciliation_id: ReconciliationId) -> Reconciliation:
        """Lock a reconciliation. Refuses: ReconciliationUnknown."""

    def get(self, reconciliation_id: ReconciliationId) -> Reconciliation:
        """A reconciliation as it is. Refuses: ReconciliationUnknown."""

    def page(
        self, which: ReconciliationFilter, limit: int, cursor: str | None
    ) -> Page[Reconciliation]:
        """Reconciliations in the order of their first runs."""

    def keep(self, reconciliation: Reconciliation) -> None:
        """Write the reconciliation."""
