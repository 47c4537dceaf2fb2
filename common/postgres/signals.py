"""Signals about cash, the figures that they come from, and the days that were looked at."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from common.domain.cash_patterns import QUICK, ActorFigures, Finding, Pattern, Suspicion, first_day
from common.domain.identifiers import PropertyId, SignalId
from common.domain.signal import Review, Signal, SignalUnknown, Verdict
from common.ports.paging import Page
from common.ports.signals import SignalFilter
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, held_properties

COLUMNS: Final = (
    "id, property_id, business_date, pattern, actor, score_ppm, figures, source, raised_at,"
    " verdict, reviewed_by, review_note, reviewed_at, version, trail, state_digest, subject"
)
TAKE: Final = f"SELECT tenant_id, {COLUMNS} FROM ai_signals WHERE id = $1 FOR NO KEY UPDATE"
PAGE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM ai_signals
WHERE id > $1
  AND property_id = ANY ($2::uuid[])
  AND ($3::text IS NULL OR pattern = $3)
  AND ($4::boolean IS NULL OR (verdict IS NOT NULL) = $4)
ORDER BY id
LIMIT $5
"""
DAYS: Final = """
SELECT night_audits.tenant_id, property_id, business_date
FROM night_audits
LEFT JOIN cash_scans USING (property_id, business_date)
WHERE scanned_at IS NULL
ORDER BY business_date, property_id
LIMIT $1
"""
LOOKED_AT: Final = "SELECT tenant_id FROM cash_scans WHERE property_id = $1 AND business_date = $2"
KNOWN: Final = """
SELECT tenant_id, pattern, actor
FROM ai_signals
WHERE property_id = $1
  AND business_date BETWEEN $2 AND $3
  AND actor IS NOT NULL
GROUP BY tenant_id, pattern, actor
"""
# Each thing that somebody did, one by one: a variance with its amount, everything else counts one.
FIGURES: Final = """
SELECT cash_sessions.tenant_id, closed_by, 'variance', (
         SELECT coalesce(sum(CASE part WHEN 'count' THEN micro ELSE -micro END), 0)::bigint
         FROM (
           SELECT 'count' AS part, (value ->> 'amountMicro')::bigint AS micro,
                  value ->> 'currency' AS currency
           FROM jsonb_array_elements(count)
           UNION ALL
           SELECT 'expected', (value ->> 'amountMicro')::bigint, value ->> 'currency'
           FROM jsonb_array_elements(expected)
         ) AS amounts
         WHERE currency = $4)
FROM cash_sessions
WHERE property_id = $1
  AND business_date BETWEEN $2 AND $3
  AND status IN ('closed', 'acknowledged')
UNION ALL
SELECT tenant_id, opened_by, 'session', 1
FROM cash_sessions
WHERE property_id = $1
  AND business_date BETWEEN $2 AND $3
UNION ALL
SELECT cash_movements.tenant_id, actor, 'paid_out', 1
FROM cash_movements
JOIN cash_sessions ON cash_sessions.id = session_id
WHERE property_id = $1
  AND cash_movements.business_date BETWEEN $2 AND $3
  AND kind = 'paid_out'
UNION ALL
SELECT payments.tenant_id, actor, 'payment', 1
FROM payments
JOIN cash_sessions ON cash_sessions.id = cash_session_id
JOIN folio_lines ON folio_lines.id = payments.id
WHERE cash_sessions.property_id = $1
  AND payments.business_date BETWEEN $2 AND $3
UNION ALL
SELECT refunds.tenant_id, confirmed_by, 'quick_refund', 1
FROM refunds
JOIN payments ON payments.id = payment_id
JOIN cash_sessions ON cash_sessions.id = refunds.cash_session_id
WHERE cash_sessions.property_id = $1
  AND refunds.business_date BETWEEN $2 AND $3
  AND refunds.occurred_at - payments.occurred_at < $5 * interval '1 second'
"""
IS_RAISED: Final = "SELECT tenant_id FROM ai_signals WHERE subject = $1 AND pattern = $2"
CHANGE: Final = """
UPDATE ai_signals
SET verdict = $2, reviewed_by = $3, review_note = $4, reviewed_at = $5, version = $6, trail = $7,
    state_digest = $8
WHERE id = $1
"""
CHANGING: Final = (
    "id",
    "verdict",
    "reviewed_by",
    "review_note",
    "reviewed_at",
    "version",
    "trail",
    "state_digest",
)
INSERT_SIGNAL = Insert.into(ranks.AGGREGATES, "ai_signals", COLUMNS)
INSERT_LOOK = Insert.into(
    ranks.DOCUMENTS, "cash_scans", "property_id, business_date, source, scanned_at"
)


class Signals:
    """The signals of a tenant, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def days_to_look_at(self, limit: int) -> Sequence[tuple[PropertyId, date]]:
        return [(PropertyId(row[1]), row[2]) for row in self._desk.rows(DAYS, limit)]

    def figures(self, property_id: PropertyId, on: date) -> Sequence[ActorFigures]:
        currency = self._desk.settings.property(property_id).currency
        rows = self._desk.rows(
            FIGURES, property_id, first_day(on), on, currency, int(QUICK.total_seconds())
        )
        done: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for _, actor, what, value in rows:
            done[actor][what].append(value)
        return [
            ActorFigures(
                actor=actor,
                variances=tuple(each["variance"]),
                sessions=len(each["session"]),
                paid_outs=len(each["paid_out"]),
                payments=len(each["payment"]),
                quick_refunds=len(each["quick_refund"]),
            )
            for actor, each in sorted(done.items())
        ]

    def known(self, property_id: PropertyId, on: date) -> frozenset[tuple[Pattern, str]]:
        rows = self._desk.rows(KNOWN, property_id, first_day(on), on)
        return frozenset((Pattern(row[1]), row[2]) for row in rows)

    def is_looked_at(self, property_id: PropertyId, on: date) -> bool:
        return bool(self._desk.rows(LOOKED_AT, property_id, on))

    def is_raised(self, pattern: Suspicion, subject: str) -> bool:
        return bool(self._desk.rows(IS_RAISED, subject, pattern))

    def take(self, signal_id: SignalId) -> Signal:
        rows = self._desk.rows(TAKE, signal_id)
        if not rows:
            raise SignalUnknown()
        signal = _signal_of(rows[0])
        if not self._desk.actor.holds(signal.property_id):
            raise SignalUnknown()
        return self._desk.loaded(signal)

    def page(self, which: SignalFilter, limit: int, cursor: str | None) -> Page[Signal]:
        rows = self._desk.rows(
            PAGE,
            key_of(cursor),
            held_properties(self._desk, which.property_id),
            which.pattern,
            which.reviewed,
            limit + 1,
        )
        signals = tuple(_signal_of(row) for row in rows[:limit])
        return Page(signals, next_cursor([row[1] for row in rows], limit))

    def keep(self, signal: Signal) -> None:
        self._desk.keep(signal, lambda: self._write(signal))

    def keep_look(self, property_id: PropertyId, on: date, source: str) -> None:
        look = {
            "property_id": property_id,
            "business_date": on,
            "source": source,
            "scanned_at": self._desk.now,
        }
        self._desk.insert(INSERT_LOOK, [look])

    def _write(self, signal: Signal) -> None:
        row = _row(signal)
        if signal.is_new:
            signal.is_new = False
            self._desk.insert(INSERT_SIGNAL, [row])
            return
        changed = tuple(row[name] for name in CHANGING)
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, changed))
        self._desk.write((signal.kind, signal.id), change)


def _row(signal: Signal) -> dict[str, Any]:
    review = signal.review
    return {
        "id": signal.id,
        "property_id": signal.property_id,
        "business_date": signal.business_date,
        "pattern": signal.finding.pattern,
        "actor": signal.finding.actor,
        "score_ppm": signal.finding.score_ppm,
        "figures": signal.finding.figures,
        "source": signal.source,
        "raised_at": signal.raised_at,
        "verdict": review and review.verdict,
        "reviewed_by": review and review.by,
        "review_note": review and review.note,
        "reviewed_at": review and review.at,
        "version": signal.version,
        "trail": signal.trail,
        "state_digest": signal.state_digest,
        "subject": signal.finding.subject,
    }


def _signal_of(row: Row) -> Signal:
    pattern = Suspicion(row[4]) if row[17] else Pattern(row[4])
    finding = Finding(
        pattern=pattern, actor=row[5], score_ppm=row[6], figures=row[7], subject=row[17]
    )
    reviewed = row[10] is not None
    return Signal(
        id=SignalId(row[1]),
        property_id=PropertyId(row[2]),
        business_date=row[3],
        finding=finding,
        source=row[8],
        raised_at=row[9],
        review=Review(verdict=Verdict(row[10]), by=row[11], note=row[12], at=row[13])
        if reviewed
        else None,
        version=row[14],
        trail=bytes(row[15]),
        state_digest=bytes(row[16]),
        is_new=False,
    )
