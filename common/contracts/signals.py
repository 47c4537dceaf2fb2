"""How a signal reads on the wire: what was found about whom, and what a person made of it."""

from typing import Literal

from common.contracts.fields import Day, Instant
from common.contracts.references import PropertyRef, SignalRef
from common.contracts.shapes import Outcome
from common.domain.signal import Signal


class SignalView(Outcome):
    """A signal. `scorePpm` says how sure it is, from 0 to 1,000,000; `figures` are its reason.

    It is about a person, the `actor`, or about the folio, payment or refund that is its `subject`.
    """

    signal_id: SignalRef
    property_id: PropertyRef
    business_date: Day
    pattern: str
    actor: str | None
    subject: str | None
    score_ppm: int
    figures: dict[str, int]
    source: str
    raised_at: Instant
    verdict: Literal["confirmed", "dismissed"] | None
    reviewed_by: str | None
    review_note: str | None
    reviewed_at: Instant | None

    @classmethod
    def of(cls, signal: Signal) -> "SignalView":
        review = signal.review
        return cls(
            signal_id=signal.id,
            property_id=signal.property_id,
            business_date=signal.business_date,
            pattern=signal.finding.pattern.value,
            actor=signal.finding.actor,
            subject=signal.finding.subject,
            score_ppm=signal.finding.score_ppm,
            figures=signal.finding.figures,
            source=signal.source,
            raised_at=signal.raised_at,
            verdict=review.verdict.value if review else None,
            reviewed_by=review.by if review else None,
            review_note=review.note if review else None,
            reviewed_at=review.at if review else None,
        )
