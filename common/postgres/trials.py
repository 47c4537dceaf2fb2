"""Trials in the central schema, and the marks of who has had one.

A mark is the platform's, and no tenant reads another's: that it is known is said by the constraint
that it violates, whose it is by nothing. The numbers of the keys are everybody's to read, so the
first column of their rows is the tenant that asks.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from common.domain.identifiers import SubscriptionId
from common.domain.trial import Trial
from common.domain.trial_keys import KeptKeys, Recognition
from common.postgres import ranks
from common.postgres.connection import Statement
from common.postgres.pool import Pool
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk
from common.postgres.subscriptions import tenants_named

COLUMNS: Final = "subscription_id, began_at, ends_at, remind_at"
FIND: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM billing_central.trials
WHERE tenant_id = billing_central.current_tenant()
"""
TO_REMIND: Final = """
SELECT tenant_id, subscription_id
FROM billing_central.trials
WHERE tenant_id = billing_central.current_tenant()
  AND remind_at <= $1
"""
TENANTS_TO_REMIND: Final = """
SELECT tenant_id
FROM billing_central.trials
WHERE remind_at <= $1
ORDER BY tenant_id
"""
KEEP: Final = """
UPDATE billing_central.trials
SET remind_at = $2
WHERE subscription_id = $1
"""
KEPT_KEYS: Final = """
SELECT billing_central.current_tenant(), version, proof
FROM billing_central.trial_keys
"""
# What another key makes of its number is nothing, which `trial_key_stays_what_it_was` refuses.
SAY_KEY: Final = """
INSERT INTO billing_central.trial_keys AS kept (version, proof)
VALUES ($1, $2::bytea)
ON CONFLICT (version) DO UPDATE
SET proof = CASE WHEN kept.proof IN (EXCLUDED.proof, '') THEN EXCLUDED.proof END
"""
INSERT_TRIAL = Insert.into(ranks.LINES, "billing_central.trials", COLUMNS)
INSERT_MARK = Insert.into(
    ranks.DOCUMENT_PARTS,
    "billing_central.trial_marks",
    "subscription_id, kind, key_version, mark, recorded_at",
)


class Trials:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def find(self) -> Trial | None:
        rows = self._desk.rows(FIND)
        if not rows:
            return None
        _, subscription_id, began_at, ends_at, remind_at = rows[0]
        return Trial(
            subscription_id=SubscriptionId(subscription_id),
            began_at=began_at,
            ends_at=ends_at,
            remind_at=remind_at,
        )

    def to_remind(self) -> Sequence[SubscriptionId]:
        return [SubscriptionId(row[1]) for row in self._desk.rows(TO_REMIND, self._desk.now)]

    def foresee_keys(self) -> None:
        self._desk.foresee(KEPT_KEYS)

    def kept_keys(self) -> KeptKeys:
        rows = self._desk.rows(KEPT_KEYS)
        return KeptKeys({row[1]: bytes(row[2]) or None for row in rows})

    def begin(self, trial: Trial, known: Recognition) -> None:
        for key in known.new_keys:
            said = Statement(SAY_KEY, (key.version, f"\\x{key.proof.hex()}"))
            self._desk.write(("trial key", key.version), Write(ranks.PLACES, said))
        self._desk.insert(INSERT_TRIAL, [_row(trial)])
        self._desk.insert(
            INSERT_MARK,
            [
                {
                    "subscription_id": trial.subscription_id,
                    "kind": kind,
                    "key_version": marks.key.version,
                    "mark": mark,
                    "recorded_at": self._desk.now,
                }
                for marks in known.marks
                for kind, mark in marks.by_kind()
            ],
        )

    def keep(self, trial: Trial) -> None:
        kept = Statement(KEEP, (trial.subscription_id, trial.remind_at))
        self._desk.write(("trial", trial.subscription_id), Write(ranks.AGGREGATE_CHANGES, kept))


def _row(trial: Trial) -> dict[str, Any]:
    return {
        "subscription_id": trial.subscription_id,
        "began_at": trial.began_at,
        "ends_at": trial.ends_at,
        "remind_at": trial.remind_at,
    }


def tenants_to_remind(pool: Pool, now: Callable[[], datetime]) -> list[UUID]:
    """The tenants whose trial will end and who were not told; see `tenants_named`."""
    return tenants_named(pool, TENANTS_TO_REMIND, now)
