"""Reviews: what waits for a person, and how it was decided."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

from common.domain.identifiers import PropertyId, ReviewId
from common.domain.money import Currency, Money
from common.domain.review import Review, ReviewStatus, ReviewUnknown, SubjectKind
from common.ports.paging import Page
from common.ports.risk import ReviewFilter
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.risk_checks import reasons_as_written, reasons_of
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, held_properties

COLUMNS: Final = (
    "id, property_id, subject_kind, subject_id, amount_micro, currency, score, reasons,"
    " requested_by, prepared_by, opened_at, expires_at, status, decided_by, reason, decided_at,"
    " version, trail, state_digest"
)
GET: Final = f"SELECT tenant_id, {COLUMNS} FROM reviews WHERE id = $1"
TAKE: Final = f"{GET} FOR NO KEY UPDATE"
PAGE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM reviews
WHERE id > $1
  AND property_id = ANY ($2::uuid[])
  AND ($3::text IS NULL OR status = $3)
  AND ($4::timestamptz IS NULL OR opened_at < $4)
ORDER BY id
LIMIT $5
"""
DUE: Final = """
SELECT tenant_id, id
FROM reviews
WHERE status = 'open' AND expires_at <= $1
ORDER BY expires_at
LIMIT $2
"""
CHANGE: Final = """
UPDATE reviews
SET status = $2, decided_by = $3, reason = $4, decided_at = $5, version = $6, trail = $7,
    state_digest = $8
WHERE id = $1
"""
INSERT_REVIEW = Insert.into(ranks.AGGREGATES, "reviews", COLUMNS)


class Reviews:
    """The reviews of a tenant, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, review_id: ReviewId) -> Review:
        return self._known(self._desk.rows(GET, review_id))

    def take(self, review_id: ReviewId) -> Review:
        return self._known(self._desk.rows(TAKE, review_id))

    def page(self, which: ReviewFilter, limit: int, cursor: str | None) -> Page[Review]:
        before = which.opened_before
        rows = self._desk.rows(
            PAGE,
            key_of(cursor),
            held_properties(self._desk, which.property_id),
            which.status,
            before and before.astimezone(UTC),  # the server knows no zone beyond 15:59
            limit + 1,
        )
        reviews = tuple(_review_of(row) for row in rows[:limit])
        return Page(reviews, next_cursor([row[1] for row in rows], limit))

    def due(self, limit: int) -> Sequence[ReviewId]:
        return [ReviewId(row[1]) for row in self._desk.rows(DUE, self._desk.now, limit)]

    def keep(self, review: Review) -> None:
        self._desk.keep(review, lambda: self._write(review))

    def _known(self, rows: Sequence[Row]) -> Review:
        """The review that was read. One of another property is as unknown as none."""
        if not rows:
            raise ReviewUnknown()
        review = _review_of(rows[0])
        if not self._desk.actor.holds(review.property_id):
            raise ReviewUnknown()
        return self._desk.loaded(review)

    def _write(self, review: Review) -> None:
        row = _row(review)
        if review.is_new:
            review.is_new = False
            self._desk.insert(INSERT_REVIEW, [row])
            return
        changing = "id status decided_by reason decided_at version trail state_digest"
        values = tuple(row[column] for column in changing.split())
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write((review.kind, review.id), change)


def _row(review: Review) -> dict[str, Any]:
    return {
        "id": review.id,
        "property_id": review.property_id,
        "subject_kind": review.subject_kind,
        "subject_id": review.subject_id,
        "amount_micro": review.amount.amount_micro,
        "currency": review.amount.currency,
        "score": review.score,
        "reasons": reasons_as_written(review.reasons),
        "requested_by": review.requested_by,
        "prepared_by": review.prepared_by,
        "opened_at": review.opened_at,
        "expires_at": review.expires_at,
        "status": review.status,
        "decided_by": review.decided_by,
        "reason": review.reason,
        "decided_at": review.decided_at,
        "version": review.version,
        "trail": review.trail,
        "state_digest": review.state_digest,
    }


def _review_of(row: Row) -> Review:
    return Review(
        id=ReviewId(row[1]),
        property_id=PropertyId(row[2]),
        subject_kind=SubjectKind(row[3]),
        subject_id=row[4],
        amount=Money(row[5], Currency(row[6])),
        score=row[7],
        reasons=reasons_of(row[8]),
        requested_by=row[9],
        prepared_by=row[10],
        opened_at=row[11],
        expires_at=row[12],
        status=ReviewStatus(row[13]),
        decided_by=row[14],
        reason=row[15],
        decided_at=row[16],
        version=row[17],
        trail=bytes(row[18]),
        state_digest=bytes(row[19]),
        is_new=False,
    )
