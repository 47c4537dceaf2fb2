"""Odd patterns of cash are pointed out once, whoever detects them (CASH-10, AI-1)."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest

from common.domain.cash_patterns import ActorFigures, Finding, Pattern
from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from jobs.detect_cash_patterns import detect_cash_patterns
from tests import nights
from tests.hotel import Hotel, House, usd
from tests.nights import EVENING, FIRST_NIGHT, NEXT_DAY
from tests.proofs import assert_books_are_right, state, trail
from tests.refunding import refund
from tests.till import Till
from tests.together import at_once

pytestmark = pytest.mark.req("CASH-10", "AI-1")
SHORT_CENTS = 500


@dataclass
class Orchestrator:
    """A detector that says what it is told to, or breaks."""

    says: tuple[Finding, ...] = ()
    breaks: Exception | None = None
    name: str = "orchestrator"
    heard: list[Sequence[ActorFigures]] = field(default_factory=list)

    def look(self, tenant_id: UUID, figures: Sequence[ActorFigures]) -> Sequence[Finding]:
        self.heard.append(figures)
        if self.breaks is not None:
            raise self.breaks
        return self.says


@pytest.fixture
def short(hotel: Hotel, clock: Callable[[str], None]) -> Hotel:
    """Karim's drawer was short by 5.00, five times on one day; that day is over."""
    clock(EVENING)
    for _ in range(5):
        till = Till.opened(hotel, usd(10_000))
        assert till.initiate(usd(10_000 - SHORT_CENTS)).status_code == 200
        assert till.close(usd(10_000 - SHORT_CENTS)).status_code == 200
    clock(NEXT_DAY)
    assert nights.run(hotel).exit_code == 0
    return hotel


@pytest.fixture
def asking(short: Hotel) -> Iterator[Callable[[Orchestrator], Hotel]]:
    """The hotel at an instance that has an orchestrator."""
    begun: list[House] = []

    def beside(orchestrator: Orchestrator) -> Hotel:
        begun.append(short.house.beside(powers={"detector": orchestrator}))
        return replace(short, house=begun[-1])

    yield beside
    for house in begun:
        house.close()


def run(hotel: Hotel) -> Progress:
    """Run the detector for this hotel."""
    return hotel.house.wiring.job_shell.run(
        declaration_of(detect_cash_patterns),  # type: ignore[arg-type]
        Orders(tenants=(hotel.tenant_id,)),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def signals(hotel: Hotel, **asked: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = hotel.get("/ai-signals", **asked).json["items"]
    return items


def looks(hotel: Hotel) -> list[list[Any]]:
    return hotel.rows("SELECT business_date::text, source FROM {s}.cash_scans ORDER BY 1")


def test_points_out_whose_drawers_come_short(short: Hotel) -> None:
    done = run(short)

    assert (done.done, done.failed, done.exit_code) == (1, 0, 0)
    (signal,) = signals(short)
    assert (signal["pattern"], signal["actor"]) == ("variance_trend", "karim")
    assert signal["figures"] == {"sessions": 5, "shortMicro": 25_000_000}
    assert (signal["scorePpm"], signal["source"]) == (1_000_000, "statistics")
    assert (signal["businessDate"], signal["verdict"]) == (FIRST_NIGHT, None)
    assert looks(short) == [[FIRST_NIGHT, "statistics"]]
    (raised,) = trail(short, "ai_signal.raised")
    assert raised["actor"] == "system:detect_cash_patterns"
    assert_books_are_right(short)


def test_points_out_who_gives_cash_back_soon_after_taking_it(
    hotel: Hotel, clock: Callable[[str], None]
) -> None:
    """Six of Karim's six payments went back within the hour; of Zahra's forty none did."""
    clock(EVENING)
    zahra, karim = (Till.opened(hotel, usd(10_000), by=name) for name in ("zahra", "karim"))
    folio = hotel.open_folio()
    for _ in range(40):
        zahra.pay(usd(100), folio)
    for _ in range(6):
        payment = karim.pay(usd(100), folio).json["lines"][0]["lineId"]
        assert refund(hotel, folio, payment, usd(100), "karim").status_code == 201
    clock(NEXT_DAY)
    nights.run(hotel)

    run(hotel)

    assert [(each["actor"], each["pattern"]) for each in signals(hotel)] == [
        ("karim", "quick_refunds")
    ]


def test_looks_at_a_day_once_and_raises_a_pattern_once(
    short: Hotel, clock: Callable[[str], None]
) -> None:
    run(short)
    before = state(short)
    again = run(short)
    unchanged = state(short) == before
    clock("2026-03-03T06:00:00+00:00")
    nights.run(short)

    run(short)

    assert (again.due, unchanged) == (0, True)
    assert [day for day, _ in looks(short)] == [FIRST_NIGHT, "2026-03-02"]
    assert len(signals(short)) == 1


def test_two_runs_at_once_raise_it_once(short: Hotel) -> None:
    done = at_once([lambda: run(short)] * 2)

    assert [each.exit_code for each in done] == [0, 0]
    assert len(signals(short)) == 1
    assert_books_are_right(short)


def test_the_orchestrators_word_is_kept_where_there_is_one(
    short: Hotel, asking: Callable[[Orchestrator], Hotel]
) -> None:
    odd = Finding(
        pattern=Pattern.QUICK_REFUNDS, actor="karim", score_ppm=700_000, figures={"count": 3}
    )
    orchestrator = Orchestrator(says=(odd,))

    run(asking(orchestrator))

    (signal,) = signals(short)
    assert (signal["pattern"], signal["source"]) == ("quick_refunds", "orchestrator")
    ((heard,),) = orchestrator.heard
    assert (heard.actor, len(heard.variances)) == ("karim", 5)


@pytest.mark.parametrize("broken", [ConnectionError("down"), TimeoutError(), KeyError("score")])
def test_an_orchestrator_that_is_down_changes_no_result(
    short: Hotel, asking: Callable[[Orchestrator], Hotel], broken: Exception
) -> None:
    done = run(asking(Orchestrator(breaks=broken)))

    assert (done.done, done.exit_code) == (1, 0)
    assert [each["pattern"] for each in signals(short)] == ["variance_trend"]
    assert looks(short) == [[FIRST_NIGHT, "statistics"]]


def test_what_cannot_be_true_is_passed_over(
    short: Hotel, asking: Callable[[Orchestrator], Hotel]
) -> None:
    """About somebody who was not there, twice, and surer than sure."""
    good = Finding(
        pattern=Pattern.QUICK_REFUNDS, actor="karim", score_ppm=600_000, figures={"count": 3}
    )
    stranger, surer = replace(good, actor="nobody"), replace(good, score_ppm=2_000_000)

    run(asking(Orchestrator(says=(stranger, surer, good, good))))

    assert [(each["actor"], each["scorePpm"]) for each in signals(short)] == [("karim", 600_000)]


def test_moves_no_money_and_stops_nobody(short: Hotel) -> None:
    """Of the books only the signal, its trail and the look are new; Karim works on."""
    aside = ("ai_signals", "cash_scans", "audit_entries")
    before = state(short, without=aside)

    run(short)

    assert state(short, without=aside) == before
    assert Till.opened(short, usd(10_000)).move("paid_out", usd(100)).status_code == 201
