"""Our side of the reconciliation with the processor, and what was found to differ.

Looks of one tenant are written one after the other: the second one sees what the first has found.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from common.domain.identifiers import ProcessorDifferenceId, PropertyId
from common.domain.money import Currency, Money
from common.domain.processor_reconciliation import (
    DifferenceStatus,
    Differs,
    Discrepancy,
    Known,
    Movement,
    MovementKind,
    ProcessorDifference,
    ProcessorDifferenceUnknown,
    Span,
)
from common.ports.movements import ProcessorDifferenceFilter
from common.ports.paging import Page
from common.postgres import movements_sql as sql
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, held_properties, text_array

INSERT_DIFFERENCE = Insert.into(ranks.AGGREGATES, "processor_differences", sql.COLUMNS)
CHANGED: Final = sql.CHANGING.split(", ")


class ProcessorDifferences:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def account(self) -> str:
        rows = self._desk.rows(sql.ACCOUNT, self._desk.tenant_id)
        return rows[0][1] if rows else ""

    def moved_in(self, span: Span) -> Sequence[Movement]:
        rows = self._desk.rows(sql.MOVED_IN, span.since, span.until)
        return [_movement_of(row) for row in rows]

    def moved_as(
        self, known: Collection[Known], payments: Collection[str]
    ) -> tuple[Sequence[Movement], Mapping[str, PropertyId | None]]:
        ids = {kind: [each.id for each in known if each.kind is kind] for kind in MovementKind}
        moved, paid = self._desk.batch(
            Statement(sql.MOVED_AS, tuple(text_array(ids[kind]) for kind in MovementKind)),
            Statement(sql.OURS_PAID, (text_array(payments),)),
        )
        houses = {row[1]: PropertyId(row[2]) if row[2] else None for row in paid}
        return [_movement_of(row) for row in moved], houses

    def open_ones(self, limit: int) -> Sequence[Differs]:
        return [_difference_of(row).differs for row in self._desk.rows(sql.OPEN, limit)]

    def take_for(self, found: Collection[Differs]) -> Sequence[ProcessorDifference]:
        _, rows = self._desk.batch(
            Statement(sql.ONE_AT_A_TIME, (f"{self._desk.tenant_id}/processor_differences",)),
            Statement(sql.TAKE_FOR, (text_array([each.about for each in found]),)),
        )
        return [self._desk.loaded(_difference_of(row)) for row in rows]

    def take(self, difference_id: ProcessorDifferenceId) -> ProcessorDifference:
        return self._known(self._desk.rows(sql.TAKE, difference_id))

    def get(self, difference_id: ProcessorDifferenceId) -> ProcessorDifference:
        return self._known(self._desk.rows(sql.GET, difference_id))

    def page(
        self, which: ProcessorDifferenceFilter, limit: int, cursor: str | None
    ) -> Page[ProcessorDifference]:
        rows = self._desk.rows(
            sql.PAGE,
            key_of(cursor),
            held_properties(self._desk, which.property_id),
            which.property_id is None and self._holds_all(),
            which.status,
            which.kind,
            which.owner,
            limit + 1,
        )
        found = tuple(_difference_of(row) for row in rows[:limit])
        return Page(found, next_cursor([row[1] for row in rows], limit))

    def keep(self, difference: ProcessorDifference) -> None:
        self._desk.keep(difference, lambda: self._write(difference))

    def _holds_all(self) -> bool:
        """Whether the actor works at every property: what is of none is theirs to see."""
        return all(self._desk.actor.holds(each) for each in self._desk.settings.properties)

    def _known(self, rows: Sequence[Row]) -> ProcessorDifference:
        """The difference that was read. One of another property is as unknown as none."""
        if not rows:
            raise ProcessorDifferenceUnknown()
        found = _difference_of(rows[0])
        house = found.differs.property_id
        if not (self._holds_all() if house is None else self._desk.actor.holds(house)):
            raise ProcessorDifferenceUnknown()
        return self._desk.loaded(found)

    def _write(self, difference: ProcessorDifference) -> None:
        row = _row(difference)
        if difference.is_new:
            difference.is_new = False
            self._desk.insert(INSERT_DIFFERENCE, [row])
            return
        values = (row["id"], *(row[name] for name in CHANGED))
        change = Write(ranks.AGGREGATE_CHANGES, Statement(sql.CHANGE, values))
        self._desk.write((difference.kind, difference.id), change)


def _row(difference: ProcessorDifference) -> dict[str, Any]:
    differs = difference.differs
    return {
        "id": difference.id,
        "kind": differs.way,
        "about": differs.about,
        "currency": differs.currency,
        "payment": differs.payment,
        "expected_micro": differs.expected_micro,
        "found_micro": differs.found_micro,
        "property_id": differs.property_id,
        "status": difference.status,
        "owner": difference.owner,
        "opened_at": difference.opened_at,
        "looked_at": difference.looked_at,
        "resolved_by": difference.resolved_by,
        "resolved_at": difference.resolved_at,
        "reason": difference.reason,
        "version": difference.version,
        "trail": difference.trail,
        "state_digest": difference.state_digest,
    }


def _difference_of(row: Row) -> ProcessorDifference:
    """A difference as it was read: tenant, then COLUMNS."""
    return ProcessorDifference(
        id=ProcessorDifferenceId(row[1]),
        differs=Differs(
            way=Discrepancy(row[2]),
            about=row[3],
            currency=Currency(row[4]),
            payment=row[5],
            expected_micro=row[6],
            found_micro=row[7],
            property_id=row[8] and PropertyId(row[8]),
        ),
        status=DifferenceStatus(row[9]),
        owner=row[10],
        opened_at=row[11],
        looked_at=row[12],
        resolved_by=row[13],
        resolved_at=row[14],
        reason=row[15],
        version=row[16],
        trail=bytes(row[17]),
        state_digest=bytes(row[18]),
        is_new=False,
    )


def _movement_of(row: Row) -> Movement:
    return Movement(
        known=Known(MovementKind(row[1]), row[2]),
        amount=Money(row[3], Currency(row[4])),
        payment=row[5],
        property_id=row[6] and PropertyId(row[6]),
        is_open=row[7],
        waits=row[8],
    )
