"""Cash drawers: where they stand, and whether they are in use."""

from collections.abc import Sequence
from typing import Any, Final

from common.domain.cash_drawer import CashDrawer, DrawerUnknown
from common.domain.identifiers import CashDrawerId, PropertyId
from common.ports.cash import CashDrawerFilter
from common.ports.paging import Page
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, held_properties

COLUMNS: Final = "id, property_id, label, active, version, trail, state_digest"
CHANGING: Final = ("label", "active", "version", "trail", "state_digest")
TAKE: Final = f"SELECT tenant_id, {COLUMNS} FROM cash_drawers WHERE id = $1 FOR NO KEY UPDATE"
PAGE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM cash_drawers
WHERE id > $1
  AND property_id = ANY ($2::uuid[])
  AND ($3::boolean IS NULL OR active = $3)
ORDER BY id
LIMIT $4
"""
CHANGE: Final = """
UPDATE cash_drawers
SET label = $2, active = $3, version = $4, trail = $5, state_digest = $6
WHERE id = $1
"""
INSERT_DRAWER = Insert.into(ranks.PLACES, "cash_drawers", COLUMNS)


class CashDrawers:
    """The drawers of a tenant, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take(self, drawer_id: CashDrawerId) -> CashDrawer:
        return self._known(self._desk.rows(TAKE, drawer_id))

    def page(self, which: CashDrawerFilter, limit: int, cursor: str | None) -> Page[CashDrawer]:
        rows = self._desk.rows(
            PAGE,
            key_of(cursor),
            held_properties(self._desk, which.property_id),
            which.active,
            limit + 1,
        )
        drawers = tuple(_drawer_of(row) for row in rows[:limit])
        return Page(drawers, next_cursor([row[1] for row in rows], limit))

    def keep(self, drawer: CashDrawer) -> None:
        self._desk.keep(drawer, lambda: self._write(drawer))

    def _known(self, rows: Sequence[Row]) -> CashDrawer:
        """The drawer that was read. One of another property is as unknown as none."""
        if not rows:
            raise DrawerUnknown()
        drawer = _drawer_of(rows[0])
        if not self._desk.actor.holds(drawer.property_id):
            raise DrawerUnknown()
        return self._desk.loaded(drawer)

    def _write(self, drawer: CashDrawer) -> None:
        row = _row(drawer)
        if drawer.is_new:
            drawer.is_new = False
            self._desk.insert(INSERT_DRAWER, [row])
            return
        changed = tuple(row[name] for name in ("id", *CHANGING))
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, changed))
        self._desk.write((drawer.kind, drawer.id), change)


def _row(drawer: CashDrawer) -> dict[str, Any]:
    return {
        "id": drawer.id,
        "property_id": drawer.property_id,
        "label": drawer.label,
        "active": drawer.active,
        "version": drawer.version,
        "trail": drawer.trail,
        "state_digest": drawer.state_digest,
    }


def _drawer_of(row: Row) -> CashDrawer:
    return CashDrawer(
        id=CashDrawerId(row[1]),
        property_id=PropertyId(row[2]),
        label=row[3],
        active=row[4],
        version=row[5],
        trail=bytes(row[6]),
        state_digest=bytes(row[7]),
        is_new=False,
    )
