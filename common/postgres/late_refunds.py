"""Refunds that the processor made itself of closed folios, and those of its refunds that are known.

Whoever writes one down has taken its folio first; the folio's lock is theirs as well.
"""

from collections.abc import Sequence
from typing import Any, Final

from common.domain.identifiers import FolioId, PaymentId, PropertyId, RefundId
from common.domain.late_refund import LateRefund
from common.domain.money import Currency, Money
from common.domain.returned_payment import ReturnedPayment
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.returned_payments import UNRETURNED, returned_of
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

COLUMNS: Final = (
    "id, property_id, folio_id, payment_id, processor_refund_id, paid_amount_micro, paid_currency,"
    " business_date, made_at, settled_at, version, trail, state_digest"
)
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
ON_A_FOLIO: Final = "SELECT tenant_id FROM refunds WHERE processor_refund_id = $1"
CHANGE: Final = """
UPDATE late_refunds
SET settled_at = $2, version = $3, trail = $4, state_digest = $5
WHERE id = $1
"""
INSERT_LATE = Insert.into(ranks.AGGREGATES, "late_refunds", COLUMNS)


class LateRefunds:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def look_for(self, processor_refund_id: str) -> tuple[bool, LateRefund | None]:
        on_a_folio, late = self._desk.batch(
            Statement(ON_A_FOLIO, (processor_refund_id,)), Statement(FIND, (processor_refund_id,))
        )
        return bool(on_a_folio), self._desk.loaded(_late_of(late[0])) if late else None

    def waiting_for(
        self, folio_id: FolioId
    ) -> tuple[Sequence[LateRefund], Sequence[ReturnedPayment]]:
        late, unreturned = self._desk.batch(
            Statement(WAITING, (folio_id,)), Statement(UNRETURNED, (folio_id,))
        )
        return (
            [self._desk.loaded(_late_of(row)) for row in late],
            [self._desk.loaded(returned_of(row)) for row in unreturned],
        )

    def keep(self, late: LateRefund) -> None:
        self._desk.keep(late, lambda: self._write(late))

    def _write(self, late: LateRefund) -> None:
        if late.is_new:
            late.is_new = False
            self._desk.insert(INSERT_LATE, [_row(late)])
            return
        values = (late.id, late.settled_at, late.version, late.trail, late.state_digest)
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
    }


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
        is_new=False,
    )
