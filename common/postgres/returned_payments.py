"""Payments that came for closed folios and go back, and those of them that are due.

Whoever writes one down has taken its folio first; the folio's lock is theirs as well.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from common.domain.folio import Folio
from common.domain.identifiers import FolioId, PaymentId, PropertyId, RefundId
from common.domain.money import Currency, Money
from common.domain.payment import Payment
from common.domain.refund import RefundUnknown
from common.domain.returned_payment import (
    PartKind,
    ReturnedPart,
    ReturnedPayment,
    ReturnStatus,
)
from common.postgres import folios as folio_sql
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.folio_rows import FOLIO_COLUMNS, payment_of
from common.postgres.folios import LIST_CARD_PAYMENT, Folios
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, text_array

FIRST_ATTEMPT_WITHIN: Final = timedelta(minutes=1)
"""As long as a refund waits for its first attempt by a job."""

COLUMNS: Final = (
    "id, property_id, folio_id, processor_payment_id, paid_amount_micro, paid_currency, refund_id,"
    " business_date, status, failure_code, promised_at, settled_at, version, trail, state_digest"
)
READ: Final = f"{COLUMNS}, gone_micro, called_off, refused"
PART_COLUMNS: Final = "id, returned_id, kind, cause, amount_micro, currency, business_date, made_at"
FIND: Final = f"""
SELECT tenant_id, {READ}
FROM returned_payments
WHERE processor_payment_id = $1
"""
BY_REFUND: Final = f"""
SELECT tenant_id, {READ}
FROM returned_payments
WHERE folio_id = $1 AND (refund_id = $2 OR $2 = ANY (called_off || refused))
"""
TAKE_FOLIO: Final = f"""
SELECT tenant_id, {FOLIO_COLUMNS}
FROM folios
WHERE id = (SELECT folio_id FROM returned_payments WHERE processor_payment_id = $1)
FOR NO KEY UPDATE
"""
PROMISED: Final = """
SELECT tenant_id, amount_micro, currency
FROM ledger_entries
WHERE source = $1 AND part = 4
"""
PART: Final = f"""
SELECT tenant_id, {PART_COLUMNS}
FROM returned_parts
WHERE cause = $1
ORDER BY made_at DESC, id DESC
LIMIT 1
"""
OF_INTENT: Final = f"""
SELECT tenant_id, {READ}
FROM returned_payments
WHERE id = (SELECT returned_id FROM payment_intents WHERE id = $1)
"""
OF_INTENTS: Final = f"""
SELECT tenant_id, {READ}
FROM returned_payments
WHERE id IN (SELECT returned_id FROM payment_intents WHERE id = ANY ($1::text[]))
"""
UNRETURNED: Final = f"""
SELECT tenant_id, {READ}
FROM returned_payments
WHERE folio_id = $1 AND status = 'failed'
ORDER BY id
"""
CHANGE: Final = """
UPDATE returned_payments
SET status = $2, failure_code = $3, settled_at = $4, version = $5, trail = $6, state_digest = $7,
    refund_id = $8, gone_micro = $9, called_off = $10::text[], refused = $11::text[],
    attempts = CASE refund_id WHEN $8 THEN attempts ELSE 0 END,
    next_attempt_at = CASE refund_id WHEN $8 THEN next_attempt_at ELSE $12 END
WHERE id = $1
"""
POSTPONE: Final = """
UPDATE returned_payments
SET attempts = attempts + 1,
    next_attempt_at = $2::timestamptz + power(2, least(attempts, 6)) * interval '1 minute'
WHERE refund_id = $1
"""
INSERT_RETURNED = Insert.into(
    ranks.AGGREGATES, "returned_payments", f"{COLUMNS}, attempts, next_attempt_at"
)
INSERT_PART = Insert.into(ranks.DOCUMENT_PARTS, "returned_parts", PART_COLUMNS)


class ReturnedPayments:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def foresee(self, processor_payment_id: str) -> None:
        self._desk.foresee(folio_sql.FIND_PAID_BY, processor_payment_id)
        self._desk.foresee(FIND, processor_payment_id)

    def look_for(self, processor_payment_id: str) -> tuple[Payment | None, ReturnedPayment | None]:
        self.foresee(processor_payment_id)
        payments = self._desk.rows(folio_sql.FIND_PAID_BY, processor_payment_id)
        returned = self._desk.rows(FIND, processor_payment_id)
        return payment_of(payments[0]) if payments else None, self.known(returned)

    def take(self, folio_id: FolioId, refund_id: RefundId) -> tuple[Folio, ReturnedPayment]:
        folio, returned = self._desk.batch(
            Statement(folio_sql.TAKE, (folio_id,)), Statement(BY_REFUND, (folio_id, refund_id))
        )
        known = Folios(self._desk).known(folio)
        if not returned:
            raise RefundUnknown()
        return known, self._desk.loaded(returned_of(returned[0]))

    def take_paid_by(self, processor_payment_id: str) -> tuple[Folio, ReturnedPayment] | None:
        folio, returned = self._desk.batch(
            Statement(TAKE_FOLIO, (processor_payment_id,)), Statement(FIND, (processor_payment_id,))
        )
        if not returned:
            return None
        return Folios(self._desk).known(folio), self._desk.loaded(returned_of(returned[0]))

    def promised(self, refund_id: RefundId) -> Money:
        row = self._desk.rows(PROMISED, refund_id)[0]
        return Money(row[1], Currency(row[2]))

    def part(self, cause: str) -> ReturnedPart | None:
        rows = self._desk.rows(PART, cause)
        return _part_of(rows[0]) if rows else None

    def keep_part(self, part: ReturnedPart) -> None:
        self._desk.insert(INSERT_PART, [_part_row(part)])

    def keep(self, returned: ReturnedPayment) -> None:
        self._desk.keep(returned, lambda: self._write(returned))

    def known(self, rows: Sequence[Row]) -> ReturnedPayment | None:
        """The one that was read, if any."""
        return self._desk.loaded(returned_of(rows[0])) if rows else None

    def _write(self, returned: ReturnedPayment) -> None:
        if returned.is_new:
            returned.is_new = False
            now = self._desk.now
            self._desk.insert(INSERT_RETURNED, [_row(returned, now + FIRST_ATTEMPT_WITHIN)])
            listed = {
                "processor_payment_id": returned.processor_payment_id,
                "recorded_at": now,
            }
            self._desk.insert(LIST_CARD_PAYMENT, [listed])
            return
        values = (
            returned.id,
            returned.status,
            returned.failure_code,
            returned.settled_at,
            returned.version,
            returned.trail,
            returned.state_digest,
            returned.refund_id,
            returned.gone_micro,
            text_array(returned.called_off),
            text_array(returned.refused),
            self._desk.now + FIRST_ATTEMPT_WITHIN,
        )
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write((returned.kind, returned.id), change)


def _row(returned: ReturnedPayment, next_attempt_at: datetime) -> dict[str, Any]:
    return {
        "id": returned.id,
        "property_id": returned.property_id,
        "folio_id": returned.folio_id,
        "processor_payment_id": returned.processor_payment_id,
        "paid_amount_micro": returned.paid.amount_micro,
        "paid_currency": returned.paid.currency,
        "refund_id": returned.refund_id,
        "business_date": returned.business_date,
        "status": returned.status,
        "failure_code": returned.failure_code,
        "promised_at": returned.promised_at,
        "settled_at": returned.settled_at,
        "version": returned.version,
        "trail": returned.trail,
        "state_digest": returned.state_digest,
        "attempts": 0,
        "next_attempt_at": next_attempt_at,
    }


def returned_of(row: Row) -> ReturnedPayment:
    """One as it was read: tenant, then READ."""
    return ReturnedPayment(
        id=PaymentId(row[1]),
        property_id=PropertyId(row[2]),
        folio_id=FolioId(row[3]),
        processor_payment_id=row[4],
        paid=Money(row[5], Currency(row[6])),
        refund_id=RefundId(row[7]),
        business_date=row[8],
        status=ReturnStatus(row[9]),
        failure_code=row[10],
        promised_at=row[11],
        settled_at=row[12],
        version=row[13],
        trail=bytes(row[14]),
        state_digest=bytes(row[15]),
        gone_micro=row[16],
        called_off=tuple(map(RefundId, row[17])),
        refused=tuple(map(RefundId, row[18])),
        is_new=False,
    )


def _part_row(part: ReturnedPart) -> dict[str, Any]:
    return {
        "id": part.id,
        "returned_id": part.returned_id,
        "kind": part.kind,
        "cause": part.cause,
        "amount_micro": part.amount.amount_micro,
        "currency": part.amount.currency,
        "business_date": part.business_date,
        "made_at": part.made_at,
    }


def _part_of(row: Row) -> ReturnedPart:
    return ReturnedPart(
        id=RefundId(row[1]),
        returned_id=PaymentId(row[2]),
        kind=PartKind(row[3]),
        cause=row[4],
        amount=Money(row[5], Currency(row[6])),
        business_date=row[7],
        made_at=row[8],
    )
