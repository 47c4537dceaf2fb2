"""Charges of the platform's invoices, and the invoices that they pay. Each is changed under the
lock of its subscription.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from common.domain.identifiers import (
    CustomerId,
    PaymentIntentId,
    RefundId,
    StoredMethodId,
    SubscriptionId,
    SubscriptionInvoiceId,
)
from common.domain.money import Currency, Money
from common.domain.processor_payment import PaymentStatus
from common.domain.subscription_invoice import PlatformEntry, SubscriptionInvoice
from common.domain.subscription_life import CLOCKS_DIFFER
from common.domain.subscription_payment import (
    GIVEN_UP_PART,
    PAID_PART,
    SubscriptionPayment,
    given_up,
)
from common.ports.subscriptions import Charged
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.pool import Pool
from common.postgres.reading_ahead import STANDING, id_of
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk
from common.postgres.subscription_rows import INVOICE_READ, invoice_of
from common.postgres.subscriptions import INSERT_ENTRY, tenants_named

SOONEST: Final = timedelta(minutes=1)
LATEST: Final = timedelta(hours=1)
"""How soon, and how late, it is asked again what became of a charge: as late as it is old."""

COLUMNS: Final = (
    "id, subscription_id, invoice_id, trial, customer_id, payment_method_id, currency,"
    " amount_micro, status, confirmed_at, processor_payment_id, failure_code, created_at,"
    " changed_at, next_attempt_at, version, trail, state_digest, is_superseded,"
    " processor_invoice_id, goes_back_as"
)
CHANGING: Final = (
    "id status processor_payment_id failure_code changed_at next_attempt_at version trail"
    " state_digest is_superseded goes_back_as"
)
GET: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM billing_central.subscription_payments
WHERE tenant_id = billing_central.current_tenant() AND id = $1
"""
WHOSE: Final = """
SELECT tenant_id, id, subscription_id, invoice_id
FROM billing_central.subscription_payments
WHERE tenant_id = billing_central.current_tenant()
  AND (id = $1 OR processor_payment_id = $2)
ORDER BY id
LIMIT 1
"""
UNDER_WAY: Final = f"""
SELECT tenant_id, id
FROM billing_central.subscription_payments
WHERE subscription_id = coalesce($1, {STANDING})
  AND status IN ('processing', 'requires_action')
  AND id <> $2
"""
WAITING: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM billing_central.subscription_payments
WHERE subscription_id = coalesce($1, {STANDING})
  AND status = 'requires_action'
"""
_UNPAID: Final = f"""
SELECT tenant_id, {INVOICE_READ},
       (SELECT count(*)::integer
        FROM billing_central.subscription_payments
        WHERE invoice_id = open.id)
FROM billing_central.subscription_invoices AS open
WHERE subscription_id = coalesce($1, {STANDING})
  AND due_micro > 0
  AND paid_at IS NULL
  AND given_up_at IS NULL"""
_OPEN: Final = f"{_UNPAID}\n  AND set_off_micro < due_micro"
ALL_OPEN: Final = f"{_OPEN}\nORDER BY issued_at, id\nLIMIT 100\n"
OLDEST_OPEN: Final = f"""{_OPEN}
  AND id <> $2
ORDER BY issued_at, id
LIMIT 1
"""
OPEN_OF: Final = f"""{_UNPAID}
  AND $2 IN (due_micro, due_micro - set_off_micro)
  AND currency = $3
ORDER BY issued_at, id
LIMIT 1
"""
PAID_OF: Final = f"""
SELECT tenant_id, {INVOICE_READ},
       (SELECT count(*)::integer
        FROM billing_central.subscription_payments
        WHERE invoice_id = paid.id)
FROM billing_central.subscription_invoices AS paid
WHERE subscription_id = $1
  AND due_micro = $2
  AND currency = $3
  AND purpose = 'period'
  AND period_start >= $4
  AND period_start <= $5
  AND paid_at IS NOT NULL
ORDER BY issued_at, id
LIMIT 1
"""
TAKEN_THERE: Final = """
SELECT tenant_id, id
FROM billing_central.subscription_payments
WHERE tenant_id = billing_central.current_tenant() AND processor_invoice_id = $1
"""
THAT_PAID: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM billing_central.subscription_payments
WHERE invoice_id = $1 AND status = 'succeeded'
"""
DUE: Final = """
SELECT tenant_id, id
FROM billing_central.subscription_payments
WHERE tenant_id = billing_central.current_tenant() AND next_attempt_at <= $1
ORDER BY next_attempt_at
LIMIT $2
"""
DUE_TENANTS: Final = """
SELECT tenant_id
FROM billing_central.subscription_payments
WHERE next_attempt_at <= $1
GROUP BY tenant_id
ORDER BY tenant_id
"""
CHANGE: Final = """
UPDATE billing_central.subscription_payments
SET status = $2, processor_payment_id = $3, failure_code = $4, changed_at = $5,
    next_attempt_at = $6, version = $7, trail = $8, state_digest = $9, is_superseded = $10,
    goes_back_as = $11
WHERE id = $1
"""
POSTPONE: Final = """
UPDATE billing_central.subscription_payments
SET next_attempt_at = $2
WHERE id = $1 AND next_attempt_at IS NOT NULL AND NOT is_superseded
"""
PAY: Final = """
UPDATE billing_central.subscription_invoices
SET paid_at = $2, paid_by = $3
WHERE id = $1
"""
GIVE_UP: Final = """
UPDATE billing_central.subscription_invoices
SET given_up_at = $2
WHERE id = $1 AND paid_at IS NULL AND given_up_at IS NULL
"""
INSERT_PAYMENT = Insert.into(ranks.LINES, "billing_central.subscription_payments", COLUMNS)
# A payment that the processor has taken may be of an invoice that is written along with it.
INSERT_TAKEN_THERE = Insert.into(
    ranks.DOCUMENT_PARTS, "billing_central.subscription_payments", COLUMNS
)
LIST_CARD_PAYMENT = Insert.into(
    ranks.OUTBOX, "billing_central.card_payments", "processor_payment_id, recorded_at"
)


class SubscriptionPayments:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def whose(self, payment_id: str | None, processor_payment_id: str | None) -> Charged | None:
        rows = self._desk.rows(WHOSE, payment_id, processor_payment_id)
        return (
            Charged(
                payment_id=PaymentIntentId(rows[0][1]),
                subscription_id=SubscriptionId(rows[0][2]),
                invoice_id=SubscriptionInvoiceId(rows[0][3]),
            )
            if rows
            else None
        )

    def foresee_charge(self, whose: Charged) -> None:
        self._desk.foresee(GET, whose.payment_id)

    def get(self, payment_id: PaymentIntentId) -> SubscriptionPayment:
        return self._desk.loaded(_payment_of(self._desk.rows(GET, payment_id)[0]))

    def foresee(self, subscription_id: SubscriptionId | None = None) -> None:
        self._desk.foresee(WAITING, subscription_id, names=id_of)
        self._desk.foresee(UNDER_WAY, subscription_id, "", names=lambda it: (it.id, ""))

    def is_under_way(self, subscription_id: SubscriptionId, but: str = "") -> bool:
        return bool(self._desk.rows(UNDER_WAY, subscription_id, but))

    def find_waiting(self, subscription_id: SubscriptionId) -> SubscriptionPayment | None:
        rows = self._desk.rows(WAITING, subscription_id)
        return self._desk.loaded(_payment_of(rows[0])) if rows else None

    def foresee_oldest_open(self, subscription_id: SubscriptionId, but: str = "") -> None:
        self._desk.foresee(OLDEST_OPEN, subscription_id, but)

    def oldest_open(
        self, subscription_id: SubscriptionId, but: str = ""
    ) -> tuple[SubscriptionInvoice, int] | None:
        rows = self._desk.rows(OLDEST_OPEN, subscription_id, but)
        return (invoice_of(rows[0][1:-1]), rows[0][-1]) if rows else None

    def foresee_all_open(self) -> None:
        self._desk.foresee(ALL_OPEN, None, names=id_of)

    def all_open(self, subscription_id: SubscriptionId) -> Sequence[SubscriptionInvoice]:
        return [invoice_of(row[1:-1]) for row in self._desk.rows(ALL_OPEN, subscription_id)]

    def foresee_taken_there(
        self,
        processor_invoice_id: str,
        subscription_id: str,
        due: Money,
        begins_at: datetime | None,
    ) -> None:
        self._desk.foresee(TAKEN_THERE, processor_invoice_id)
        self._desk.foresee(OPEN_OF, subscription_id, due.amount_micro, due.currency)
        if begins_at is not None:
            self._desk.foresee(PAID_OF, *_paid_of(subscription_id, due, begins_at))

    def open_of(
        self, subscription_id: SubscriptionId, due: Money
    ) -> tuple[SubscriptionInvoice, int] | None:
        rows = self._desk.rows(OPEN_OF, subscription_id, due.amount_micro, due.currency)
        return (invoice_of(rows[0][1:-1]), rows[0][-1]) if rows else None

    def paid_of(
        self, subscription_id: SubscriptionId, due: Money, begins_at: datetime
    ) -> tuple[SubscriptionInvoice, int] | None:
        rows = self._desk.rows(PAID_OF, *_paid_of(subscription_id, due, begins_at))
        return (invoice_of(rows[0][1:-1]), rows[0][-1]) if rows else None

    def is_taken_there(self, processor_invoice_id: str) -> bool:
        return bool(self._desk.rows(TAKEN_THERE, processor_invoice_id))

    def foresee_that_paid(self, invoice_id: SubscriptionInvoiceId) -> None:
        self._desk.foresee(THAT_PAID, invoice_id)

    def that_paid(self, invoice_id: SubscriptionInvoiceId) -> SubscriptionPayment | None:
        rows = self._desk.rows(THAT_PAID, invoice_id)
        return self._desk.loaded(_payment_of(rows[0])) if rows else None

    def due(self, limit: int) -> Sequence[PaymentIntentId]:
        return [PaymentIntentId(row[1]) for row in self._desk.rows(DUE, self._desk.now, limit)]

    def keep(self, payment: SubscriptionPayment) -> None:
        self._desk.keep(payment, lambda: self._write(payment))

    def postpone(self, payment: SubscriptionPayment) -> None:
        later = Statement(POSTPONE, (payment.id, _next_attempt(payment, self._desk.now)))
        self._desk.write(("charge asked", payment.id), Write(ranks.DOCUMENT_PARTS, later))

    def pay_invoice(self, payment: SubscriptionPayment, invoice: SubscriptionInvoice) -> None:
        paid = Statement(PAY, (payment.invoice_id, self._desk.now, payment.id))
        self._desk.write(("invoice paid", payment.invoice_id), Write(ranks.DOCUMENT_PAYMENTS, paid))
        self._book(payment.invoice_id, PAID_PART, payment.entry(invoice))
        if payment.processor_payment_id is None:
            return
        listed = {
            "processor_payment_id": payment.processor_payment_id,
            "recorded_at": self._desk.now,
        }
        self._desk.insert(LIST_CARD_PAYMENT, [listed])

    def give_up(self, invoice: SubscriptionInvoice) -> None:
        lost = Statement(GIVE_UP, (invoice.id, self._desk.now))
        self._desk.write(("invoice given up", invoice.id), Write(ranks.DOCUMENTS, lost))
        self._book(invoice.id, GIVEN_UP_PART, given_up(invoice))

    def _book(self, invoice_id: SubscriptionInvoiceId, part: int, entry: PlatformEntry) -> None:
        row = {
            "invoice_id": invoice_id,
            "part": part,
            "debit_account": entry.debit,
            "credit_account": entry.credit,
            "currency": entry.amount.currency,
            "amount_micro": entry.amount.amount_micro,
            "occurred_at": self._desk.now,
        }
        self._desk.insert(INSERT_ENTRY, [row])

    def _write(self, payment: SubscriptionPayment) -> None:
        row = _row(payment, self._desk.now)
        if payment.is_new:
            payment.is_new = False
            is_ours = payment.processor_invoice_id is None
            self._desk.insert(INSERT_PAYMENT if is_ours else INSERT_TAKEN_THERE, [row])
            return
        values = tuple(row[column] for column in CHANGING.split())
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write((payment.kind, payment.id), change)


def charged_tenants(pool: Pool, now: Callable[[], datetime]) -> list[UUID]:
    """The tenants of whose charges something is to become; see `tenants_named`."""
    return tenants_named(pool, DUE_TENANTS, now)


def _paid_of(subscription_id: str, due: Money, begins_at: datetime) -> tuple[Any, ...]:
    around = (begins_at - CLOCKS_DIFFER, begins_at + CLOCKS_DIFFER)
    return (subscription_id, due.amount_micro, due.currency, *around)


def _next_attempt(payment: SubscriptionPayment, now: datetime) -> datetime | None:
    """When it is asked after: at once where it is new, and the later the older it is."""
    if not payment.is_under_way:
        return None
    age = now - (payment.confirmed_at or now)
    return now + min(max(age, SOONEST), LATEST) if age else now


def _row(payment: SubscriptionPayment, now: datetime) -> dict[str, Any]:
    return {
        "id": payment.id,
        "subscription_id": payment.subscription_id,
        "invoice_id": payment.invoice_id,
        "trial": payment.trial,
        "customer_id": payment.customer_id,
        "payment_method_id": payment.method_id,
        "currency": payment.amount.currency,
        "amount_micro": payment.amount.amount_micro,
        "status": payment.status,
        "confirmed_at": payment.confirmed_at,
        "processor_payment_id": payment.processor_payment_id,
        "failure_code": payment.failure_code,
        "created_at": payment.created_at,
        "changed_at": payment.changed_at,
        "next_attempt_at": now if payment.is_to_be_called_off else _next_attempt(payment, now),
        "version": payment.version,
        "trail": payment.trail,
        "state_digest": payment.state_digest,
        "is_superseded": payment.is_superseded,
        "processor_invoice_id": payment.processor_invoice_id,
        "goes_back_as": payment.goes_back_as,
    }


def _payment_of(row: Row) -> SubscriptionPayment:
    return SubscriptionPayment(
        id=PaymentIntentId(row[1]),
        subscription_id=SubscriptionId(row[2]),
        invoice_id=SubscriptionInvoiceId(row[3]),
        trial=row[4],
        customer_id=CustomerId(row[5]) if row[5] else None,
        method_id=StoredMethodId(row[6]) if row[6] else None,
        amount=Money(row[8], Currency(row[7])),
        status=PaymentStatus(row[9]),
        confirmed_at=row[10],
        processor_payment_id=row[11],
        failure_code=row[12],
        created_at=row[13],
        changed_at=row[14],
        version=row[16],
        trail=bytes(row[17]),
        state_digest=bytes(row[18]),
        is_superseded=row[19],
        processor_invoice_id=row[20],
        goes_back_as=RefundId(row[21]) if row[21] else None,
        is_new=False,
    )
