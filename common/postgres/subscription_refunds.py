"""Refunds of the platform's invoices; behind the lock of the invoice's subscription."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from common.domain.identifiers import (
    PaymentIntentId,
    RefundId,
    SubscriptionId,
    SubscriptionInvoiceId,
)
from common.domain.money import Currency, Money
from common.domain.refund import RefundStatus
from common.domain.subscription_refund import SubscriptionRefund
from common.ports.subscription_refunds import PendingSubscriptionRefund
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

COLUMNS: Final = (
    "id, subscription_id, invoice_id, processor_payment_id, currency, amount_micro, reason,"
    " requested_at, status, failure_code, settled_at, next_attempt_at, version, trail,"
    " state_digest, surplus_id, made_there, came_back_of"
)

CHANGING: Final = (
    "id status failure_code settled_at next_attempt_at version trail state_digest"
    " processor_payment_id made_there"
)
GET: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM billing_central.subscription_refunds
WHERE tenant_id = billing_central.current_tenant() AND id = $1
"""
ASKED: Final = """
SELECT refunds.tenant_id, refunds.id, refunds.subscription_id, refunds.processor_payment_id,
       processor_invoice_id, refunds.amount_micro, refunds.currency
FROM billing_central.subscription_refunds AS refunds
JOIN billing_central.subscription_invoices AS invoices ON invoices.id = refunds.invoice_id
LEFT JOIN billing_central.subscription_payments AS charges
  ON charges.id = coalesce(surplus_id, paid_by)
WHERE refunds.tenant_id = billing_central.current_tenant()
  AND refunds.id = $1
"""
TO_MAKE: Final = f"{ASKED}  AND refunds.status = 'pending'\n"
MADE_THERE: Final = """
SELECT tenant_id, id, subscription_id
FROM billing_central.subscription_refunds
WHERE tenant_id = billing_central.current_tenant() AND made_there = $1
"""
SURPLUS: Final = """
SELECT tenant_id, id, subscription_id
FROM billing_central.subscription_refunds
WHERE tenant_id = billing_central.current_tenant()
  AND processor_payment_id = $1
  AND surplus_id IS NOT NULL
"""
LYING: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM billing_central.subscription_refunds
WHERE tenant_id = billing_central.current_tenant()
  AND processor_payment_id = $1
  AND came_back_of IS NOT NULL
ORDER BY id
"""
CAME_BACK: Final = """
SELECT tenant_id
FROM billing_central.subscription_refunds
WHERE tenant_id = billing_central.current_tenant() AND came_back_of = $1
"""
PROMISED: Final = """
SELECT tenant_id, sum(amount_micro)::bigint
FROM billing_central.subscription_refunds
WHERE invoice_id = $1 AND status = 'pending' AND surplus_id IS NULL
GROUP BY tenant_id
"""
LEFT_OF_PERIOD: Final = """
SELECT one.tenant_id, sum(beside.total_micro - gone.micro - coalesce(promised.micro, 0))::bigint
FROM billing_central.subscription_invoices AS one
JOIN billing_central.subscription_invoices AS beside
  ON beside.tenant_id = one.tenant_id
  AND beside.subscription_id = one.subscription_id
  AND (beside.id = one.id
    OR beside.period_number = one.period_number
      AND one.purpose IN ('period', 'change')
      AND beside.purpose IN ('period', 'change', 'taken_back'))
CROSS JOIN LATERAL (
  SELECT LEAST(beside.refunded_micro + beside.withheld_micro + beside.lost_micro,
               GREATEST(beside.total_micro, 0)) AS micro
) AS gone
LEFT JOIN LATERAL (
  SELECT sum(amount_micro) AS micro
  FROM billing_central.subscription_refunds
  WHERE invoice_id = beside.id AND status = 'pending' AND surplus_id IS NULL
) AS promised ON true
WHERE one.tenant_id = billing_central.current_tenant()
  AND one.id = $1
  AND (beside.total_micro <= 0 OR beside.given_up_at IS NULL OR beside.paid_at IS NOT NULL)
GROUP BY one.tenant_id
"""
DUE: Final = """
SELECT tenant_id, id
FROM billing_central.subscription_refunds
WHERE tenant_id = billing_central.current_tenant() AND next_attempt_at <= $1
ORDER BY next_attempt_at
LIMIT $2
"""
CHANGE: Final = """
UPDATE billing_central.subscription_refunds
SET status = $2, failure_code = $3, settled_at = $4, next_attempt_at = $5, version = $6,
    trail = $7, state_digest = $8, processor_payment_id = $9, made_there = $10
WHERE id = $1
"""
POSTPONE: Final = """
UPDATE billing_central.subscription_refunds
SET attempts = attempts + 1,
    next_attempt_at = $2::timestamptz + power(2, least(attempts, 6)) * interval '1 minute'
WHERE id = $1 AND status = 'pending'
"""
# Before the charge that came second, which names it.
INSERT_REFUND = Insert.into(ranks.AGGREGATES, "billing_central.subscription_refunds", COLUMNS)
LIST_CARD_PAYMENT = Insert.into(
    ranks.OUTBOX, "billing_central.card_payments", "processor_payment_id, recorded_at"
)


class SubscriptionRefunds:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, refund_id: RefundId) -> SubscriptionRefund:
        return self._desk.loaded(_refund_of(self._desk.rows(GET, refund_id)[0]))

    def find_pending(self, refund_id: RefundId) -> PendingSubscriptionRefund | None:
        rows = self._desk.rows(TO_MAKE, refund_id)
        return _to_make(rows[0]) if rows else None

    def find_asked(self, refund_id: RefundId) -> PendingSubscriptionRefund | None:
        rows = self._desk.rows(ASKED, refund_id)
        return _to_make(rows[0]) if rows else None

    def find_made_there(self, processor_refund_id: str) -> tuple[RefundId, SubscriptionId] | None:
        rows = self._desk.rows(MADE_THERE, processor_refund_id)
        return (RefundId(rows[0][1]), SubscriptionId(rows[0][2])) if rows else None

    def that_came_back(self, processor_payment_id: str) -> Sequence[SubscriptionRefund]:
        rows = self._desk.rows(LYING, processor_payment_id)
        return [self._desk.loaded(_refund_of(row)) for row in rows]

    def has_come_back(self, refund_id: str) -> bool:
        return bool(self._desk.rows(CAME_BACK, refund_id))

    def foresee_surplus(self, processor_payment_id: str) -> None:
        self._desk.foresee(SURPLUS, processor_payment_id)

    def find_surplus(self, processor_payment_id: str) -> tuple[RefundId, SubscriptionId] | None:
        rows = self._desk.rows(SURPLUS, processor_payment_id)
        return (RefundId(rows[0][1]), SubscriptionId(rows[0][2])) if rows else None

    def foresee_promised(self, invoice_id: SubscriptionInvoiceId) -> None:
        self._desk.foresee(PROMISED, invoice_id)
        self._desk.foresee(LEFT_OF_PERIOD, invoice_id)

    def promised(self, invoice_id: SubscriptionInvoiceId, currency: Currency) -> Money:
        rows = self._desk.rows(PROMISED, invoice_id)
        return Money(rows[0][1] if rows else 0, currency)

    def left_of_period(self, invoice_id: SubscriptionInvoiceId, currency: Currency) -> Money:
        rows = self._desk.rows(LEFT_OF_PERIOD, invoice_id)
        return Money(rows[0][1] if rows else 0, currency)

    def due(self, limit: int) -> Sequence[RefundId]:
        return [RefundId(row[1]) for row in self._desk.rows(DUE, self._desk.now, limit)]

    def keep(self, refund: SubscriptionRefund) -> None:
        self._desk.keep(refund, lambda: self._write(refund))

    def list_payment(self, refund: SubscriptionRefund) -> None:
        if refund.surplus_id is None or refund.processor_payment_id is None:
            return
        listed = {
            "processor_payment_id": refund.processor_payment_id,
            "recorded_at": self._desk.now,
        }
        self._desk.insert(LIST_CARD_PAYMENT, [listed])

    def postpone(self, refund_id: RefundId) -> None:
        later = Statement(POSTPONE, (refund_id, self._desk.now))
        self._desk.write(("platform refund asked", refund_id), Write(ranks.DOCUMENT_PARTS, later))

    def _write(self, refund: SubscriptionRefund) -> None:
        row = _row(refund, self._desk.now)
        if refund.is_new:
            refund.is_new = False
            self._desk.insert(INSERT_REFUND, [row])
            return
        values = tuple(row[column] for column in CHANGING.split())
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write((refund.kind, refund.id), change)


def _row(refund: SubscriptionRefund, now: datetime) -> dict[str, Any]:
    return {
        "id": refund.id,
        "subscription_id": refund.subscription_id,
        "invoice_id": refund.invoice_id,
        "processor_payment_id": refund.processor_payment_id,
        "currency": refund.amount.currency,
        "amount_micro": refund.amount.amount_micro,
        "reason": refund.reason,
        "requested_at": refund.requested_at,
        "status": refund.status,
        "failure_code": refund.failure_code,
        "settled_at": refund.settled_at,
        "next_attempt_at": now if refund.is_pending else None,
        "version": refund.version,
        "trail": refund.trail,
        "state_digest": refund.state_digest,
        "surplus_id": refund.surplus_id,
        "made_there": refund.made_there,
        "came_back_of": refund.came_back_of,
    }


def _to_make(row: Row) -> PendingSubscriptionRefund:
    return PendingSubscriptionRefund(
        id=RefundId(row[1]),
        subscription_id=SubscriptionId(row[2]),
        processor_payment_id=row[3],
        processor_invoice_id=row[4],
        paid=Money(row[5], Currency(row[6])),
    )


def _refund_of(row: Row) -> SubscriptionRefund:
    return SubscriptionRefund(
        id=RefundId(row[1]),
        subscription_id=SubscriptionId(row[2]),
        invoice_id=SubscriptionInvoiceId(row[3]),
        processor_payment_id=row[4],
        amount=Money(row[6], Currency(row[5])),
        reason=row[7],
        requested_at=row[8],
        status=RefundStatus(row[9]),
        failure_code=row[10],
        settled_at=row[11],
        version=row[13],
        trail=bytes(row[14]),
        state_digest=bytes(row[15]),
        surplus_id=PaymentIntentId(row[16]) if row[16] else None,
        made_there=row[17],
        came_back_of=row[18],
        is_new=False,
    )
