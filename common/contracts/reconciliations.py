"""How a reconciliation reads on the wire, and what the house is told of one.

Events name kinds and counts, never an amount or whose it is: who listens may be who sits at the
drawer. Differences in a drawer that still runs have no amounts anywhere while it is counted blind.
"""

from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from common.contracts.event import EventData
from common.contracts.fields import Amount, Day, Instant
from common.contracts.references import PropertyRef, ReconciliationRef
from common.contracts.shapes import Outcome, Shape
from common.domain.money import Money
from common.domain.reconciliation import Difference, Reconciliation

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.reconciliation import ReconciliationFact


class DifferenceCount(Shape):
    """How many differences of a kind there are."""

    kind: str
    count: int

    @classmethod
    def all_of(cls, found: Reconciliation) -> "tuple[DifferenceCount, ...]":
        return tuple(cls(kind=kind, count=count) for kind, count in found.counts.items())


class DifferenceView(Shape):
    """What differs, in one currency: `about` is the id of the session, payment, refund or folio.

    Amounts are null while the drawer runs and is counted blind.
    """

    kind: str
    about: str
    expected: Amount | None
    found: Amount | None

    @classmethod
    def of(cls, difference: Difference) -> "DifferenceView":
        return cls(
            kind=difference.kind.value,
            about=difference.about,
            expected=_amount(difference, difference.expected_micro),
            found=_amount(difference, difference.found_micro),
        )


class ReconciliationView(Outcome):
    """A reconciliation without its differences.

    `status` is matched, mismatch, resolved or unknown: nothing was found, and the processor has not
    answered yet. `processorAnswered` says whether it did at the last run.
    """

    reconciliation_id: ReconciliationRef
    property_id: PropertyRef
    business_date: Day
    status: str = Field(examples=["matched"])
    processor_answered: bool
    counts: tuple[DifferenceCount, ...]
    first_run_at: Instant
    last_run_at: Instant
    resolved_by: str | None
    resolved_at: Instant | None
    reason: str | None
    version: int

    @classmethod
    def of(cls, found: Reconciliation) -> "ReconciliationView":
        return cls(**cls.shared(found))

    @staticmethod
    def shared(found: Reconciliation) -> dict[str, Any]:
        """The fields that every view of it has."""
        return {
            "reconciliation_id": found.id,
            "property_id": found.property_id,
            "business_date": found.business_date,
            "status": found.status.value,
            "processor_answered": found.processor_answered,
            "counts": DifferenceCount.all_of(found),
            "first_run_at": found.first_run_at,
            "last_run_at": found.last_run_at,
            "resolved_by": found.resolved_by,
            "resolved_at": found.resolved_at,
            "reason": found.reason,
            "version": found.version,
        }


class ReconciliationWithDifferences(ReconciliationView):
    """A reconciliation with each difference that was found."""

    differences: tuple[DifferenceView, ...]

    @classmethod
    def of(cls, found: Reconciliation) -> "ReconciliationWithDifferences":
        differences = tuple(DifferenceView.of(each) for each in found.differences)
        return cls(**cls.shared(found), differences=differences)


class _Reconciliation(EventData):
    reconciliation_id: ReconciliationRef
    property_id: PropertyRef
    business_date: Day
    status: str
    counts: tuple[DifferenceCount, ...]

    @classmethod
    def shared(cls, fact: "ReconciliationFact") -> dict[str, Any]:
        found = fact.subject
        return {
            "reconciliation_id": found.id,
            "property_id": found.property_id,
            "business_date": found.business_date,
            "status": found.status.value,
            "counts": DifferenceCount.all_of(found),
        }


class ReconciliationRecordedV1(_Reconciliation):
    fact = "reconciliation.recorded"

    @classmethod
    def of(cls, fact: "ReconciliationFact") -> "ReconciliationRecordedV1":
        return cls(**cls.shared(fact))


class ReconciliationMismatchFoundV1(_Reconciliation):
    """An alarm: differences that nobody knew of, or other ones than somebody answered for."""

    fact = "reconciliation.mismatch_found"

    @classmethod
    def of(cls, fact: "ReconciliationFact") -> "ReconciliationMismatchFoundV1":
        return cls(**cls.shared(fact))


class ReconciliationResolvedV1(_Reconciliation):
    fact = "reconciliation.resolved"
    resolved_by: str | None
    reason: str | None

    @classmethod
    def of(cls, fact: "ReconciliationFact") -> "ReconciliationResolvedV1":
        by = fact.subject.resolved_by
        return cls(**cls.shared(fact), resolved_by=by, reason=fact.reason)


RECONCILIATION_EVENTS: Final = (
    ReconciliationRecordedV1,
    ReconciliationMismatchFoundV1,
    ReconciliationResolvedV1,
)


def _amount(difference: Difference, micro: int | None) -> Money | None:
    return None if micro is None else Money(micro, difference.currency)
