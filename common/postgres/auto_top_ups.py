"""How accounts of credits are filled up by themselves, and which of them it is time for."""

from collections.abc import Sequence
from typing import Any, Final

from common.domain.auto_top_up import AutoTopUp, AutoTopUpUnknown, TopUpTerms
from common.domain.identifiers import AutoTopUpId, CreditAccountId, StoredMethodId
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

COLUMNS: Final = (
    "id, account_id, account, is_on, threshold_micro, credits_micro, monthly_cap_micro,"
    " payment_method_id, failures, next_attempt_at, set_at, version, trail, state_digest"
)
CHANGING: Final = (
    "id is_on threshold_micro credits_micro monthly_cap_micro payment_method_id failures"
    " next_attempt_at set_at version trail state_digest"
)
GET: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM credit_top_ups
WHERE account_id = (SELECT id FROM credit_accounts WHERE name = $1)
"""
TAKE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM credit_top_ups
WHERE account_id = $1
FOR NO KEY UPDATE
"""
DUE: Final = """
SELECT top_ups.tenant_id, account_id
FROM credit_top_ups AS top_ups
JOIN credit_accounts ON credit_accounts.id = account_id
WHERE next_attempt_at <= $1
  AND is_low
  AND NOT EXISTS (
    SELECT FROM credit_purchases AS running
    WHERE running.account_id = top_ups.account_id
      AND origin = 'top_up'
      AND status IN ('processing', 'requires_action'))
ORDER BY next_attempt_at, account_id
LIMIT $2
"""
CHANGE: Final = """
UPDATE credit_top_ups
SET is_on = $2, threshold_micro = $3, credits_micro = $4, monthly_cap_micro = $5,
    payment_method_id = $6, failures = $7, next_attempt_at = $8, set_at = $9, version = $10,
    trail = $11, state_digest = $12
WHERE id = $1
"""
INSERT_TOP_UP = Insert.into(ranks.AGGREGATES, "credit_top_ups", COLUMNS)


class AutoTopUps:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, account: str) -> AutoTopUp:
        rows = self._desk.rows(GET, account)
        if not rows:
            raise AutoTopUpUnknown()
        return self._desk.loaded(_top_up_of(rows[0]))

    def foresee(self, account_id: CreditAccountId) -> None:
        self._desk.foresee(TAKE, account_id)

    def find(self, account_id: CreditAccountId) -> AutoTopUp | None:
        rows = self._desk.rows(TAKE, account_id)
        return self._desk.loaded(_top_up_of(rows[0])) if rows else None

    def due(self, limit: int) -> Sequence[CreditAccountId]:
        return [CreditAccountId(row[1]) for row in self._desk.rows(DUE, self._desk.now, limit)]

    def keep(self, top_up: AutoTopUp) -> None:
        self._desk.keep(top_up, lambda: self._write(top_up))

    def _write(self, top_up: AutoTopUp) -> None:
        row = _row(top_up)
        if top_up.is_new:
            top_up.is_new = False
            self._desk.insert(INSERT_TOP_UP, [row])
            return
        values = tuple(row[column] for column in CHANGING.split())
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write((top_up.kind, top_up.id), change)


def _row(top_up: AutoTopUp) -> dict[str, Any]:
    return {
        "id": top_up.id,
        "account_id": top_up.account_id,
        "account": top_up.account,
        "is_on": top_up.is_on,
        "threshold_micro": top_up.terms.threshold_micro,
        "credits_micro": top_up.terms.credits_micro,
        "monthly_cap_micro": top_up.terms.monthly_cap_micro,
        "payment_method_id": top_up.method_id,
        "failures": top_up.failures,
        "next_attempt_at": top_up.next_attempt_at,
        "set_at": top_up.set_at,
        "version": top_up.version,
        "trail": top_up.trail,
        "state_digest": top_up.state_digest,
    }


def _top_up_of(row: Row) -> AutoTopUp:
    return AutoTopUp(
        id=AutoTopUpId(row[1]),
        account_id=CreditAccountId(row[2]),
        account=row[3],
        is_on=row[4],
        terms=TopUpTerms(threshold_micro=row[5], credits_micro=row[6], monthly_cap_micro=row[7]),
        method_id=StoredMethodId(row[8]),
        failures=row[9],
        next_attempt_at=row[10],
        set_at=row[11],
        version=row[12],
        trail=bytes(row[13]),
        state_digest=bytes(row[14]),
        is_new=False,
    )
