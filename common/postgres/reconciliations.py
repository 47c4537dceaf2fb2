"""Reconciliations: the dates that are due, the books that are held against one another, the rows.

The row of a date is locked before the books are read, so that of two runs at once the second one
sees what the first one wrote down. A date without a row has nothing to lock: there the unique
constraint lets one of the two in, and the other one is run again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import Any, Final

from common.domain.identifiers import PropertyId, ReconciliationId
from common.domain.money import Currency, Money
from common.domain.reconciliation import (
    BusinessDay,
    CardRecord,
    CardRecords,
    Difference,
    DifferenceKind,
    Figure,
    Reconciliation,
    ReconciliationStatus,
    ReconciliationUnknown,
)
from common.ports.paging import Page
from common.ports.reconciling import Books, Hours, ReconciliationFilter
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.reconciling_sql import (
    CARD_PAYMENTS,
    CARD_REFUNDS,
    DRAWERS,
    FOLIOS,
    KNOWN,
    SESSIONS,
)
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, held_properties

CHANGING: Final = (
    "status, processor_answered, differences, last_run_at, resolved_by, resolved_at, reason,"
    " version, trail, state_digest"
)
COLUMNS: Final = f"id, property_id, business_date, first_run_at, {CHANGING}"
GET: Final = f"SELECT tenant_id, {COLUMNS} FROM reconciliations WHERE id = $1"
TAKE: Final = f"{GET} FOR NO KEY UPDATE"
TAKE_DAY: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM reconciliations
WHERE property_id = $1 AND business_date = $2
FOR NO KEY UPDATE
"""
PAGE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM reconciliations
WHERE id > $1
  AND property_id = ANY ($2::uuid[])
  AND ($3::text IS NULL OR status = $3)
  AND ($4::date IS NULL OR business_date = $4)
ORDER BY id
LIMIT $5
"""
# The dates of each property from the first one in which anything happened there.
DUE: Final = """
SELECT beginnings.tenant_id, houses.property_id, first + passed
FROM jsonb_to_recordset($1::jsonb) AS houses (property_id uuid, last date)
CROSS JOIN LATERAL (
  SELECT tenant_id, min(business_date) AS first
  FROM (
    (SELECT tenant_id, business_date
     FROM folios
     WHERE folios.property_id = houses.property_id
     ORDER BY business_date
     LIMIT 1)
    UNION ALL
    (SELECT tenant_id, business_date
     FROM cash_sessions AS sessions
     WHERE sessions.property_id = houses.property_id
     ORDER BY business_date
     LIMIT 1)
  ) AS firsts
  GROUP BY tenant_id
) AS beginnings
CROSS JOIN LATERAL generate_series(0, last - first) AS passed
WHERE NOT EXISTS (
  SELECT
  FROM reconciliations
  WHERE reconciliations.property_id = houses.property_id
    AND business_date = first + passed
    AND processor_answered)
ORDER BY 3 DESC, 2
LIMIT $2
"""
_CHANGED: Final = CHANGING.split(", ")
CHANGE: Final = (
    "UPDATE reconciliations\nSET "
    + ", ".join(
        f"{name} = ${place}{'::jsonb' if name == 'differences' else ''}"
        for place, name in enumerate(_CHANGED, start=2)
    )
    + "\nWHERE id = $1"
)
INSERT_RECONCILIATION = Insert.into(ranks.AGGREGATES, "reconciliations", COLUMNS)


class Reconciliations:
    """The reconciliations of a tenant, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def due(self, last: Mapping[PropertyId, date], limit: int) -> Sequence[BusinessDay]:
        houses = [{"property_id": str(id), "last": day.isoformat()} for id, day in last.items()]
        rows = self._desk.rows(DUE, json.dumps(houses), limit)
        return [BusinessDay(PropertyId(row[1]), row[2]) for row in rows]

    def card_records(self, day: BusinessDay) -> CardRecords:
        payments, refunds = self._desk.batch(
            Statement(CARD_PAYMENTS, (day.property_id, day.date)),
            Statement(CARD_REFUNDS, (day.property_id, day.date)),
        )
        return CardRecords(
            payments=tuple(_card_record(row) for row in payments),
            refunds=tuple(_card_record(row) for row in refunds),
            open_ids=frozenset(row[1] for row in refunds if row[4] is None),
        )

    def take_with_books(
        self, hours: Hours, theirs: CardRecords
    ) -> tuple[Reconciliation | None, Books]:
        day, span = hours.day, (hours.day.property_id, hours.since, hours.until)
        ids = (_array(theirs.payments), _array(theirs.refunds))
        found, *compared, known = self._desk.batch(
            Statement(TAKE_DAY, (day.property_id, day.date)),
            Statement(SESSIONS, span),
            Statement(DRAWERS, span),
            Statement(FOLIOS, span),
            Statement(KNOWN, ids),
        )
        is_blind = self._desk.settings.blind_count
        books = Books(
            figures=[_figure(row, is_blind=is_blind) for row in chain.from_iterable(compared)],
            known=frozenset(row[1] for row in known),
        )
        return self._desk.loaded(_reconciliation_of(found[0])) if found else None, books

    def take(self, reconciliation_id: ReconciliationId) -> Reconciliation:
        return self._known(self._desk.rows(TAKE, reconciliation_id))

    def get(self, reconciliation_id: ReconciliationId) -> Reconciliation:
        return self._known(self._desk.rows(GET, reconciliation_id))

    def page(
        self, which: ReconciliationFilter, limit: int, cursor: str | None
    ) -> Page[Reconciliation]:
        rows = self._desk.rows(
            PAGE,
            key_of(cursor),
            held_properties(self._desk, which.property_id),
            which.status,
            which.business_date,
            limit + 1,
        )
        found = tuple(_reconciliation_of(row) for row in rows[:limit])
        return Page(found, next_cursor([row[1] for row in rows], limit))

    def keep(self, reconciliation: Reconciliation) -> None:
        self._desk.keep(reconciliation, lambda: self._write(reconciliation))

    def _known(self, rows: Sequence[Row]) -> Reconciliation:
        """The reconciliation that was read. One of another property is as unknown as none."""
        if not rows:
            raise ReconciliationUnknown()
        found = _reconciliation_of(rows[0])
        if not self._desk.actor.holds(found.property_id):
            raise ReconciliationUnknown()
        return self._desk.loaded(found)

    def _write(self, reconciliation: Reconciliation) -> None:
        row = _row(reconciliation)
        if reconciliation.is_new:
            reconciliation.is_new = False
            self._desk.insert(INSERT_RECONCILIATION, [row])
            return
        row["differences"] = json.dumps(row["differences"])
        values = (row["id"], *(row[name] for name in _CHANGED))
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write((reconciliation.kind, reconciliation.id), change)


def _row(reconciliation: Reconciliation) -> dict[str, Any]:
    """A reconciliation as it is written."""
    return {
        "id": reconciliation.id,
        "property_id": reconciliation.property_id,
        "business_date": reconciliation.business_date,
        "first_run_at": reconciliation.first_run_at,
        "status": reconciliation.status,
        "processor_answered": reconciliation.processor_answered,
        "differences": [each.document() for each in reconciliation.differences],
        "last_run_at": reconciliation.last_run_at,
        "resolved_by": reconciliation.resolved_by,
        "resolved_at": reconciliation.resolved_at,
        "reason": reconciliation.reason,
        "version": reconciliation.version,
        "trail": reconciliation.trail,
        "state_digest": reconciliation.state_digest,
    }


def _reconciliation_of(row: Row) -> Reconciliation:
    """A reconciliation as it was read: tenant, then COLUMNS."""
    return Reconciliation(
        id=ReconciliationId(row[1]),
        property_id=PropertyId(row[2]),
        business_date=row[3],
        first_run_at=row[4],
        status=ReconciliationStatus(row[5]),
        processor_answered=row[6],
        differences=tuple(_difference_of(document) for document in row[7]),
        last_run_at=row[8],
        resolved_by=row[9],
        resolved_at=row[10],
        reason=row[11],
        version=row[12],
        trail=bytes(row[13]),
        state_digest=bytes(row[14]),
        is_new=False,
    )


def _difference_of(document: Mapping[str, Any]) -> Difference:
    return Difference(
        kind=DifferenceKind(document["kind"]),
        about=document["about"],
        currency=Currency(document["currency"]),
        expected_micro=document["expectedMicro"],
        found_micro=document["foundMicro"],
    )


def _figure(row: Row, *, is_blind: bool) -> Figure:
    return Figure(
        kind=DifferenceKind(row[1]),
        about=row[2],
        currency=Currency(row[3]),
        expected_micro=row[4],
        found_micro=row[5],
        is_hidden=is_blind and not row[6],
    )


def _card_record(row: Row) -> CardRecord:
    return CardRecord(row[1], Money(row[2], Currency(row[3])))


def _array(records: Iterable[CardRecord]) -> str:
    """Ids as a PostgreSQL array; the processor's may hold anything."""
    return "{" + ",".join(json.dumps(each.id, ensure_ascii=False) for each in records) + "}"
