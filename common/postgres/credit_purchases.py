"""Purchases of credits, those of which something is still to become, and what was booked of them.

Whoever changes one locks it first and the account of credits behind it. What is still under way is
summed under the account's lock, as a statement of its own: it sees what others have left there.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from common.domain.charge_ids import invoices_charged_as
from common.domain.credit_purchase import (
    CreditPurchase,
    CreditPurchaseUnknown,
    PurchaseOrigin,
)
from common.domain.credit_sales import SaleEntry
from common.domain.identifiers import (
    CreditAccountId,
    CustomerId,
    PaymentIntentId,
    StoredMethodId,
)
from common.domain.money import Currency, Money
from common.domain.prepaid_reconciliation import PurchaseDifferences
from common.domain.processor_payment import PaymentStatus
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

FIRST_ATTEMPT_WITHIN: Final = timedelta(minutes=1)
"""So long whoever asked the processor has for an answer, before a job asks."""

COLUMNS: Final = (
    "id, account_id, account, customer_id, payment_method_id, origin, credits_micro, amount_micro,"
    " currency, status, confirmed_at, processor_payment_id, failure_code, created_at, changed_at,"
    " version, trail, state_digest"
)
CHANGING: Final = (
    "id status confirmed_at processor_payment_id failure_code changed_at version trail state_digest"
)
GET: Final = f"SELECT tenant_id, {COLUMNS} FROM credit_purchases WHERE id = $1"
TAKE: Final = f"{GET} FOR NO KEY UPDATE"
# A payment of a folio of this id, or an invoice of which a charge may have it.
OTHERS: Final = """
SELECT tenant_id FROM payment_intents WHERE id = $1
UNION ALL
SELECT tenant_id
FROM billing_central.subscription_invoices
WHERE tenant_id = billing_central.current_tenant() AND id BETWEEN $2 AND $3
"""
PAID_BY: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM credit_purchases
WHERE processor_payment_id = $1
FOR NO KEY UPDATE
"""
UNDER_WAY: Final = """
SELECT tenant_id, sum(credits_micro)::bigint
FROM credit_purchases
WHERE account_id = $1
  AND status IN ('processing', 'requires_action')
GROUP BY tenant_id
"""
TOPPED_UP: Final = """
SELECT tenant_id, sum(credits_micro)::bigint
FROM credit_purchases
WHERE account_id = $1
  AND created_at >= $2
  AND origin = 'top_up'
  AND status NOT IN ('failed', 'canceled')
GROUP BY tenant_id
"""
TOPPING_UP: Final = """
SELECT tenant_id, id
FROM credit_purchases
WHERE account_id = $1
  AND origin = 'top_up'
  AND status IN ('processing', 'requires_action')
"""
DUE: Final = """
SELECT tenant_id, purchase_id
FROM credit_purchase_queue
WHERE next_attempt_at <= $1
ORDER BY next_attempt_at
LIMIT $2
"""
# One statement, and so one moment: a purchase is paid, granted and booked by one commit.
DIFFERENCES: Final = """
SELECT billing_central.current_tenant(),
  (SELECT coalesce(jsonb_agg(id ORDER BY id), '[]')
   FROM credit_purchases
   WHERE status = 'succeeded'
     AND NOT EXISTS (
       SELECT FROM credit_lots
       WHERE source_key = concat('purchase:', credit_purchases.id))),
  (SELECT coalesce(jsonb_agg(paid.id ORDER BY paid.id), '[]')
   FROM credit_purchases AS paid
   JOIN credit_lots AS lots ON source_key = concat('purchase:', paid.id)
   JOIN LATERAL (
     SELECT coalesce(sum(CASE debit_account WHEN 'credits_sold' THEN amount_micro
              ELSE -amount_micro END), 0) AS back
     FROM credit_sale_entries AS sales
     WHERE purchase_id = paid.id
       AND source <> source_key) AS went ON true
   WHERE div(paid.credits_micro::numeric * least(back, paid.amount_micro), paid.amount_micro) > (
     SELECT coalesce(sum(asked_micro), 0)
     FROM credit_claw_backs AS claws
     WHERE lot_id = lots.id
       AND NOT EXISTS (
         SELECT FROM credit_claw_back_reversals AS reversals
         WHERE reversals.source_key = claws.source_key))),
  (SELECT count(*)
   FROM credit_lots
   WHERE source = 'purchase'
     AND source_key ~ '^purchase:pin_[0-9A-HJKMNP-TV-Z]{26}$'
     AND NOT EXISTS (
       SELECT FROM credit_purchases AS paid
       WHERE concat('purchase:', paid.id) = source_key
         AND status = 'succeeded'
         AND paid.credits_micro = granted_micro)),
  (SELECT count(*)
   FROM credit_purchases AS paid
   LEFT JOIN credit_sale_entries AS sales
     ON source = concat('purchase:', paid.id)
   WHERE (status = 'succeeded') IS DISTINCT FROM (sales.source IS NOT NULL)
      OR (sales.amount_micro, sales.currency) IS DISTINCT FROM
           (CASE WHEN status = 'succeeded' THEN paid.amount_micro END,
            CASE WHEN status = 'succeeded' THEN paid.currency END))
"""
CHANGE: Final = """
UPDATE credit_purchases
SET status = $2, confirmed_at = $3, processor_payment_id = $4, failure_code = $5, changed_at = $6,
    version = $7, trail = $8, state_digest = $9
WHERE id = $1
"""
PUT: Final = """
INSERT INTO credit_purchase_queue (purchase_id, attempts, next_attempt_at, queued_at)
VALUES ($1, 0, $2, $3)
ON CONFLICT ON CONSTRAINT purchase_waits_once DO NOTHING
"""
DONE: Final = "DELETE FROM credit_purchase_queue WHERE purchase_id = $1"
POSTPONE: Final = """
UPDATE credit_purchase_queue
SET attempts = attempts + 1,
    next_attempt_at = $2::timestamptz + power(2, least(attempts, 6)) * interval '1 minute'
WHERE purchase_id = $1
"""
BOOKED: Final = """
SELECT tenant_id, part, amount_micro, currency
FROM credit_sale_entries
WHERE source = $1
ORDER BY part
"""
TAKEN_BACK: Final = """
SELECT tenant_id,
       sum(CASE debit_account WHEN 'credits_sold' THEN amount_micro ELSE -amount_micro END)::bigint
FROM credit_sale_entries
WHERE purchase_id = $1
  AND source <> concat('purchase:', purchase_id)
GROUP BY tenant_id
"""
UNTAKEN: Final = """
SELECT tenant_id, source
FROM credit_sale_entries AS gone
WHERE purchase_id = $1
  AND source <> concat('purchase:', purchase_id)
  AND part = 0
  AND NOT EXISTS (SELECT FROM credit_claw_backs AS claws WHERE claws.source_key = gone.source)
  AND NOT EXISTS (
    SELECT FROM credit_sale_entries AS back
    WHERE back.source = gone.source
      AND back.part = 1)
ORDER BY recorded_at, source
LIMIT 1
"""
INSERT_PURCHASE = Insert.into(ranks.AGGREGATES, "credit_purchases", COLUMNS)
INSERT_SALE = Insert.into(
    ranks.LEDGER,
    "credit_sale_entries",
    "source, part, purchase_id, debit_account, credit_account, amount_micro, currency, occurred_at,"
    " recorded_at",
)
LIST_CARD_PAYMENT = Insert.into(
    ranks.OUTBOX, "billing_central.card_payments", "processor_payment_id, recorded_at"
)


class CreditPurchases:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, purchase_id: PaymentIntentId) -> CreditPurchase:
        return self._known(self._desk.rows(GET, purchase_id))

    def find(self, purchase_id: PaymentIntentId) -> CreditPurchase | None:
        rows = self._desk.rows(TAKE, purchase_id)
        return self._known(rows) if rows else None

    def foresee_other(self, payment_id: PaymentIntentId) -> None:
        self._desk.foresee(OTHERS, payment_id, *invoices_charged_as(payment_id))

    def is_others(self, payment_id: PaymentIntentId) -> bool:
        return bool(self._desk.rows(OTHERS, payment_id, *invoices_charged_as(payment_id)))

    def take(self, purchase_id: PaymentIntentId) -> CreditPurchase:
        return self._known(self._desk.rows(TAKE, purchase_id))

    def find_paid_by(self, processor_payment_id: str) -> CreditPurchase | None:
        rows = self._desk.rows(PAID_BY, processor_payment_id)
        return self._known(rows) if rows else None

    def foresee_of_account(self, account_id: CreditAccountId, since: datetime) -> None:
        self._desk.foresee(UNDER_WAY, account_id)
        self._desk.foresee(TOPPED_UP, account_id, since)
        self._desk.foresee(TOPPING_UP, account_id)

    def under_way(self, account_id: CreditAccountId) -> int:
        return _sum(self._desk.rows(UNDER_WAY, account_id))

    def topped_up(self, account_id: CreditAccountId, since: datetime) -> int:
        return _sum(self._desk.rows(TOPPED_UP, account_id, since))

    def is_topping_up(self, account_id: CreditAccountId) -> bool:
        return bool(self._desk.rows(TOPPING_UP, account_id))

    def due(self, limit: int) -> Sequence[PaymentIntentId]:
        return [PaymentIntentId(row[1]) for row in self._desk.rows(DUE, self._desk.now, limit)]

    def differences(self) -> PurchaseDifferences:
        row = self._desk.rows(DIFFERENCES)[0]
        ungranted = [PaymentIntentId(each) for each in row[1]]
        untaken = [PaymentIntentId(each) for each in row[2]]
        return PurchaseDifferences(
            ungranted=ungranted, untaken=untaken, unpaid_grants=row[3], misbooked=row[4]
        )

    def keep(self, purchase: CreditPurchase) -> None:
        self._desk.keep(purchase, lambda: self._write(purchase))

    def postpone(self, purchase_id: PaymentIntentId) -> None:
        later = Statement(POSTPONE, (purchase_id, self._desk.now))
        self._desk.write(("purchase asked", purchase_id), Write(ranks.DOCUMENT_PARTS, later))

    def booked(self, source: str) -> tuple[Money | None, Money | None]:
        parts = {row[1]: Money(row[2], Currency(row[3])) for row in self._desk.rows(BOOKED, source)}
        return parts.get(0), parts.get(1)

    def taken_back(self, purchase: CreditPurchase) -> Money:
        return Money(_sum(self._desk.rows(TAKEN_BACK, purchase.id)), purchase.amount.currency)

    def untaken(self, purchase: CreditPurchase) -> str | None:
        rows = self._desk.rows(UNTAKEN, purchase.id)
        return str(rows[0][1]) if rows else None

    def book(self, purchase: CreditPurchase, entry: SaleEntry) -> None:
        row = {
            "source": entry.source,
            "part": entry.part,
            "purchase_id": purchase.id,
            "debit_account": entry.debit,
            "credit_account": entry.credit,
            "amount_micro": entry.amount.amount_micro,
            "currency": entry.amount.currency,
            "occurred_at": self._desk.now,
            "recorded_at": self._desk.now,
        }
        self._desk.insert(INSERT_SALE, [row])
        if entry.source == purchase.grant_key:
            payment = purchase.processor_payment_id
            listed = {"processor_payment_id": payment, "recorded_at": self._desk.now}
            self._desk.insert(LIST_CARD_PAYMENT, [listed])

    def _known(self, rows: Sequence[Row]) -> CreditPurchase:
        if not rows:
            raise CreditPurchaseUnknown()
        return self._desk.loaded(_purchase_of(rows[0]))

    def _write(self, purchase: CreditPurchase) -> None:
        row = _row(purchase)
        if purchase.is_new:
            purchase.is_new = False
            self._desk.insert(INSERT_PURCHASE, [row])
        else:
            values = tuple(row[column] for column in CHANGING.split())
            change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
            self._desk.write((purchase.kind, purchase.id), change)
        waits = Statement(DONE, (purchase.id,))
        if purchase.waits:
            now = self._desk.now
            first = now if purchase.is_asked_for_by_a_job else now + FIRST_ATTEMPT_WITHIN
            waits = Statement(PUT, (purchase.id, first, now))
        self._desk.write(("purchase waits", purchase.id), Write(ranks.LINES, waits))


def _sum(rows: Sequence[Row]) -> int:
    return int(rows[0][1]) if rows else 0


def _row(purchase: CreditPurchase) -> dict[str, Any]:
    return {
        "id": purchase.id,
        "account_id": purchase.account_id,
        "account": purchase.account,
        "customer_id": purchase.customer_id,
        "payment_method_id": purchase.method_id,
        "origin": purchase.origin,
        "credits_micro": purchase.credits_micro,
        "amount_micro": purchase.amount.amount_micro,
        "currency": purchase.amount.currency,
        "status": purchase.status,
        "confirmed_at": purchase.confirmed_at,
        "processor_payment_id": purchase.processor_payment_id,
        "failure_code": purchase.failure_code,
        "created_at": purchase.created_at,
        "changed_at": purchase.changed_at,
        "version": purchase.version,
        "trail": purchase.trail,
        "state_digest": purchase.state_digest,
    }


def _purchase_of(row: Row) -> CreditPurchase:
    return CreditPurchase(
        id=PaymentIntentId(row[1]),
        account_id=CreditAccountId(row[2]),
        account=row[3],
        customer_id=CustomerId(row[4]),
        method_id=StoredMethodId(row[5]),
        origin=PurchaseOrigin(row[6]),
        credits_micro=row[7],
        amount=Money(row[8], Currency(row[9])),
        status=PaymentStatus(row[10]),
        confirmed_at=row[11],
        processor_payment_id=row[12],
        failure_code=row[13],
        created_at=row[14],
        changed_at=row[15],
        version=row[16],
        trail=bytes(row[17]),
        state_digest=bytes(row[18]),
        is_new=False,
    )
