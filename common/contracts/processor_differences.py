"""How a difference with the processor reads on the wire, and what the house is told of one.

Events name what differs and about which payment, refund, dispute or payout, and no amount.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from common.contracts.event import EventData
from common.contracts.fields import Amount, Instant
from common.contracts.references import ProcessorDifferenceRef, PropertyRef
from common.contracts.shapes import Outcome
from common.domain.money import Money
from common.domain.processor_reconciliation import ProcessorDifference

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.processor_reconciliation import ProcessorDifferenceFact


class ProcessorDifferenceView(Outcome):
    """A difference: `expected` is what the processor has, `found` what the books have.

    `about` is the processor's payment, our refund or payout or the processor's own, or its dispute;
    `payment` the processor's payment that it is of, or the account that a payout has left. `status`
    is open, resolved (somebody has answered for it) or cleared (a later look has not found it any
    more). It is open since `openedAt`, and so many seconds old; `ageSeconds` is null for one that
    is not open.
    """

    difference_id: ProcessorDifferenceRef
    kind: str = Field(examples=["refund_not_recorded"])
    about: str
    payment: str
    property_id: PropertyRef | None
    expected: Amount
    found: Amount
    status: str = Field(examples=["open"])
    owner: str = Field(examples=["finance"])
    opened_at: Instant
    age_seconds: int | None
    looked_at: Instant
    resolved_by: str | None
    resolved_at: Instant | None
    reason: str | None
    version: int

    @classmethod
    def of(cls, difference: ProcessorDifference, now: datetime) -> "ProcessorDifferenceView":
        """A difference, and how old it is `now`."""
        differs = difference.differs
        age = int((now - difference.opened_at).total_seconds())
        return cls(
            difference_id=difference.id,
            kind=differs.way.value,
            about=differs.about,
            payment=differs.payment,
            property_id=differs.property_id,
            expected=Money(differs.expected_micro, differs.currency),
            found=Money(differs.found_micro, differs.currency),
            status=difference.status.value,
            owner=difference.owner,
            opened_at=difference.opened_at,
            age_seconds=max(age, 0) if difference.status.value == "open" else None,
            looked_at=difference.looked_at,
            resolved_by=difference.resolved_by,
            resolved_at=difference.resolved_at,
            reason=difference.reason,
            version=difference.version,
        )


class _Difference(EventData):
    difference_id: ProcessorDifferenceRef
    kind: str
    about: str
    property_id: PropertyRef | None
    status: str
    owner: str

    @classmethod
    def shared(cls, fact: "ProcessorDifferenceFact") -> dict[str, Any]:
        difference = fact.subject
        return {
            "difference_id": difference.id,
            "kind": difference.differs.way.value,
            "about": difference.differs.about,
            "property_id": difference.differs.property_id,
            "status": difference.status.value,
            "owner": difference.owner,
        }


class ProcessorMismatchFoundV1(_Difference):
    """An alarm: the books and the processor differ as nobody knew."""

    fact = "processor_reconciliation.mismatch_found"

    @classmethod
    def of(cls, fact: "ProcessorDifferenceFact") -> "ProcessorMismatchFoundV1":
        return cls(**cls.shared(fact))


class ProcessorMismatchClearedV1(_Difference):
    """They agree by now."""

    fact = "processor_reconciliation.mismatch_cleared"

    @classmethod
    def of(cls, fact: "ProcessorDifferenceFact") -> "ProcessorMismatchClearedV1":
        return cls(**cls.shared(fact))


class ProcessorMismatchOwnedV1(_Difference):
    """Somebody looks after it."""

    fact = "processor_reconciliation.mismatch_owned"

    @classmethod
    def of(cls, fact: "ProcessorDifferenceFact") -> "ProcessorMismatchOwnedV1":
        return cls(**cls.shared(fact))


class ProcessorMismatchResolvedV1(_Difference):
    """Somebody has answered for it."""

    fact = "processor_reconciliation.mismatch_resolved"
    resolved_by: str | None
    reason: str | None

    @classmethod
    def of(cls, fact: "ProcessorDifferenceFact") -> "ProcessorMismatchResolvedV1":
        by = fact.subject.resolved_by
        return cls(**cls.shared(fact), resolved_by=by, reason=fact.reason)


PROCESSOR_EVENTS: Final = (
    ProcessorMismatchFoundV1,
    ProcessorMismatchClearedV1,
    ProcessorMismatchOwnedV1,
    ProcessorMismatchResolvedV1,
)
