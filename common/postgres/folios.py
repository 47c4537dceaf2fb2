"""Folios with their lines and payments. One statement, or one round trip, for each question."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from common.domain.folio import Folio, FolioUnknown
from common.domain.folio_line import Line
from common.domain.identifiers import ChargeId, FolioId, PropertyId
from common.domain.payment import Payment, PaymentMethod
from common.domain.refund import Refund
from common.domain.reopening import Reopening
from common.domain.settlement import Settlement
from common.ports.folios import FolioFilter
from common.ports.paging import Page
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.folio_rows import (
    FOLIO_COLUMNS,
    LINE_AS_READ,
    LINE_COLUMNS,
    PAYMENT_COLUMNS,
    folio_of,
    folio_row,
    line_of,
    line_row,
    payment_of,
    payment_row,
    reopening_row,
    settlement_row,
)
from common.postgres.paging import key_of, next_cursor
from common.postgres.refund_rows import refund_of, refunds_where
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, held_properties

GET: Final = f"SELECT tenant_id, {FOLIO_COLUMNS} FROM folios WHERE id = $1"
TAKE: Final = f"{GET} FOR NO KEY UPDATE"
FIND_FOR_RESERVATION: Final = f"""
SELECT tenant_id, {FOLIO_COLUMNS}
FROM folios
WHERE property_id = $1 AND reservation_id = $2 AND window_name = $3
FOR NO KEY UPDATE
"""
LINES: Final = f"""
SELECT tenant_id, {LINE_AS_READ}
FROM folio_lines
WHERE folio_id = $1
ORDER BY sequence
"""
LINES_OF_CHARGE: Final = f"""
SELECT tenant_id, {LINE_AS_READ}
FROM folio_lines
WHERE folio_id = $1 AND charge_id = $2
ORDER BY sequence
"""
TAKE_BOTH: Final = f"""
SELECT tenant_id, {FOLIO_COLUMNS}
FROM folios
WHERE id IN ($1, $2)
ORDER BY id
FOR NO KEY UPDATE
"""
LINES_OF_CHARGES: Final = f"""
SELECT tenant_id, {LINE_AS_READ}
FROM folio_lines
WHERE folio_id = $1 AND charge_id = ANY ($2::text[])
ORDER BY sequence
"""
PAYMENTS: Final = f"""
SELECT tenant_id, {PAYMENT_COLUMNS}
FROM payments
WHERE folio_id = $1
ORDER BY id
"""
REFUNDS_OF_FOLIO: Final = refunds_where("folio_id = $1\nORDER BY id")
FIND_PAID_BY: Final = f"""
SELECT tenant_id, {PAYMENT_COLUMNS}
FROM payments
WHERE processor_payment_id = $1
"""
FIND_CHARGE: Final = f"""
SELECT tenant_id, {LINE_AS_READ}
FROM folio_lines
WHERE source = $1 AND external_reference = $2 AND folio_id = $3
"""
PAGE: Final = f"""
SELECT tenant_id, {FOLIO_COLUMNS}
FROM folios
WHERE id > $1
  AND property_id = ANY ($2::uuid[])
  AND ($3::text IS NULL OR status = $3)
  AND ($4::text IS NULL OR reservation_id = $4)
  AND ($5::date IS NULL OR business_date = $5)
ORDER BY id
LIMIT $6
"""
CHANGE: Final = """
UPDATE folios
SET status = $2, balance_micro = $3, last_line = $4, tax_sums = $5::jsonb, closed_at = $6,
    version = $7, trail = $8, state_digest = $9, pending_refunds = $10, reopened = $11,
    billed_to = $12, deposits_micro = $13
WHERE id = $1
"""
INSERT_FOLIO = Insert.into(ranks.AGGREGATES, "folios", FOLIO_COLUMNS)
INSERT_LINE = Insert.into(
    ranks.LINES, "folio_lines", f"folio_id, {LINE_COLUMNS}, actor, occurred_at, recorded_at"
)
INSERT_PAYMENT = Insert.into(
    ranks.DOCUMENTS, "payments", f"{PAYMENT_COLUMNS}, occurred_at, recorded_at"
)
INSERT_SETTLEMENT = Insert.into(
    ranks.DOCUMENTS,
    "settlements",
    "id, folio_id, charges_micro, payments_micro, residual_micro, currency, fx, settled_at",
)

Whole = tuple[Folio, list[Line], list[Payment], list[Refund]]


INSERT_REOPENING = Insert.into(
    ranks.DOCUMENTS,
    "reopenings",
    "folio_id, number, billed_to, reopened_by, reopened_at, step_up_token_id, assertion_hash,"
    " step_up_method",
)


LIST_CARD_PAYMENT = Insert.into(
    ranks.OUTBOX, "billing_central.card_payments", "processor_payment_id, recorded_at"
)


class Folios:
    """The folios of a tenant, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, folio_id: FolioId) -> Folio:
        return self.known(self._desk.rows(GET, folio_id))

    def take(self, folio_id: FolioId) -> Folio:
        return self.known(self._desk.rows(TAKE, folio_id))

    def take_with_charge(
        self, folio_id: FolioId, charge_id: ChargeId
    ) -> tuple[Folio, Sequence[Line]]:
        folio, lines = self._desk.batch(
            Statement(TAKE, (folio_id,)), Statement(LINES_OF_CHARGE, (folio_id, charge_id))
        )
        return self.known(folio), [line_of(row) for row in lines]

    def take_both(
        self, folio_id: FolioId, other_id: FolioId, charge_ids: Sequence[ChargeId]
    ) -> tuple[Folio, Folio, Sequence[Line]]:
        folios, lines = self._desk.batch(
            Statement(TAKE_BOTH, (folio_id, other_id)),
            Statement(LINES_OF_CHARGES, (folio_id, "{" + ",".join(charge_ids) + "}")),
        )
        one, other = (
            self.known([row for row in folios if row[1] == id]) for id in (folio_id, other_id)
        )
        return one, other, [line_of(row) for row in lines]

    def take_whole(
        self, folio_id: FolioId
    ) -> tuple[Folio, Sequence[Line], Sequence[Payment], Sequence[Refund]]:
        return self._whole(TAKE, folio_id)[0]

    def take_whole_with(self, folio_id: FolioId, *more: Statement) -> tuple[Whole, list[list[Row]]]:
        """Lock a folio and read all of it; what another store asks goes along, behind the lock."""
        return self._whole(TAKE, folio_id, *more)

    def get_whole(
        self, folio_id: FolioId
    ) -> tuple[Folio, Sequence[Line], Sequence[Payment], Sequence[Refund]]:
        return self._whole(GET, folio_id)[0]

    def find_for_reservation(
        self, property_id: PropertyId, reservation_id: str, window: str
    ) -> Folio | None:
        rows = self._desk.rows(FIND_FOR_RESERVATION, property_id, reservation_id, window)
        return self.known(rows) if rows else None

    def find_charge(self, folio_id: FolioId, source: str, reference: str) -> Line | None:
        rows = self._desk.rows(FIND_CHARGE, source, reference, folio_id)
        return line_of(rows[0]) if rows else None

    def find_paid_by(self, processor_payment_id: str) -> Payment | None:
        rows = self._desk.rows(FIND_PAID_BY, processor_payment_id)
        return payment_of(rows[0]) if rows else None

    def page(self, which: FolioFilter, limit: int, cursor: str | None) -> Page[Folio]:
        rows = self._desk.rows(
            PAGE,
            key_of(cursor),
            held_properties(self._desk, which.property_id),
            which.status,
            which.reservation_id,
            which.business_date,
            limit + 1,
        )
        folios = tuple(folio_of(row) for row in rows[:limit])
        return Page(folios, next_cursor([row[1] for row in rows], limit))

    def keep(self, folio: Folio) -> None:
        self._desk.keep(folio, lambda: self._write(folio))

    def keep_payment(self, payment: Payment, *, is_listed: bool = False) -> None:
        self._desk.insert(INSERT_PAYMENT, [payment_row(payment, self._desk.now)])
        if payment.method is PaymentMethod.CARD and not is_listed:
            self._desk.insert(LIST_CARD_PAYMENT, [_listed(payment, self._desk.now)])

    def keep_settlement(self, settlement: Settlement) -> None:
        self._desk.insert(INSERT_SETTLEMENT, [settlement_row(settlement)])

    def keep_reopening(self, reopening: Reopening) -> None:
        self._desk.insert(INSERT_REOPENING, [reopening_row(reopening)])

    def _whole(
        self, sql: str, folio_id: FolioId, *more: Statement
    ) -> tuple[Whole, list[list[Row]]]:
        folio, lines, payments, refunds, *others = self._desk.batch(
            Statement(sql, (folio_id,)),
            Statement(LINES, (folio_id,)),
            Statement(PAYMENTS, (folio_id,)),
            Statement(REFUNDS_OF_FOLIO, (folio_id,)),
            *more,
        )
        whole = (
            self.known(folio),
            [line_of(row) for row in lines],
            [payment_of(row) for row in payments],
            [refund_of(row) for row in refunds],
        )
        return whole, others

    def known(self, rows: Sequence[Row]) -> Folio:
        """The folio that was read. One of another property is as unknown as none."""
        if not rows:
            raise FolioUnknown()
        folio = folio_of(rows[0])
        if not self._desk.actor.holds(folio.property_id):
            raise FolioUnknown()
        return self._desk.loaded(folio)

    def _write(self, folio: Folio) -> None:
        fresh, folio.fresh = folio.fresh, ()
        row = folio_row(folio)
        if folio.is_new:
            folio.is_new = False
            self._desk.insert(INSERT_FOLIO, [row])
        else:
            self._desk.write((folio.kind, folio.id), _change(row))
        if fresh:
            lines = [
                line_row(folio.id, line, self._desk.actor.sub, self._desk.now) for line in fresh
            ]
            self._desk.insert(INSERT_LINE, lines)


def _change(row: dict[str, Any]) -> Write:
    changing = (
        "id status balance_micro last_line tax_sums closed_at version trail state_digest"
        " pending_refunds reopened billed_to deposits_micro"
    )
    row = {**row, "tax_sums": json.dumps(row["tax_sums"])}
    return Write(
        ranks.AGGREGATE_CHANGES,
        Statement(CHANGE, tuple(row[column] for column in changing.split())),
    )


def _listed(payment: Payment, now: datetime) -> dict[str, Any]:
    """A card payment in the directory, by which its webhooks find the tenant."""
    return {"processor_payment_id": payment.processor_payment_id, "recorded_at": now}
