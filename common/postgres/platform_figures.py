"""The platform's figures, read over all tenants of all cells (ANA-1, TEN-3).

A transaction of a tenant sees that tenant's rows and no others. This is the one way past that for
whoever holds a scope of the platform: a transaction of its own, which reads only, as a role that
may read nothing but what figures are made of; the login that may enter it is the analytics' own.
All questions of one answer see one moment.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Final

from common.domain.money import Currency, Money
from common.domain.period import Period
from common.domain.platform_figures import (
    Behind,
    Customers,
    Days,
    Debts,
    Dunned,
    ListAsked,
    Revenue,
    Trials,
)
from common.domain.recurring_revenue import MovementKind
from common.domain.revenue_bridge import Bridge, InvoicedLine, nothing_moved, recognition
from common.domain.subscription_invoice import LineKind
from common.ports.transaction import Page
from common.ports.transactions import DatabaseUnavailable
from common.postgres import platform_figures_sql as sql
from common.postgres.connection import ConnectionLost, Row, Statement, Value
from common.postgres.paging import key_of, next_cursor
from common.postgres.pool import Pool
from common.postgres.schemas import ANALYST_ROLE

BEGIN: Final = Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", everywhere=True)
COMMIT: Final = Statement("COMMIT", everywhere=True)
ENTER: Final = """
SELECT set_config('role', $1, true),
       set_config('statement_timeout', '60s', true),
       set_config('lock_timeout', '5s', true)
"""
ASKED_FOR_REVENUE: Final = (sql.MOVED, sql.STANDING, sql.BOOKED, sql.LINES, sql.DEBTS, sql.DUNNED)
Rows = Mapping[str, list[Row]]


class PostgresFigures:
    """See the module."""

    def __init__(self, pools: Callable[[], Iterable[Pool]]) -> None:
        self._pools = pools

    def revenue(self, days: Days) -> Sequence[Revenue]:
        found = self._ask(ASKED_FOR_REVENUE, days.start, days.end)
        codes = sorted({row[0] for replies in found.values() for row in replies})
        return [_revenue(Currency(code), days, _of(code, found)) for code in codes]

    def trials(self, days: Days) -> Trials:
        rows = self._ask((sql.TRIALS,), days.start, days.end)[sql.TRIALS]
        began, ended, converted = (sum(row[place] for row in rows) for place in range(3))
        return Trials(began=began, ended=ended, converted=converted)

    def behind(self, asked: ListAsked) -> Page[Behind]:
        question, days = sql.BEHIND[asked.figure], asked.days
        values = (days.start, days.end, key_of(asked.cursor), asked.limit + 1)
        found = sorted(self._ask((question,), *values)[question], key=itemgetter(0))
        items = tuple(_behind(row) for row in found[: asked.limit])
        return Page(items, next_cursor([row[0] for row in found], asked.limit))

    def _ask(self, questions: Sequence[str], *values: Value) -> Rows:
        """What all cells answer. Raises DatabaseUnavailable."""
        found: dict[str, list[Row]] = defaultdict(list)
        script = [Statement(question, values) for question in questions]
        entering = Statement(ENTER, (ANALYST_ROLE,), True)
        for pool in self._pools():
            with pool.connection() as connection:
                try:
                    replies = connection.run([BEGIN, entering, *script, COMMIT])
                except ConnectionLost as lost:
                    raise DatabaseUnavailable("the figures cannot be read") from lost
            for question, rows in zip(questions, replies[2:-1], strict=True):
                found[question] += rows
        return found


def _of(code: str, found: Rows) -> Rows:
    """The rows of one currency."""
    return {name: [row for row in rows if row[0] == code] for name, rows in found.items()}


def _revenue(currency: Currency, days: Days, found: Rows) -> Revenue:
    def money(name: str, place: int) -> Money:
        return Money(sum(row[place] for row in found[name]), currency)

    def count(place: int) -> int:
        return sum(row[place] for row in found[sql.STANDING])

    moved = nothing_moved(currency)
    for row in found[sql.MOVED]:
        moved[MovementKind(row[1])] += Money(row[2], currency)
    return Revenue(
        days=days,
        bridge=Bridge(opening=money(sql.STANDING, 1), moved=moved, closing=money(sql.STANDING, 2)),
        customers=Customers(before=count(3), after=count(4), lost=count(5)),
        recognition=recognition(
            (_line(row, currency) for row in found[sql.LINES]),
            money(sql.BOOKED, 1),
            days.start,
            days.end,
        ),
        debts=Debts(
            outstanding=money(sql.DEBTS, 1),
            overdue=money(sql.DEBTS, 2),
            never_charged=money(sql.DEBTS, 3),
            not_retried=money(sql.DEBTS, 4),
        ),
        dunned=Dunned(declined=money(sql.DUNNED, 1), recovered=money(sql.DUNNED, 2)),
    )


def _line(row: Row, currency: Currency) -> InvoicedLine:
    start, end = datetime.fromisoformat(row[2]), datetime.fromisoformat(row[3])
    return InvoicedLine(
        kind=LineKind(row[1]),
        period=Period(start, end),
        amount=Money(row[4], currency),
        issued_at=row[5],
    )


def _behind(row: Row) -> Behind:
    return Behind(
        key=row[0],
        tenant_id=row[1],
        subscription_id=row[2],
        invoice_id=row[3],
        number=row[4],
        amount=None if row[5] is None else Money(row[6], Currency(row[5])),
        at=row[7],
    )
