"""Where attempts to pay are counted, and where what waits for a person is kept."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from common.domain.identifiers import PropertyId, ReviewId
    from common.domain.review import Review, ReviewStatus
    from common.domain.risk import Attempt, Past, RiskRule, Weighed
    from common.ports.paging import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of an attempt as it is weighed.

    `earlier` is what this very attempt was found to be before; `past` what came before it, by the
    rules' names; `advised_ppm` the AI's word; `prepared_by` who made the payment out.
    """

    earlier: Weighed | None
    past: Mapping[str, Past]
    advised_ppm: int | None
    prepared_by: str | None


class RiskChecks(Protocol):
    """What attempts to pay were found to be; each that was not refused counts."""

    def look(self, attempt: Attempt, rules: Sequence[RiskRule]) -> Known:
        """Count what came before an attempt, in one round trip.

        Attempts of a subject with an exact rule wait for one another until they have ended.
        """

    def keep(self, attempt: Attempt, weighed: Weighed) -> None:
        """Write down what an attempt was found to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFilter:
    """Which reviews a list is asked for; None asks nothing."""

    property_id: PropertyId | None = None
    status: ReviewStatus | None = None
    opened_before: datetime | None = None


class Reviews(Protocol):
    """Reviews, as far as the actor's properties reach."""

    def get(self, review_id: ReviewId) -> Review:
        """A review as it is. Refuses: ReviewUnknown."""

    def take(self, review_id: ReviewId) -> Review:
        """Lock a review. Refuses: ReviewUnknown."""

    def page(self, which: ReviewFilter, limit: int, cursor: str | None) -> Page[Review]:
        """A page of reviews, the newest last. Refuses: CursorInvalid."""

    def due(self, limit: int) -> Sequence[ReviewId]:
        """Open reviews whose time is over, the longest waiting first."""

    def keep(self, review: Review) -> None:
        """Write a review, or how it was decided."""
