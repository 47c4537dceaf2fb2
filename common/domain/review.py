"""A review: something that waits until a person has looked at it, and how that person decided.

A payment that looks odd waits for one (FRD-1); whoever asked for it does not decide it, nor who
made it out (FRD-2). It is decided once, with a reason. What nobody has decided within 72 hours has
expired, from that moment on and whether or not the job has come by, and counts as refused: money
that nobody would answer for is not taken.

`subject_kind` says what waits: a payment intent; a payout may wait the same way.
"""

from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import PropertyId, ReviewId
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.refusal import Conflict, Forbidden, Missing
from common.domain.risk import Reason, Weighed

WAITS_FOR: Final = timedelta(hours=72)
NOBODY_DECIDED: Final = "Nobody decided within 72 hours"


class ReviewUnknown(Missing):
    code = "REVIEW_UNKNOWN"
    title = "There is no such review"


class ReviewDecidedAlready(Conflict):
    code = "REVIEW_DECIDED"
    title = "The review has been decided already, or has expired"


class ReviewSamePerson(Forbidden):
    code = "REVIEW_SAME_PERSON"
    title = "Nobody decides a review of what they asked for themselves"


class SubjectKind(StrEnum):
    """What waits."""

    PAYMENT_INTENT = "payment_intent"
    PAYOUT = "payout"


class ReviewStatus(StrEnum):
    """Where a review stands."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"


class Decision(StrEnum):
    """What a person may say."""

    APPROVE = "approve"
    REFUSE = "refuse"


_SAYS: Final = {
    Decision.APPROVE: ReviewStatus.APPROVED,
    Decision.REFUSE: ReviewStatus.REFUSED,
}


@dataclass(frozen=True, kw_only=True)
class ReviewOpened(Fact):
    """A person is to look at something."""

    name = "review.opened"
    subject: "Review" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class ReviewDecided(Fact):
    """It may go on, or not: a person said so, or nobody did in time."""

    name = "review.decided"
    subject: "Review" = field(repr=False, compare=False)


@dataclass(kw_only=True)
class Review(Aggregate):
    """See the module. `requested_by` asked for it, `prepared_by` made it out; often one person.

    `score` and `reasons` are what it was found to be when it was weighed.
    """

    kind: ClassVar[str] = "review"
    id: ReviewId
    property_id: PropertyId
    subject_kind: SubjectKind
    subject_id: str
    amount: Money
    score: int
    reasons: tuple[Reason, ...]
    requested_by: str
    prepared_by: str
    opened_at: datetime
    expires_at: datetime
    status: ReviewStatus = ReviewStatus.OPEN
    decided_by: str | None = None
    reason: str | None = None
    decided_at: datetime | None = None

    @classmethod
    def open(
        cls,
        *,
        property_id: PropertyId,
        subject: tuple[SubjectKind, str],
        amount: Money,
        weighed: Weighed,
        requested_by: str,
        prepared_by: str,
        moment: Moment,
    ) -> ReviewOpened:
        """Let something wait for a person."""
        review = cls(
            id=moment.new_id(ReviewId),
            property_id=property_id,
            subject_kind=subject[0],
            subject_id=subject[1],
            amount=amount,
            score=weighed.score,
            reasons=weighed.reasons,
            requested_by=requested_by,
            prepared_by=prepared_by,
            opened_at=moment.now,
            expires_at=moment.now + WAITS_FOR,
        )
        return ReviewOpened(subject=review, sequence=review.next_sequence())

    @property
    def is_open(self) -> bool:
        return self.status is ReviewStatus.OPEN

    @property
    def is_approved(self) -> bool:
        return self.status is ReviewStatus.APPROVED

    def decide(
        self, decision: Decision, reason: str, by: str, moment: Moment
    ) -> ReviewDecided | None:
        """Decide it, once; None where this person has said the same of it before.

        Refuses: ReviewSamePerson, ReviewDecidedAlready.
        """
        if by in (self.requested_by, self.prepared_by):
            raise ReviewSamePerson()
        if (self.status, self.decided_by, self.reason) == (_SAYS[decision], by, reason):
            return None
        if not self.is_open:
            raise ReviewDecidedAlready(status=self.status.value)
        if moment.now >= self.expires_at:
            raise ReviewDecidedAlready(status=ReviewStatus.EXPIRED.value)
        return self._ended(_SAYS[decision], by, reason, moment)

    def expire(self, by: str, moment: Moment) -> ReviewDecided | None:
        """Write down that nobody has decided it; None before its time, or where somebody has."""
        if not self.is_open or moment.now < self.expires_at:
            return None
        return self._ended(ReviewStatus.EXPIRED, by, NOBODY_DECIDED, moment)

    def _ended(self, status: ReviewStatus, by: str, reason: str, moment: Moment) -> ReviewDecided:
        self.status, self.decided_by, self.reason = status, by, reason
        self.decided_at = moment.now
        return ReviewDecided(subject=self, sequence=self.next_sequence(), reason=reason)

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "subjectKind": self.subject_kind.value,
            "subjectId": self.subject_id,
            "amountMicro": self.amount.amount_micro,
            "currency": str(self.amount.currency),
            "score": self.score,
            "status": self.status.value,
            "requestedBy": self.requested_by,
            "preparedBy": self.prepared_by,
            "decidedBy": self.decided_by,
        }
