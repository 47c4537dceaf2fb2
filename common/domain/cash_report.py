"""The daily cash report: what each drawer of a business date came to, and all of them together.

A session stands on the date on which it was opened, with everything that moved in it, also past
midnight: it is counted as a whole. What moved is read from the ledger, so that the report adds up
to it; what was counted is what two persons signed. A drawer that is not closed yet is named and no
more, whatever the tenant shows elsewhere: a report is passed around, and a count is to be blind
until it is confirmed (CASH-3).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from common.domain.cash import CashSession, SessionStatus
from common.domain.dataclass import dataclass
from common.domain.identifiers import CashSessionId
from common.domain.money import Currency, Money

SETTLED: Final = frozenset({SessionStatus.CLOSED, SessionStatus.ACKNOWLEDGED})


class FlowKind(StrEnum):
    """Why cash moved: a guest's or a company's payment, a refund, or the drawer's own movement."""

    PAYMENT = "payment"
    REFUND = "refund"
    FLOAT = "float"
    PAID_IN = "paid_in"
    PAID_OUT = "paid_out"
    DROP = "drop"
    OVER = "over"
    SHORT = "short"
    TURNED_IN = "turned_in"


@dataclass(frozen=True, slots=True)
class Flow:
    """All that moved in a session for one reason, in one currency."""

    session_id: CashSessionId
    kind: FlowKind
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CashColumn:
    """A currency of a drawer, or of all together. Nothing but `variance` is ever below nothing.

    `expected` is `opening + payments - refunds + paid_in - paid_out - drops` (CASH-2), and
    `variance` what was booked as over, or as short where it is less than nothing.
    """

    opening: Money
    payments: Money
    refunds: Money
    paid_in: Money
    paid_out: Money
    drops: Money
    counted: Money
    variance: Money
    turned_in: Money

    @property
    def currency(self) -> Currency:
        return self.opening.currency

    @property
    def expected(self) -> Money:
        """What should have been there."""
        went_in = self.opening + self.payments + self.paid_in
        return went_in - self.refunds - self.paid_out - self.drops


@dataclass(frozen=True, slots=True)
class DrawerReport:
    """A closed session, currency by currency in the order of their codes."""

    session: CashSession
    columns: tuple[CashColumn, ...]


@dataclass(frozen=True, slots=True)
class CashReport:
    """See the module. `not_closed` are named, and that is all that is told of them."""

    drawers: tuple[DrawerReport, ...]
    not_closed: tuple[CashSession, ...]
    totals: tuple[CashColumn, ...]


def cash_report(sessions: Sequence[CashSession], flows: Iterable[Flow]) -> CashReport:
    """The report over the sessions of a day. Flows of a session that is not closed are passed over.

    Raises `ValueError` when a closed drawer does not add up: what was counted is not what should
    have been there and what was over or short, or not what was turned in.
    """
    moved: dict[CashSessionId, dict[tuple[FlowKind, Currency], Money]] = defaultdict(dict)
    for flow in flows:
        moved[flow.session_id][flow.kind, flow.amount.currency] = flow.amount
    drawers = tuple(
        DrawerReport(session, _columns(session, moved[session.id]))
        for session in sessions
        if session.status in SETTLED
    )
    not_closed = tuple(session for session in sessions if session.status not in SETTLED)
    return CashReport(drawers, not_closed, _totals(drawers))


def _columns(
    session: CashSession, moved: Mapping[tuple[FlowKind, Currency], Money]
) -> tuple[CashColumn, ...]:
    counted = session.counted.count.amounts if session.counted else ()
    currencies = {currency for _, currency in moved} | {each.currency for each in counted}
    return tuple(_column(session, moved, currency) for currency in sorted(currencies))


def _column(
    session: CashSession, moved: Mapping[tuple[FlowKind, Currency], Money], currency: Currency
) -> CashColumn:
    nothing = Money.zero(currency)

    def of(kind: FlowKind) -> Money:
        return moved.get((kind, currency), nothing)

    column = CashColumn(
        opening=of(FlowKind.FLOAT),
        payments=of(FlowKind.PAYMENT),
        refunds=of(FlowKind.REFUND),
        paid_in=of(FlowKind.PAID_IN),
        paid_out=of(FlowKind.PAID_OUT),
        drops=of(FlowKind.DROP),
        counted=session.counted.count.of(currency) if session.counted else nothing,
        variance=of(FlowKind.OVER) - of(FlowKind.SHORT),
        turned_in=of(FlowKind.TURNED_IN),
    )
    if not column.expected + column.variance == column.counted == column.turned_in:
        raise ValueError(f"the {currency} of {session.id} do not add up: {column}")
    return column


def _totals(drawers: Iterable[DrawerReport]) -> tuple[CashColumn, ...]:
    by_currency: dict[Currency, list[CashColumn]] = defaultdict(list)
    for drawer in drawers:
        for column in drawer.columns:
            by_currency[column.currency].append(column)
    return tuple(_total(columns) for _, columns in sorted(by_currency.items()))


def _total(columns: Sequence[CashColumn]) -> CashColumn:
    currency = columns[0].currency
    return CashColumn(
        opening=Money.total((each.opening for each in columns), currency),
        payments=Money.total((each.payments for each in columns), currency),
        refunds=Money.total((each.refunds for each in columns), currency),
        paid_in=Money.total((each.paid_in for each in columns), currency),
        paid_out=Money.total((each.paid_out for each in columns), currency),
        drops=Money.total((each.drops for each in columns), currency),
        counted=Money.total((each.counted for each in columns), currency),
        variance=Money.total((each.variance for each in columns), currency),
        turned_in=Money.total((each.turned_in for each in columns), currency),
    )
