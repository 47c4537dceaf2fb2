"""How a review reads on the wire: what waits, why, and how it was decided."""

from pydantic import Field

from common.contracts.fields import Amount, Instant
from common.contracts.references import PropertyRef, ReviewRef
from common.contracts.shapes import Outcome, Shape
from common.domain.review import Review
from common.domain.risk import Reason


class ReasonView(Shape):
    """A reason and its points. `found` and `limit` are attempts, or micro units of `currency`;
    `found` is null of a sum that no rate could bring into it. The AI's word is found in ppm."""

    name: str = Field(examples=["card_used_often"])
    points: int
    found: int | None
    limit: int | None
    currency: str | None

    @classmethod
    def of(cls, reason: Reason) -> "ReasonView":
        return cls(
            name=reason.name,
            points=reason.points,
            found=reason.found,
            limit=reason.limit,
            currency=reason.currency,
        )


class ReviewView(Outcome):
    """A review. `subjectId` names what waits, a payment intent or a payout; whoever asked for it or
    prepared it does not decide it. It is `open` until it is decided, and expires at `expiresAt`."""

    review_id: ReviewRef
    property_id: PropertyRef
    subject_kind: str = Field(examples=["payment_intent"])
    subject_id: str = Field(examples=["pin_01K9ZQ0M8Y0000000000000000"])
    amount: Amount
    score: int
    reasons: tuple[ReasonView, ...]
    requested_by: str
    prepared_by: str
    opened_at: Instant
    expires_at: Instant
    status: str = Field(examples=["open"])
    decided_by: str | None
    reason: str | None
    decided_at: Instant | None
    version: int

    @classmethod
    def of(cls, review: Review) -> "ReviewView":
        return cls(
            review_id=review.id,
            property_id=review.property_id,
            subject_kind=review.subject_kind.value,
            subject_id=review.subject_id,
            amount=review.amount,
            score=review.score,
            reasons=tuple(ReasonView.of(reason) for reason in review.reasons),
            requested_by=review.requested_by,
            prepared_by=review.prepared_by,
            opened_at=review.opened_at,
            expires_at=review.expires_at,
            status=review.status.value,
            decided_by=review.decided_by,
            reason=review.reason,
            decided_at=review.decided_at,
            version=review.version,
        )
