"""Cash sessions with what moved in them, and what the ledger says should be in their drawers.

A payment takes its session with a shared lock: payments at one drawer do not wait for one another,
and the count waits for all of them. Whoever takes both takes the folio first, then the session.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from common.domain.cash import CashSession, SessionUnknown
from common.domain.cash_movement import CashMovement
from common.domain.cash_report import Flow
from common.domain.identifiers import CashSessionId, PropertyId
from common.domain.money import Currency, Money
from common.domain.payment import NoOpenCashSession
from common.ports.cash import CashSessionFilter
from common.ports.paging import Page
from common.postgres import ranks
from common.postgres.cash_rows import (
    CHANGING,
    MOVEMENT_COLUMNS,
    SESSION_COLUMNS,
    flow_of,
    movement_of,
    movement_row,
    session_of,
    session_row,
)
from common.postgres.connection import Row, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, held_properties

GET: Final = f"SELECT tenant_id, {SESSION_COLUMNS} FROM cash_sessions WHERE id = $1"
TAKE: Final = f"{GET} FOR NO KEY UPDATE"
TAKE_NAMED_TO_PAY: Final = f"""
SELECT tenant_id, {SESSION_COLUMNS}
FROM cash_sessions
WHERE property_id = $1 AND id = $2 AND status = 'open'
FOR SHARE
"""
TAKE_OWN_TO_PAY: Final = f"""
SELECT tenant_id, {SESSION_COLUMNS}
FROM cash_sessions
WHERE property_id = $1 AND opened_by = $2 AND status = 'open'
ORDER BY id
LIMIT 2
FOR SHARE
"""
# What should be in the drawers, by the entries that name them; a row for each currency.
SUMS: Final = """
SELECT tenant_id, cash_session_id, currency,
       sum(CASE debit_account WHEN 'cash:' || cash_session_id THEN amount_micro
           ELSE -amount_micro END)::bigint
FROM ledger_entries
WHERE cash_session_id = ANY ($1::text[])
GROUP BY tenant_id, cash_session_id, currency
ORDER BY cash_session_id, currency
"""
MOVEMENTS: Final = f"""
SELECT tenant_id, {MOVEMENT_COLUMNS}
FROM cash_movements
WHERE session_id = $1
ORDER BY id
"""
PAGE: Final = f"""
SELECT tenant_id, {SESSION_COLUMNS}
FROM cash_sessions
WHERE id > $1
  AND property_id = ANY ($2::uuid[])
  AND ($3::text IS NULL OR drawer_id = $3)
  AND ($4::text IS NULL OR status = $4)
  AND ($5::date IS NULL OR business_date = $5)
ORDER BY id
LIMIT $6
"""
OF_DAY: Final = f"""
SELECT tenant_id, {SESSION_COLUMNS}
FROM cash_sessions
WHERE property_id = $1 AND business_date = $2
ORDER BY id
"""
# What moved in the drawers that were closed, by the ledger: a guest paid or was refunded where no
# movement of the drawer's own is the source. What is not closed yet is not even summed.
FLOWS_OF_DAY: Final = """
SELECT e.tenant_id, e.cash_session_id, e.currency,
       coalesce(m.kind,
                CASE e.debit_account WHEN 'cash:' || s.id THEN 'payment' ELSE 'refund' END) AS flow,
       sum(e.amount_micro)::bigint
FROM cash_sessions s
JOIN ledger_entries e ON e.tenant_id = s.tenant_id AND e.cash_session_id = s.id
LEFT JOIN cash_movements m ON m.tenant_id = e.tenant_id AND m.id = e.source
WHERE s.property_id = $1 AND s.business_date = $2 AND s.status IN ('closed', 'acknowledged')
GROUP BY e.tenant_id, e.cash_session_id, e.currency, flow
ORDER BY e.cash_session_id, e.currency, flow
"""
STUCK: Final = """
SELECT tenant_id, id
FROM cash_sessions
WHERE status = 'pending_close' AND stuck_at IS NULL AND pending_since <= $1
ORDER BY pending_since
LIMIT $2
"""
_CHANGED: Final = CHANGING.split(", ")
_JSON: Final = frozenset({"count", "expected"})
CHANGE: Final = (
    "UPDATE cash_sessions\nSET "
    + ", ".join(
        f"{name} = ${place}{'::jsonb' if name in _JSON else ''}"
        for place, name in enumerate(_CHANGED, start=2)
    )
    + "\nWHERE id = $1"
)
INSERT_SESSION = Insert.into(ranks.AGGREGATES, "cash_sessions", SESSION_COLUMNS)
INSERT_MOVEMENT = Insert.into(
    ranks.LINES, "cash_movements", f"{MOVEMENT_COLUMNS}, actor, occurred_at, recorded_at"
)


class CashSessions:
    """The sessions of a tenant, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take(self, session_id: CashSessionId) -> CashSession:
        return self._known(self._desk.rows(TAKE, session_id))

    def take_with_sums(self, session_id: CashSessionId) -> tuple[CashSession, tuple[Money, ...]]:
        # The sums are a statement of their own behind the lock: they see what it waited for.
        session, sums = self._desk.batch(Statement(TAKE, (session_id,)), _sums_of([session_id]))
        return self._known(session), tuple(_sum(row) for row in sums)

    def get_whole(
        self, session_id: CashSessionId
    ) -> tuple[CashSession, tuple[Money, ...], Sequence[CashMovement]]:
        session, sums, movements = self._desk.batch(
            Statement(GET, (session_id,)),
            _sums_of([session_id]),
            Statement(MOVEMENTS, (session_id,)),
        )
        known = self._known(session)
        return known, tuple(_sum(row) for row in sums), [movement_of(row) for row in movements]

    def take_to_pay(self, property_id: PropertyId, session_id: CashSessionId | None) -> CashSession:
        if session_id is not None:
            rows = self._desk.rows(TAKE_NAMED_TO_PAY, property_id, session_id)
        else:
            rows = self._desk.rows(TAKE_OWN_TO_PAY, property_id, self._desk.actor.sub)
        if len(rows) > 1:
            raise NoOpenCashSession("More than one of your sessions is open: name one.")
        if not rows:
            raise NoOpenCashSession()
        return self._desk.loaded(session_of(rows[0]))

    def page(self, which: CashSessionFilter, limit: int, cursor: str | None) -> Page[CashSession]:
        rows = self._desk.rows(
            PAGE,
            key_of(cursor),
            held_properties(self._desk, which.property_id),
            which.drawer_id,
            which.status,
            which.business_date,
            limit + 1,
        )
        sessions = tuple(session_of(row) for row in rows[:limit])
        return Page(sessions, next_cursor([row[1] for row in rows], limit))

    def sums(self, session_ids: Sequence[CashSessionId]) -> dict[CashSessionId, tuple[Money, ...]]:
        found: dict[CashSessionId, tuple[Money, ...]] = defaultdict(tuple)
        statement = _sums_of(session_ids)
        for row in self._desk.rows(statement.sql, *statement.parameters):
            found[CashSessionId(row[1])] += (_sum(row),)
        return found

    def of_day(
        self, property_id: PropertyId, business_date: date
    ) -> tuple[Sequence[CashSession], Sequence[Flow]]:
        which = (property_id, business_date)
        sessions, flows = self._desk.batch(Statement(OF_DAY, which), Statement(FLOWS_OF_DAY, which))
        held = [session_of(row) for row in sessions if self._desk.actor.holds(row[3])]
        known = {session.id for session in held}
        return held, [flow_of(row) for row in flows if row[1] in known]

    def pending_since(self, moment: datetime, limit: int) -> Sequence[CashSessionId]:
        return [CashSessionId(row[1]) for row in self._desk.rows(STUCK, moment, limit)]

    def keep(self, session: CashSession) -> None:
        self._desk.keep(session, lambda: self._write(session))

    def keep_movements(self, movements: Sequence[CashMovement]) -> None:
        actor, now = self._desk.actor.sub, self._desk.now
        rows = [movement_row(movement, actor, now) for movement in movements]
        self._desk.insert(INSERT_MOVEMENT, rows)

    def _known(self, rows: Sequence[Row]) -> CashSession:
        """The session that was read. One of another property is as unknown as none."""
        if not rows:
            raise SessionUnknown()
        session = session_of(rows[0])
        if not self._desk.actor.holds(session.property_id):
            raise SessionUnknown()
        return self._desk.loaded(session)

    def _write(self, session: CashSession) -> None:
        row = session_row(session)
        if session.is_new:
            session.is_new = False
            self._desk.insert(INSERT_SESSION, [row])
            return
        values = tuple(_written(name, row[name]) for name in _CHANGED)
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, (session.id, *values)))
        self._desk.write((session.kind, session.id), change)


def _sums_of(session_ids: Sequence[CashSessionId]) -> Statement:
    return Statement(SUMS, ("{" + ",".join(session_ids) + "}",))


def _sum(row: Row) -> Money:
    return Money(row[3], Currency(row[2]))


def _written(name: str, value: Any) -> Any:
    return json.dumps(value) if name in _JSON and value is not None else value
