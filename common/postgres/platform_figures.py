"""The platform's figures, read over all tenants of all cells (ANA-1, TEN-3).

A transaction of a tenant sees that tenant's rows and no others. This is the one way past that for
whoever holds a scope of the platform: a transaction of its own, which reads only, as a role that
may read nothing but what figures are made of; the login that may enter it is the analytics' own.
All questions of one answer see one moment. Credits are the exception: they stand in the tenants'
own books, and are read one tenant after the other, by the same door as that tenant's transactions.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from secrets import token_hex
from typing import Final
from uuid import UUID

from common.domain.identifiers import PropertyId
from common.domain.meter import Aggregation
from common.domain.money import Currency, Money
from common.domain.period import Interval, Period
from common.domain.platform_figures import (
    Behind,
    Credits,
    Customers,
    Days,
    Debts,
    Dunned,
    Figure,
    LateUsage,
    ListAsked,
    OwedToHouse,
    Revenue,
    Reversed,
    Trials,
)
from common.domain.recurring_revenue import MovementKind
from common.domain.revenue_bridge import Bridge, InvoicedLine, nothing_moved, recognition
from common.domain.subscription_invoice import LineKind
from common.domain.usage_bill import left_to_bill
from common.domain.usage_price import UsagePrice
from common.ports.paging import Page
from common.ports.transactions import CrossTenantRow, DatabaseUnavailable, TryAgain
from common.postgres import platform_figures_sql as sql
from common.postgres.connection import (
    ConnectionLost,
    ForeignReply,
    Row,
    ServerRefused,
    Statement,
    Value,
)
from common.postgres.late_usage_sql import LATE_USAGE
from common.postgres.paging import key_of, next_cursor
from common.postgres.pool import Pool
from common.postgres.refusals import translated
from common.postgres.schemas import ANALYST_ROLE, role_of, schema_of
from common.postgres.session import COMMIT, NO_SUCH_TENANT, ROLLBACK
from common.postgres.session import ENTER as ENTER_TENANT

BEGIN: Final = Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", everywhere=True)
ENTER: Final = """
SELECT set_config('role', $1, true),
       set_config('statement_timeout', '60s', true),
       set_config('lock_timeout', '5s', true)
"""
ASKED_FOR_REVENUE: Final = (
    *(sql.MOVED, sql.STANDING, sql.BOOKED, sql.LINES),
    *(sql.DEBTS, sql.DUNNED, sql.REVERSED, sql.UNTAXED, LATE_USAGE),
)
Rows = Mapping[str, list[Row]]


class PostgresFigures:
    """See the module."""

    def __init__(self, pools: Callable[[], Mapping[str, Pool]]) -> None:
        self._pools = pools

    def revenue(self, days: Days) -> Sequence[Revenue]:
        found = self._ask(ASKED_FOR_REVENUE, days.start, days.end)
        codes = sorted({row[0] for replies in found.values() for row in replies})
        return [_revenue(Currency(code), days, _of(code, found)) for code in codes]

    def trials(self, days: Days) -> Trials:
        rows = self._ask((sql.TRIALS,), days.start, days.end)[sql.TRIALS]
        began, ended, converted = (sum(row[place] for row in rows) for place in range(3))
        return Trials(began=began, ended=ended, converted=converted)

    def credits(self, days: Days) -> Sequence[Credits]:
        found = [
            _credits(row)
            for cell, pool in self._pools().items()
            for tenant in _answers(pool, sql.TENANTS, cell)
            for row in _as_tenant(pool, tenant[0], sql.CREDITS, days.start, days.end)
        ]
        return sorted(found, key=lambda credits: credits.tenant_id)

    def owed_to_houses(self, days: Days) -> Sequence[OwedToHouse]:
        found = [
            _owed_to_house(row)
            for cell, pool in self._pools().items()
            for tenant in _answers(pool, sql.TENANTS, cell)
            for row in _as_tenant(pool, tenant[0], sql.OWED_TO_HOUSES, days.end)
            if row[3]
        ]
        return sorted(found, key=lambda owed: (owed.tenant_id, owed.property_id))

    def behind(self, asked: ListAsked) -> Page[Behind]:
        question, days = sql.BEHIND[asked.figure], asked.days
        values = (days.start, days.end, key_of(asked.cursor), asked.limit + 1)
        found = sorted(self._ask((question,), *values)[question], key=itemgetter(0))
        reads = _behind_late_usage if asked.figure is Figure.LATE_USAGE else _behind
        items = tuple(reads(row) for row in found[: asked.limit])
        return Page(items, next_cursor([row[0] for row in found], asked.limit))

    def _ask(self, questions: Sequence[str], *values: Value) -> Rows:
        """What all cells answer. Raises DatabaseUnavailable."""
        found: dict[str, list[Row]] = defaultdict(list)
        for pool in self._pools().values():
            replies = _asked(pool, [Statement(question, values) for question in questions])
            for question, rows in zip(questions, replies, strict=True):
                found[question] += rows
        return found


def _asked(pool: Pool, questions: Sequence[Statement]) -> list[list[Row]]:
    """What one cell answers, of one moment. Raises DatabaseUnavailable."""
    entering = Statement(ENTER, (ANALYST_ROLE,), True)
    with pool.connection() as connection:
        try:
            return connection.run([BEGIN, entering, *questions, COMMIT])[2:-1]
        except ConnectionLost as lost:
            raise DatabaseUnavailable("the figures cannot be read") from lost
        except ServerRefused as refused:
            if isinstance(found := translated(refused), TryAgain):
                raise DatabaseUnavailable("the figures cannot be read now") from refused
            raise found from refused


def _answers(pool: Pool, question: str, *values: Value) -> list[Row]:
    return _asked(pool, [Statement(question, values)])[0]


def _as_tenant(pool: Pool, tenant_id: UUID, question: str, *values: Value) -> list[Row]:
    """What a tenant's own books answer to that tenant; nothing where it has moved out meanwhile.

    Raises DatabaseUnavailable, ForeignReply, CrossTenantRow.
    """
    scope, nonce = schema_of(tenant_id), token_hex(16)
    entered = (nonce, role_of(tenant_id), f"{scope}, pg_temp", str(tenant_id))
    asked = [BEGIN, Statement(ENTER_TENANT, entered, True), Statement(question, values), COMMIT]
    with pool.connection(scope) as connection:
        try:
            replies = connection.run(asked, scope=scope)
        except ServerRefused as refused:
            if refused.sqlstate not in NO_SUCH_TENANT:
                raise
            connection.run([ROLLBACK])
            return []
        except ConnectionLost as lost:
            raise DatabaseUnavailable("the credits cannot be read") from lost
        if replies[1][0][0] != nonce:
            connection.broken = True
            raise ForeignReply()
        if any(row[0] != tenant_id for row in replies[2]):
            connection.broken = True
            raise CrossTenantRow()
        return replies[2]


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
        reversed=Reversed(
            refunded=money(sql.REVERSED, 1),
            disputed=money(sql.REVERSED, 2),
            lost=money(sql.REVERSED, 3),
        ),
        untaxed=money(sql.UNTAXED, 1),
        late_usage=LateUsage(
            events=sum(row[7] for row in found[LATE_USAGE]),
            amount=Money.total((_owed(row, currency) for row in found[LATE_USAGE]), currency),
        ),
    )


def _owed(row: Row, currency: Currency) -> Money:
    """What is left to be billed: meter, aggregation, interval, prices, quantity, billed."""
    prices = (UsagePrice.of(each) for each in row[4])
    price = next(price for price in prices if price.meter == row[1])
    billed = Money(row[6], currency)
    return left_to_bill(price, row[5], Aggregation(row[2]), Interval(row[3]), billed)


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


def _behind_late_usage(row: Row) -> Behind:
    return Behind(
        key=row[0],
        tenant_id=row[1],
        subscription_id=row[2],
        invoice_id=None,
        number=None,
        amount=_owed(row[5:], Currency(row[5])),
        at=row[4],
        meter=row[6],
        usage_period=row[3],
    )


def _credits(row: Row) -> Credits:
    return Credits(
        tenant_id=row[0],
        granted_micro=row[1],
        consumed_micro=row[2],
        metered_micro=row[3],
        expired_micro=row[4],
        taken_back_micro=row[5],
        redeemed_micro=row[6],
    )


def _owed_to_house(row: Row) -> OwedToHouse:
    return OwedToHouse(
        tenant_id=row[0],
        property_id=PropertyId(row[1]),
        amount=Money(row[3], Currency(row[2])),
    )
