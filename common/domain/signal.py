"""A signal: something odd that was pointed out, and what a person made of it (AI-1, CASH-10).

A signal advises. Nothing in the house waits for it, asks it or is stopped by it; it is raised once
for a person, a pattern and a business date, or once for a pattern and a folio, a payment or a
refund, and reviewed once. A refund shows what was pointed out about it (REF-2).
"""

from dataclasses import field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.cash_patterns import Finding
from common.domain.dataclass import dataclass
from common.domain.identifiers import PropertyId, SignalId
from common.domain.moment import Moment
from common.domain.refusal import Conflict, Missing


class SignalUnknown(Missing):
    code = "SIGNAL_UNKNOWN"
    title = "There is no such signal"


class SignalReviewedAlready(Conflict):
    code = "SIGNAL_REVIEWED"
    title = "The signal has been reviewed already"


class SignalOfOneself(Conflict):
    code = "SIGNAL_OF_ONESELF"
    title = "Nobody reviews a signal about themselves"


class Verdict(StrEnum):
    """What a person made of a signal."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Who looked at a signal, and what came of it."""

    verdict: Verdict
    by: str
    note: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class SignalRaised(Fact):
    """Something odd was pointed out; it stays in the house."""

    name = "ai_signal.raised"
    subject: "Signal" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class SignalReviewed(Fact):
    """A person has looked; it stays in the house."""

    name = "ai_signal.reviewed"
    subject: "Signal" = field(repr=False, compare=False)


@dataclass(kw_only=True)
class Signal(Aggregate):
    """See the module. `source` says who found it: `statistics`, or the platform's orchestrator."""

    kind: ClassVar[str] = "ai_signal"
    id: SignalId
    property_id: PropertyId
    business_date: date
    finding: Finding
    source: str
    raised_at: datetime
    review: Review | None = None

    @classmethod
    def raised(
        cls, property_id: PropertyId, on: date, finding: Finding, source: str, moment: Moment
    ) -> SignalRaised:
        """Point something out."""
        signal = cls(
            id=moment.new_id(SignalId),
            property_id=property_id,
            business_date=on,
            finding=finding,
            source=source,
            raised_at=moment.now,
        )
        return SignalRaised(subject=signal, sequence=signal.next_sequence())

    def reviewed(self, verdict: Verdict, note: str, by: str, moment: Moment) -> SignalReviewed:
        """Write down what a person made of it. Refuses: SignalReviewedAlready, SignalOfOneself."""
        if self.review is not None:
            raise SignalReviewedAlready(verdict=self.review.verdict.value)
        if by == self.finding.actor:
            raise SignalOfOneself()
        self.review = Review(verdict=verdict, by=by, note=note, at=moment.now)
        return SignalReviewed(subject=self, sequence=self.next_sequence(), reason=note)

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        about = {"subject": self.finding.subject} if self.finding.subject else {}
        return about | {
            "id": self.id,
            "propertyId": str(self.property_id),
            "businessDate": self.business_date.isoformat(),
            "pattern": self.finding.pattern.value,
            "actor": self.finding.actor,
            "scorePpm": self.finding.score_ppm,
            "verdict": self.review.verdict.value if self.review else None,
        }
