"""What is told of reviews: what waits for a person, and that it was decided; not why it waits."""

from typing import TYPE_CHECKING, Any, Final

from common.contracts.event import EventData
from common.contracts.fields import Amount, Instant
from common.contracts.references import PropertyRef, ReviewRef

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.review import Review, ReviewDecided, ReviewOpened


class ReviewOpenedV1(EventData):
    """Something waits for a person until `expiresAt`; `score` is from 0 to 100."""

    fact = "review.opened"
    review_id: ReviewRef
    property_id: PropertyRef
    subject_kind: str
    subject_id: str
    amount: Amount
    score: int
    expires_at: Instant

    @classmethod
    def of(cls, fact: "ReviewOpened") -> "ReviewOpenedV1":
        review = fact.subject
        return cls(**_shared(review), score=review.score, expires_at=review.expires_at)


class ReviewDecidedV1(EventData):
    """`status` is approved, refused, or expired: nobody decided it in time."""

    fact = "review.decided"
    review_id: ReviewRef
    property_id: PropertyRef
    subject_kind: str
    subject_id: str
    amount: Amount
    status: str

    @classmethod
    def of(cls, fact: "ReviewDecided") -> "ReviewDecidedV1":
        return cls(**_shared(fact.subject), status=fact.subject.status.value)


def _shared(review: "Review") -> dict[str, Any]:
    return {
        "review_id": review.id,
        "property_id": review.property_id,
        "subject_kind": review.subject_kind.value,
        "subject_id": review.subject_id,
        "amount": review.amount,
    }


REVIEW_EVENTS: Final = (ReviewOpenedV1, ReviewDecidedV1)
