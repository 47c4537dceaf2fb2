"""Refunds that the processor made itself of closed folios, those of its refunds that are known, and
refunds of either side that failed after they were made.

Whoever writes one down has taken its folio first; the folio's lock is theirs as well.
"""

from collections.abc import Sequence
from typing import Any, Final

from common.domain.identifiers import (
    FolioId,
    PaymentId,
    PropertyId,
    RefundId,
    RefundReversalId,
)
from common.domain.late_refund import LateRefund
from common.domain.money import Currency, Money
from common.domain.refund_failure import RefundFailure
from common.domain.returned_payment import ReturnedPayment
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.returned_payments import UNRETURNED, returned_of
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

COLUMNS: Final = (
    "id, property_id, folio_id, payment_id, processor_refund_id, paid_amount_micro, paid_currency,"
    " business_date, made_at, settled_at, version, trail, state_digest, failure_code"
)
FAILURE_COLUMNS: Final = "id, refund_id, folio_id, failure_code, business_date, failed_at"
FIND: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM late_refunds
WHERE processor_refund_id = $1
"""
WAITING: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM late_refunds
WHERE folio_id = $1 AND settled_at IS NULL
ORDER BY id
"""
ON_A_FOLIO: Final = "SELECT tenant_id, id FROM refunds WHERE processor_refund_id = $1"
CAME_BACK: Final = f"""
SELECT tenant_id, {FAILURE_COLUMNS}
FROM refund_failures
WHERE folio_id = $1
  AND NOT EXISTS (SELECT FROM folio_lines WHERE folio_lines.id = refund_failures.id)
ORDER BY id
"""
CHANGE: Final = """
UPDATE late_refunds
SET settled_at = $2, version = $3, trail = $4, state_digest = $5, failure_code = $6
WHERE id = $1
"""
INSERT_FAILURE = Insert.into(ranks.DOCUMENT_PARTS, "refund_failures", FAILURE_COLUMNS)
INSERT_LATE = Insert.into(ranks.AGGREGATES, "late_refunds", COLUMNS)


class LateRefunds:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def look_for(self, processor_refund_id: str) -> tuple[RefundId | None, LateRefund | None]:
        on_a_folio, late = self._desk.batch(
            Statement(ON_A_FOLIO, (processor_refund_id,)), Statement(FIND, (processor_refund_id,))
        )
        known = RefundId(on_a_folio[0][1]) if on_a_folio else None
        return known, self._desk.loaded(_late_of(late[0])) if late else None

    def waiting_for(
        self, folio_id: FolioId
    ) -> tuple[Sequence[RefundFailure], Sequence[LateRefund], Sequence[ReturnedPayment]]:
        failures, late, unreturned = self._desk.batch(
            Statement(CAME_BACK, (folio_id,)),
            Statement(WAITING, (folio_id,)),
            Statement(UNRETURNED, (folio_id,)),
        )
        return (
            [_failure_of(row) for row in failures],
            [self._desk.loaded(_late_of(row)) for row in late],
            [self._desk.loaded(returned_of(row)) for row in unreturned],
        )

    def keep(self, late: LateRefund) -> None:
        self._desk.keep(late, lambda: self._write(late))

    def keep_failure(self, failure: RefundFailure) -> None:
        self._desk.insert(INSERT_FAILURE, [_failure_row(failure)])

    def _write(self, late: LateRefund) -> None:
        if late.is_new:
            late.is_new = False
            self._desk.insert(INSERT_LATE, [_row(late)])
            return
        trail = (late.version, late.trail, late.state_digest)
        values = (late.id, late.settled_at, *trail, late.failure_code)
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write((late.kind, late.id), change)


def _row(late: LateRefund) -> dict[str, Any]:
    return {
        "id": late.id,
        "property_id": late.property_id,
        "folio_id": late.folio_id,
        "payment_id": late.payment_id,
        "processor_refund_id": late.processor_refund_id,
        "paid_amount_micro": late.paid.amount_micro,
        "paid_currency": late.paid.currency,
        "business_date": late.business_date,
        "made_at": late.made_at,
        "settled_at": late.settled_at,
        "version": late.version,
        "trail": late.trail,
        "state_digest": late.state_digest,
        "failure_code": late.failure_code,
    }


def _failure_row(failure: RefundFailure) -> dict[str, Any]:
    """That a refund failed after it was made, as it is written, once."""
    return {
        "id": failure.id,
        "refund_id": failure.refund_id,
        "folio_id": failure.folio_id,
        "failure_code": failure.failure_code,
        "business_date": failure.business_date,
        "failed_at": failure.failed_at,
    }


def _failure_of(row: Row) -> RefundFailure:
    """That a refund failed, as it was read: its tenant, then `FAILURE_COLUMNS`."""
    return RefundFailure(
        id=RefundReversalId(row[1]),
        refund_id=RefundId(row[2]),
        folio_id=FolioId(row[3]),
        failure_code=row[4],
        business_date=row[5],
        failed_at=row[6],
    )


def _late_of(row: Row) -> LateRefund:
    return LateRefund(
        id=RefundId(row[1]),
        property_id=PropertyId(row[2]),
        folio_id=FolioId(row[3]),
        payment_id=PaymentId(row[4]),
        processor_refund_id=row[5],
        paid=Money(row[6], Currency(row[7])),
        business_date=row[8],
        made_at=row[9],
        settled_at=row[10],
        version=row[11],
        trail=bytes(row[12]),
        state_digest=bytes(row[13]),
        failure_code=row[14],
        is_new=False,
    )
