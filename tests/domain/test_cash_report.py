"""The cash report's sums, worked out by hand, and what it refuses to add up."""

from dataclasses import replace
from typing import Any

import pytest

from common.domain import cash_close
from common.domain.cash import CashSession
from common.domain.cash_report import Flow, FlowKind, cash_report
from common.domain.identifiers import CashSessionId
from common.domain.money import Money
from tests.domain.front_desk import EUR, usd
from tests.domain.test_cash import Drawer, counted

OTHER = CashSessionId("cds_01K9ZQ0M8Y" + "1" * 16)


def closed(*amounts: Money) -> CashSession:
    """Karim's drawer, in which 100.00 should be, closed on a count."""
    drawer = Drawer()
    drawer.close(drawer.count(*amounts))
    return drawer.session


def flows(session: CashSession, **moved: int) -> list[Flow]:
    """So many cents of each kind."""
    return [Flow(session.id, FlowKind(kind), usd(cents)) for kind, cents in moved.items()]


SHORT: dict[str, Any] = {"float": 10_000, "short": 500, "turned_in": 9_500}


@pytest.mark.req("CASH-2")
def test_expects_what_came_in_less_what_went_out() -> None:
    """100.00 + 40.00 + 3.00 - 6.00 - 5.00 - 2.00 = 130.00; 95.00 counted are 35.00 short."""
    session = closed(usd(9_500))
    moved = {"float": 10_000, "payment": 4_000, "paid_in": 300, "refund": 600, "paid_out": 500}
    moved |= {"drop": 200, "short": 3_500, "turned_in": 9_500}

    [column] = cash_report([session], flows(session, **moved)).totals

    assert (column.expected, column.counted, column.variance) == (
        usd(13_000),
        usd(9_500),
        usd(-3_500),
    )


@pytest.mark.req("CASH-2")
def test_sums_sessions_currency_by_currency_in_the_order_of_their_codes() -> None:
    first = closed(usd(9_500))
    euros = Money.of_minor_units(700, EUR)
    second = replace(closed(usd(9_500), euros), id=OTHER)
    moved = [
        *flows(first, **SHORT),
        *flows(second, **SHORT),
        Flow(OTHER, FlowKind.PAYMENT, euros),
        Flow(OTHER, FlowKind.TURNED_IN, euros),
    ]

    report = cash_report([first, second], moved)

    assert [(each.currency, each.counted, each.variance) for each in report.totals] == [
        (EUR, euros, Money.zero(EUR)),
        ("USD", usd(19_000), usd(-1_000)),
    ]


@pytest.mark.req("CASH-3")
def test_passes_over_what_moved_in_a_drawer_that_is_not_closed() -> None:
    running, waiting = Drawer(), Drawer()
    waiting.session.id = OTHER
    waiting.count(usd(9_500))
    sessions = [running.session, waiting.session]

    report = cash_report(sessions, [*flows(running.session, float=10_000)])

    assert (report.drawers, report.totals) == ((), ())
    assert report.not_closed == tuple(sessions)


@pytest.mark.req("CASH-2", "MON-6")
@pytest.mark.parametrize(
    "wrong",
    [{"short": 400}, {"turned_in": 9_400}, {"payment": 1}, {"over": 500}],
    ids=["variance", "turned in", "expected", "over and short"],
)
def test_refuses_to_report_what_does_not_add_up(wrong: dict[str, int]) -> None:
    session = closed(usd(9_500))

    with pytest.raises(ValueError, match="do not add up"):
        cash_report([session], flows(session, **{**SHORT, **wrong}))


@pytest.mark.req("CASH-2")
def test_a_drawer_in_which_nothing_was_and_nothing_is_has_no_currency() -> None:
    drawer = Drawer()
    cash_close.initiate_close(drawer.session, counted(), 1, (), drawer.by("karim"), drawer.desk)
    assert drawer.session.counted
    drawer.close(drawer.session.counted.sha256)

    report = cash_report([drawer.session], [])

    assert [each.columns for each in report.drawers] == [()]
    assert report.totals == ()
