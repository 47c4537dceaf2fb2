"""Subscriptions in the central schema, the invoices of the platform, and the series of these.

A transaction works for one tenant, whoever acts: its role sees this tenant's rows here and no
others (TEN-3), and the trail, the answer and the events stand where the tenant's always do. The
series is the platform's: one row a year that all tenants' invoices are numbered by.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from common.domain.identifiers import SubscriptionId, SubscriptionInvoiceId
from common.domain.plan import PlanVersion
from common.domain.subscription import Subscription, SubscriptionUnknown
from common.domain.subscription_history import HistoryEntry
from common.domain.subscription_invoice import (
    PlatformSeries,
    SubscriptionInvoice,
    SubscriptionInvoiceUnknown,
)
from common.ports.paging import Page
from common.ports.transactions import DatabaseUnavailable
from common.postgres import ranks
from common.postgres.connection import ConnectionLost, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.plans import COLUMNS as PLAN_COLUMNS
from common.postgres.plans import version_of
from common.postgres.platform_taxes import declare
from common.postgres.pool import Pool
from common.postgres.reading_ahead import STANDING
from common.postgres.session import Insert, Write, as_json
from common.postgres.stores import Desk
from common.postgres.subscription_rows import (
    CHANGING,
    COLUMNS,
    COUNTED,
    COUNTING,
    ENTRY_COLUMNS,
    INVOICE_COLUMNS,
    INVOICE_READ,
    MOVEMENT_COLUMNS,
    PLANS,
    READ,
    entry_rows,
    invoice_of,
    invoice_row,
    movement_row,
    series_of,
    subscription_of,
    subscription_row,
)

WHOLE: Final = f"""subscriptions.tenant_id, {READ}, {PLANS}, {COUNTED}
FROM billing_central.subscriptions
JOIN billing_central.plan_versions AS now_on ON now_on.id = version_id
LEFT JOIN billing_central.plan_versions AS then_on ON then_on.id = next_version_id
LEFT JOIN billing_central.subscription_invoices AS billed
  ON billed.subscription_id = subscriptions.id
  AND billed.period_number = subscriptions.period_number AND billed.purpose = 'period'{COUNTING}"""
"""Subscriptions with all that is read of them."""
GET: Final = f"""
SELECT {WHOLE}
WHERE subscriptions.tenant_id = billing_central.current_tenant()
ORDER BY canceled_at DESC NULLS FIRST
LIMIT 1
"""
ON_PLAN: Final = f"""
SELECT tenant_id, {", ".join(f"on_plan.{each.strip()}" for each in PLAN_COLUMNS.split(","))}
FROM billing_central.subscriptions
JOIN billing_central.plan_versions AS on_plan ON on_plan.id = version_id
WHERE tenant_id = billing_central.current_tenant()
ORDER BY canceled_at DESC NULLS FIRST
LIMIT 1
"""
GET_BY_ID: Final = f"""
SELECT {WHOLE}
WHERE subscriptions.tenant_id = billing_central.current_tenant() AND subscriptions.id = $1
"""
LATELY: Final = f"""subscriptions.tenant_id = billing_central.current_tenant()
  AND (canceled_at IS NULL OR canceled_at > $1 OR subscriptions.id = {STANDING})"""
"""The subscription that stands or did so last, and those that have ended since."""
GET_LATELY: Final = f"""
SELECT {WHOLE}
WHERE {LATELY}
ORDER BY canceled_at DESC NULLS FIRST
"""
# The lock is a statement of its own: the question behind it sees what its holder before has left,
# where a join that waits would hold the changed row against the plan that it had before.
TAKE: Final = """
SELECT tenant_id
FROM billing_central.subscriptions
WHERE tenant_id = billing_central.current_tenant()
ORDER BY id
FOR NO KEY UPDATE
"""
GRANTED: Final = """
SELECT billing_central.current_tenant(), coalesce(sum(granted_micro - coalesce(back, 0)), 0)::bigint
FROM billing_central.subscriptions AS ended
JOIN credit_lots AS lots
  ON lots.tenant_id = ended.tenant_id
  AND source_key = concat('renewal:', ended.id, ':',
    to_char(period_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'))
LEFT JOIN LATERAL (
  SELECT sum(asked_micro) AS back
  FROM credit_claw_backs AS claws
  WHERE claws.tenant_id = lots.tenant_id
    AND lot_id = lots.id
    AND NOT EXISTS (
      SELECT FROM credit_claw_back_reversals AS reversals
      WHERE reversals.tenant_id = claws.tenant_id AND reversals.source_key = claws.source_key)
) AS taken ON true
WHERE ended.tenant_id = billing_central.current_tenant()
  AND canceled_at IS NOT NULL
  AND period_end > $1
"""
DUE: Final = """
SELECT tenant_id, period_number
FROM billing_central.subscriptions
WHERE tenant_id = billing_central.current_tenant()
  AND due_at <= $1
"""
DUE_TENANTS: Final = """
SELECT tenant_id
FROM billing_central.subscriptions
WHERE due_at <= $1
GROUP BY tenant_id
ORDER BY tenant_id
"""
HISTORY: Final = """
SELECT tenant_id, action, actor, reason, occurred_at
FROM audit_entries
WHERE aggregate_kind = 'subscription' AND aggregate_id = $1
ORDER BY sequence
"""
KEEP: Final = f"""
UPDATE billing_central.subscriptions AS kept
SET ({CHANGING}) = (
  SELECT {CHANGING}
  FROM jsonb_populate_record(NULL::billing_central.subscriptions, $2::jsonb)
)
WHERE id = $1
"""
BEGIN_SERIES: Final = """
INSERT INTO billing_central.subscription_series (year, last_number)
VALUES ($1, 0)
ON CONFLICT DO NOTHING
"""
TAKE_SERIES: Final = """
SELECT billing_central.current_tenant(), last_number, last_sha256
FROM billing_central.subscription_series
WHERE year = $1
FOR NO KEY UPDATE
"""
KEEP_SERIES: Final = """
UPDATE billing_central.subscription_series
SET last_number = $2, last_sha256 = $3
WHERE year = $1
"""
GET_INVOICE: Final = f"""
SELECT tenant_id, {INVOICE_READ}
FROM billing_central.subscription_invoices
WHERE tenant_id = billing_central.current_tenant() AND id = $1
"""
PAGE: Final = f"""
SELECT tenant_id, {INVOICE_READ}
FROM billing_central.subscription_invoices
WHERE tenant_id = billing_central.current_tenant() AND id > $1
ORDER BY id
LIMIT $2
"""
INSERT_SUBSCRIPTION = Insert.into(ranks.AGGREGATES, "billing_central.subscriptions", COLUMNS)
INSERT_INVOICE = Insert.into(
    ranks.DOCUMENTS, "billing_central.subscription_invoices", INVOICE_COLUMNS
)
INSERT_MOVEMENT = Insert.into(ranks.LEDGER, "billing_central.revenue_movements", MOVEMENT_COLUMNS)
INSERT_ENTRY = Insert.into(ranks.LEDGER, "billing_central.platform_entries", ENTRY_COLUMNS)


class Subscriptions:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def find(self) -> Subscription | None:
        _, rows = self._desk.batch(Statement(TAKE), Statement(GET))
        if not rows:
            return None
        subscription = self._desk.loaded(subscription_of(rows[0][1:]))
        self._desk.know(subscription)
        return subscription

    def get(self) -> Subscription:
        rows = self._desk.rows(GET)
        if not rows:
            raise SubscriptionUnknown()
        return self._desk.loaded(subscription_of(rows[0][1:]))

    def get_with_plan(self) -> tuple[Subscription, PlanVersion]:
        found, on_plan = self._desk.batch(Statement(GET), Statement(ON_PLAN))
        if not found:
            raise SubscriptionUnknown()
        subscription = self._desk.loaded(subscription_of(found[0][1:]))
        return subscription, version_of(on_plan[0][1:])

    def take(self) -> Subscription:
        found = self.find()
        if found is None:
            raise SubscriptionUnknown()
        return found

    def take_by_id(self, subscription_id: SubscriptionId) -> Subscription:
        _, rows = self._desk.batch(Statement(TAKE), Statement(GET_BY_ID, (subscription_id,)))
        if not rows:
            raise SubscriptionUnknown()
        return self._desk.loaded(subscription_of(rows[0][1:]))

    def foresee_granted(self) -> None:
        self._desk.foresee(GRANTED, self._desk.now)

    def granted_micro(self) -> int:
        granted: int = self._desk.rows(GRANTED, self._desk.now)[0][1]
        return granted

    def due(self, on: date | None) -> Sequence[int]:
        until = self._desk.now
        if on is not None:
            until = min(until, datetime.combine(on + timedelta(days=1), time.min, UTC))
        return [row[1] for row in self._desk.rows(DUE, until)]

    def history(self, subscription: Subscription) -> Sequence[HistoryEntry]:
        rows = self._desk.rows(HISTORY, subscription.id)
        return [
            HistoryEntry(action=row[1], actor=row[2], reason=row[3], occurred_at=row[4])
            for row in rows
        ]

    def keep(self, subscription: Subscription) -> None:
        self._desk.keep(subscription, lambda: self._write(subscription))

    def foresee_series(self, year: int) -> None:
        self._desk.foresee(BEGIN_SERIES, year)
        self._desk.foresee(TAKE_SERIES, year)

    def take_series(self, year: int) -> PlatformSeries:
        self.foresee_series(year)
        return series_of(year, self._desk.rows(TAKE_SERIES, year)[0])

    def keep_invoice(self, invoice: SubscriptionInvoice, series: PlatformSeries) -> None:
        self._desk.insert(INSERT_INVOICE, [invoice_row(invoice)])
        declare(invoice, self._desk)
        self._desk.insert(INSERT_ENTRY, entry_rows(invoice))
        moved = Statement(KEEP_SERIES, (series.year, series.last_number, series.last_sha256))
        self._desk.write(
            ("subscription_series", series.year), Write(ranks.AGGREGATE_CHANGES, moved)
        )

    def foresee_invoice(self, invoice_id: SubscriptionInvoiceId) -> None:
        self._desk.foresee(GET_INVOICE, invoice_id)

    def get_invoice(self, invoice_id: SubscriptionInvoiceId) -> SubscriptionInvoice:
        rows = self._desk.rows(GET_INVOICE, invoice_id)
        if not rows:
            raise SubscriptionInvoiceUnknown()
        return invoice_of(rows[0][1:])

    def page(self, limit: int, cursor: str | None) -> Page[SubscriptionInvoice]:
        rows = self._desk.rows(PAGE, key_of(cursor), limit + 1)
        found = tuple(invoice_of(row[1:]) for row in rows[:limit])
        return Page(found, next_cursor([row[1] for row in rows], limit))

    def _write(self, subscription: Subscription) -> None:
        row = subscription_row(subscription)
        self._write_movement(subscription)
        if subscription.is_new:
            subscription.is_new = False
            self._desk.insert(INSERT_SUBSCRIPTION, [row])
            return
        kept = Statement(KEEP, (subscription.id, as_json(row)))
        self._desk.write((subscription.kind, subscription.id), Write(ranks.AGGREGATE_CHANGES, kept))

    def _write_movement(self, subscription: Subscription) -> None:
        """Whoever changes a subscription writes down what that did to its worth (ANA-1)."""
        moved = subscription.count(self._desk.now)
        if moved is not None:
            self._desk.insert(INSERT_MOVEMENT, [movement_row(moved)])


def due_tenants(pool: Pool, now: Callable[[], datetime]) -> list[UUID]:
    """The tenants whose period is over; see `tenants_named`."""
    return tenants_named(pool, DUE_TENANTS, now)


def tenants_named(pool: Pool, sql: str, now: Callable[[], datetime]) -> list[UUID]:
    """The tenants for whom something is due, but for those that are being moved or archived: what
    was written of one meanwhile would be left behind. Asked by the jobs' login. Raises
    DatabaseUnavailable."""
    with pool.connection() as connection:
        try:
            rows = connection.run(
                [
                    Statement("BEGIN READ ONLY"),
                    Statement(_here(sql), (now(),)),
                    Statement("COMMIT"),
                ]
            )[1]
        except ConnectionLost as lost:
            raise DatabaseUnavailable("the subscriptions cannot be reached") from lost
    return [row[0] for row in rows]


def _here(due: str) -> str:
    """Of the tenants that a question names, those whom nobody moves or has archived."""
    return f"""
SELECT due.tenant_id
FROM ({due}) AS due
LEFT JOIN billing_central.tenants AS tenant ON tenant.tenant_id = due.tenant_id
WHERE coalesce(tenant.status, 'active') = 'active'
ORDER BY due.tenant_id
"""
