"""Attempts to pay: counted by what they have in common, over the windows of the rules.

No counter stands anywhere: what a rule asks is one question to one index over the attempts, all of
them in one round trip. An exact rule takes a lock on its subject's value first, in the order of the
locks' numbers: the counts behind it see whoever had it before, and nobody who comes after.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from common.domain.cash_patterns import Suspicion
from common.domain.identifiers import RiskCheckId
from common.domain.money import MAX_AMOUNT_MICRO, Currency, Money
from common.domain.risk import (
    Attempt,
    Course,
    Past,
    Reason,
    RiskRule,
    Stage,
    Subject,
    Weighed,
)
from common.ports.risk import Known
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.session import Insert
from common.postgres.stores import Desk

COLUMNS: Final = (
    "id, stage, intent_id, customer_id, payment_method_id, fingerprint, origin, amount_micro,"
    " currency, score, reasons, course, is_challenged, actor, checked_at"
)
LOCK: Final = """
SELECT billing_central.current_tenant(), pg_advisory_xact_lock($1::bigint)::text
"""
OF_INTENT: Final = """
SELECT tenant_id, stage, payment_method_id, score, reasons, course, is_challenged, actor
FROM risk_checks
WHERE intent_id = $1 AND course <> 'refuse'
"""
ADVICE: Final = """
SELECT tenant_id, score_ppm
FROM ai_signals
WHERE subject IN ($1, (SELECT folio_id FROM payment_intents WHERE id = $1))
  AND pattern = $2
  AND verdict IS DISTINCT FROM 'dismissed'
"""


def _attempts(of_subject: str) -> str:
    """How many attempts of a subject there were within a rule's window, and their sums."""
    return f"""
SELECT tenant_id, currency, count(*), least(sum(amount_micro), {MAX_AMOUNT_MICRO})::bigint
FROM risk_checks
WHERE stage = $1
  AND checked_at > $2::timestamptz - $3 * interval '1 second'
  AND course <> 'refuse'
  AND {of_subject}
GROUP BY tenant_id, currency
"""


BY_BUYER: Final = _attempts("customer_id = $4")
BY_TENANT: Final = _attempts("$4 = ''")
BY_CARD: Final = _attempts("fingerprint = $4")
BY_ADDRESS: Final = _attempts(
    "origin = ANY (ARRAY(SELECT decode(name, 'hex') FROM unnest(string_to_array($4, ' ')) AS name))"
)
COUNTS: Final = {
    Subject.BUYER: BY_BUYER,
    Subject.TENANT: BY_TENANT,
    Subject.CARD: BY_CARD,
    Subject.ADDRESS: BY_ADDRESS,
}
INSERT_CHECK = Insert.into(ranks.DOCUMENT_PARTS, "risk_checks", COLUMNS)


class RiskChecks:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def look(self, attempt: Attempt, rules: Sequence[RiskRule]) -> Known:
        asked = [
            (rule, value) for rule in rules if (value := attempt.value_of(rule.subject)) is not None
        ]
        # By each name of an address: an instance with fewer keys takes one of these locks as well.
        exact = [(rule, name) for rule, value in asked if rule.exact for name in value.split(" ")]
        locks = sorted({self._lock_of(rule, name) for rule, name in exact})
        replies = self._desk.batch(
            *(Statement(LOCK, (number,)) for number in locks),
            Statement(OF_INTENT, (attempt.intent_id,)),
            Statement(ADVICE, (attempt.intent_id, Suspicion.PAYMENT_RISK)),
            *(self._count(attempt.stage, rule, value) for rule, value in asked),
        )
        checks, advices, *counts = replies[len(locks) :]
        return Known(
            earlier=_earlier(attempt, checks),
            past={rule.name: _past(rows) for (rule, _), rows in zip(asked, counts, strict=True)},
            advised_ppm=max((row[1] for row in advices), default=None),
            prepared_by=next((row[7] for row in checks if row[1] == Stage.MADE), None),
        )

    def keep(self, attempt: Attempt, weighed: Weighed) -> None:
        row = {
            "id": self._desk.new_id(RiskCheckId),
            "stage": attempt.stage,
            "intent_id": attempt.intent_id,
            "customer_id": attempt.customer_id,
            "payment_method_id": attempt.method_id,
            "fingerprint": attempt.fingerprint,
            "origin": attempt.origins[0] if attempt.origins else None,
            "amount_micro": attempt.amount.amount_micro,
            "currency": attempt.amount.currency,
            "score": weighed.score,
            "reasons": reasons_as_written(weighed.reasons),
            "course": weighed.course,
            "is_challenged": weighed.is_challenged,
            "actor": self._desk.actor.sub,
            "checked_at": self._desk.now,
        }
        self._desk.insert(INSERT_CHECK, [row])

    def _count(self, stage: Stage, rule: RiskRule, value: str) -> Statement:
        seconds = int(rule.window.total_seconds())
        return Statement(COUNTS[rule.subject], (stage, self._desk.now, seconds, value))

    def _lock_of(self, rule: RiskRule, value: str) -> int:
        """The number of the lock on a subject's value, which is this tenant's."""
        text = f"risk {self._desk.tenant_id} {rule.subject} {value}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


def reasons_as_written(reasons: Sequence[Reason]) -> list[dict[str, Any]]:
    """Reasons as they stand in a column."""
    return [
        {
            "name": reason.name,
            "points": reason.points,
            "found": reason.found,
            "limit": reason.limit,
            "currency": reason.currency,
        }
        for reason in reasons
    ]


def reasons_of(written: Sequence[dict[str, Any]]) -> tuple[Reason, ...]:
    """Reasons as they were written."""
    return tuple(Reason(**each) for each in written)


def _earlier(attempt: Attempt, checks: Sequence[Row]) -> Weighed | None:
    """What this very attempt was found to be: the same payment, from the same method."""
    for row in checks:
        if (row[1], row[2]) == (attempt.stage, attempt.method_id):
            return Weighed(
                score=row[3],
                reasons=reasons_of(row[4]),
                course=Course(row[5]),
                is_challenged=row[6],
            )
    return None


def _past(rows: Sequence[Row]) -> Past:
    return Past(
        count=sum(row[2] for row in rows),
        sums=tuple(Money(row[3], Currency(row[1])) for row in rows),
    )
