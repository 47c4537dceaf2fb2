"""Refunds, what became of them, and those that wait for their processor.

Whoever changes something takes the folio first; the payment and the refund are read behind its
lock, as statements of their own, and so as whoever held it before has left them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from common.domain.folio import Folio
from common.domain.identifiers import FolioId, PaymentId, RefundId
from common.domain.money import Currency, Money
from common.domain.payment import Payment
from common.domain.refund import PaymentUnknown, Refund, RefundUnknown
from common.ports.folios import PendingRefund
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.deposits import STANDING
from common.postgres.folio_rows import PAYMENT_COLUMNS, payment_of
from common.postgres.folios import TAKE, Folios
from common.postgres.refund_rows import (
    REFUND_COLUMNS,
    advice_about,
    advice_of,
    refund_of,
    refund_row,
    refund_settlement_row,
    refunds_where,
)
from common.postgres.returned_payments import POSTPONE as POSTPONE_RETURN
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

FIRST_ATTEMPT_WITHIN: Final = timedelta(minutes=1)
"""So long whoever recorded a refund has for its own attempt, before a job makes another one."""

PAYMENT: Final = f"""
SELECT tenant_id, {PAYMENT_COLUMNS}, {advice_about("payments.id", "folio_id")}
FROM payments
WHERE folio_id = $1 AND id = $2
"""
PAYMENT_OF: Final = f"""
SELECT tenant_id, {PAYMENT_COLUMNS}
FROM payments
WHERE folio_id = $1 AND id = (SELECT payment_id FROM refunds WHERE id = $2)
"""
REFUND: Final = refunds_where("folio_id = $1 AND id = $2")
PENDING: Final = """
SELECT refunds.tenant_id, refunds.id, refunds.folio_id, processor_payment_id,
       refunds.paid_amount_micro, refunds.paid_currency, false
FROM refund_queue
JOIN refunds ON refunds.id = refund_id
JOIN payments ON payments.id = payment_id
WHERE refund_id = $1
UNION ALL
SELECT tenant_id, refund_id, folio_id, processor_payment_id, paid_amount_micro - gone_micro,
       paid_currency, status = 'contested'
FROM returned_payments
WHERE refund_id = $1 AND status IN ('pending', 'contested') AND $1 <> ALL (refused)
"""
# Whatever has become of it.
ASKED: Final = """
SELECT refunds.tenant_id, refunds.id, refunds.folio_id, processor_payment_id,
       refunds.paid_amount_micro, refunds.paid_currency, false
FROM refunds
JOIN payments ON payments.id = payment_id
WHERE refunds.id = $1 AND refunds.method = 'card'
UNION ALL
SELECT late.tenant_id, source, late.folio_id, processor_payment_id, amount_micro, currency, true
FROM returned_payments AS late
JOIN ledger_entries ON source = $1 AND part = 4
WHERE processor_payment_id = $2
  AND (refund_id = $1 OR $1 = ANY (called_off || refused))
"""
DUE: Final = """
SELECT tenant_id, refund_id
FROM (
  SELECT tenant_id, refund_id, next_attempt_at
  FROM refund_queue
  UNION ALL
  SELECT tenant_id, refund_id, next_attempt_at
  FROM returned_payments
  WHERE status IN ('pending', 'contested') AND refund_id <> ALL (refused)
) AS waiting
WHERE next_attempt_at <= $1
ORDER BY next_attempt_at
LIMIT $2
"""
POSTPONE: Final = """
UPDATE refund_queue
SET attempts = attempts + 1,
    next_attempt_at = $2::timestamptz + power(2, least(attempts, 6)) * interval '1 minute'
WHERE refund_id = $1
"""
DONE: Final = "DELETE FROM refund_queue WHERE refund_id = $1"
GIVE_BACK: Final = """
UPDATE payments
SET refunded_paid_micro = $2, refunded_micro = $3
WHERE id = $1
"""
INSERT_REFUND = Insert.into(
    ranks.DOCUMENTS, "refunds", f"{REFUND_COLUMNS}, occurred_at, recorded_at"
)
INSERT_SETTLEMENT = Insert.into(
    ranks.DOCUMENT_PARTS, "refund_settlements", "refund_id, status, failure_code, settled_at"
)
PUT = Insert.into(
    ranks.DOCUMENT_PARTS,
    "refund_queue",
    "refund_id, attempts, next_attempt_at, queued_at",
)


class Refunds:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take_payment(
        self, folio_id: FolioId, payment_id: PaymentId
    ) -> tuple[Folio, Payment, Money]:
        folio, payments, standing = self._desk.batch(
            Statement(TAKE, (folio_id,)),
            Statement(PAYMENT, (folio_id, payment_id)),
            Statement(STANDING, (folio_id,)),
        )
        known = Folios(self._desk).known(folio)
        if not payments:
            raise PaymentUnknown()
        *row, advice = payments[0]
        payment = replace(payment_of(row), advice=advice_of(advice))
        return known, payment, Money(standing[0][1], known.currency)

    def take(self, folio_id: FolioId, refund_id: RefundId) -> tuple[Folio, Payment, Refund]:
        folio, payments, refunds = self._desk.batch(
            Statement(TAKE, (folio_id,)),
            Statement(PAYMENT_OF, (folio_id, refund_id)),
            Statement(REFUND, (folio_id, refund_id)),
        )
        known = Folios(self._desk).known(folio)
        if not refunds:
            raise RefundUnknown()
        return known, payment_of(payments[0]), refund_of(refunds[0])

    def find_pending(self, refund_id: RefundId) -> PendingRefund | None:
        rows = self._desk.rows(PENDING, refund_id)
        return _pending(rows[0]) if rows else None

    def find_asked(
        self, refund_id: RefundId, processor_payment_id: str | None
    ) -> PendingRefund | None:
        rows = self._desk.rows(ASKED, refund_id, processor_payment_id)
        return _pending(rows[0]) if rows else None

    def due(self, limit: int) -> Sequence[RefundId]:
        return [RefundId(row[1]) for row in self._desk.rows(DUE, self._desk.now, limit)]

    def keep(self, refund: Refund, payment: Payment) -> None:
        self._desk.insert(INSERT_REFUND, [refund_row(refund, self._desk.now)])
        self._give_back(payment)
        if not refund.is_pending:
            self._desk.insert(INSERT_SETTLEMENT, [refund_settlement_row(refund)])
            return
        now = self._desk.now
        waiting = {
            "refund_id": refund.id,
            "attempts": 0,
            "next_attempt_at": now + FIRST_ATTEMPT_WITHIN,
            "queued_at": now,
        }
        self._desk.insert(PUT, [waiting])

    def keep_settled(self, refund: Refund, payment: Payment) -> None:
        self._desk.insert(INSERT_SETTLEMENT, [refund_settlement_row(refund)])
        self._give_back(payment)
        done = Write(ranks.DOCUMENT_PARTS, Statement(DONE, (refund.id,)))
        self._desk.write(("refund", refund.id), done)

    def keep_left(self, payment: Payment) -> None:
        self._give_back(payment)

    def postpone(self, refund_id: RefundId) -> None:
        """It waits in one of the two: the other finds nothing of it."""
        for place, sql in enumerate((POSTPONE, POSTPONE_RETURN)):
            later = Write(ranks.DOCUMENT_PARTS, Statement(sql, (refund_id, self._desk.now)))
            self._desk.write(("refund", refund_id, place), later)

    def _give_back(self, payment: Payment) -> None:
        """Behind the payment itself, which may have been recorded in the same transaction."""
        values = (payment.id, payment.refunded_paid_micro, payment.refunded_micro)
        change = Write(ranks.DOCUMENT_PARTS, Statement(GIVE_BACK, values))
        self._desk.write(("payment", payment.id), change)


def _pending(row: Row) -> PendingRefund:
    return PendingRefund(
        id=RefundId(row[1]),
        folio_id=FolioId(row[2]),
        processor_payment_id=row[3],
        paid=Money(row[4], Currency(row[5])),
        is_called_off=row[6],
    )
