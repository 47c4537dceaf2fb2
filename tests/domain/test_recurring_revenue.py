"""Recurring revenue and its bridge, over three years of a platform with forty tenants (BEY-15).

The whole life is played by the rules alone, from a seed: tenants come, try, change plan, seats and
interval, pause, are suspended and pay again, end, and come back.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest

from common.domain.identifiers import SubscriptionId
from common.domain.money import Currency, Money
from common.domain.period import Interval, Period
from common.domain.platform_figures import Customers, Days, share_of
from common.domain.recurring_revenue import (
    UNCOUNTED,
    Counted,
    MovementKind,
    RevenueMovement,
    kind_of,
    monthly_worth,
)
from common.domain.revenue_bridge import Bridge, InvoicedLine, nothing_moved, recognition
from common.domain.subscription import (
    Status,
    Subscription,
    SubscriptionFact,
    begin,
    change_of,
)
from common.domain.subscription_invoice import LineKind, entries_of
from common.domain.subscription_life import (
    cancel,
    has_ended,
    pause,
    reactivate,
    renew,
    resume,
    suspend,
)
from common.domain.subscription_terms import Terms
from common.domain.trial import begin_trial, end_trial
from tests.domain.test_subscription import terms, usd

pytestmark = pytest.mark.req("ANA-1", "BEY-15")

USD = Currency("USD")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
YEARS = 3
DAYS = YEARS * 365
NOTHING = Money.zero(USD)


@dataclass
class Books:
    """What is written down of all tenants: movements, lines, and what was booked as earned."""

    movements: list[RevenueMovement] = field(default_factory=list)
    lines: list[InvoicedLine] = field(default_factory=list)
    booked: list[tuple[datetime, Money]] = field(default_factory=list)

    def keep(self, fact: SubscriptionFact, now: datetime) -> None:
        subscription, bill = fact.subject, fact.bill
        if (moved := subscription.count(now)) is not None:
            self.movements.append(moved)
        if bill is None:
            return
        self.lines += [
            InvoicedLine(kind=line.kind, period=line.period, amount=line.amount, issued_at=now)
            for line in bill.lines
        ]
        for entry in entries_of(bill):
            if "subscription_revenue" in (entry.debit, entry.credit):
                earned = entry.credit == "subscription_revenue"
                self.booked.append((now, entry.amount if earned else -entry.amount))

    def worth(self, at: datetime) -> Money:
        """By what the last movement of each has left."""
        last = {each.subscription_id: each for each in self.movements if each.recorded_at < at}
        return Money.total((each.worth for each in last.values()), USD)

    def bridge(self, start: datetime, end: datetime) -> Bridge:
        moved = nothing_moved(USD)
        for each in self.movements:
            if start <= each.recorded_at < end:
                moved[each.kind] += each.change
        return Bridge(opening=self.worth(start), moved=moved, closing=self.worth(end))


@dataclass
class Tenant:
    """One tenant's life; a `plain` one changes plans and nothing else."""

    number: int
    chance: random.Random
    books: Books
    plain: bool
    subscription: Subscription | None = None
    times: int = 0

    def day(self, now: datetime) -> None:
        known = self.subscription
        if known is None or known.status is Status.CANCELED:
            if self.chance.random() < 0.02:
                self._begin(known, now)
            return
        self._follow(known, now)
        if known.status is not Status.CANCELED and self.chance.random() < 0.03:
            self._act(known, now)

    def _wanted(self) -> Terms:
        interval = self.chance.choice((Interval.MONTH, Interval.MONTH, Interval.YEAR))
        return terms(self.chance.choice((0, 2_900, 9_900, 10_001)), 1, interval)

    def _begin(self, before: Subscription | None, now: datetime) -> None:
        self.times += 1
        name = SubscriptionId.of(f"{self.number:013}{self.times:013}")
        told: SubscriptionFact
        if before is None and not self.plain and self.chance.random() < 0.4:
            told, _ = begin_trial(name, self._wanted(), "UTC", now, days=14)
        else:
            told = begin(name, self._wanted(), "Asia/Kabul", now, None)
        if before is not None:
            told.subject.follow(before)
        self.subscription = told.subject
        self.books.keep(told, now)

    def _follow(self, known: Subscription, now: datetime) -> None:
        """What the cycle does, some hours late."""
        while known.due_at is not None and known.due_at <= now:
            if known.status is Status.TRIALING:
                has_method = self.chance.random() < 0.5
                self.books.keep(end_trial(known, now, has_method=has_method), now)
                continue
            used = known.terms.line(
                LineKind.USAGE, known.period, usd(self.chance.randrange(0, 500))
            )
            self.books.keep(renew(known, now, (used,)), now)

    def _act(self, known: Subscription, now: datetime) -> None:
        fact: SubscriptionFact
        deed = "change" if self.plain else self.chance.choice(DEEDS)
        match (deed, known.status):
            case ("change", Status.ACTIVE | Status.TRIALING):
                wanted = self._wanted()
                same = wanted.interval is known.terms.interval
                at_once = wanted if same else known.terms
                if (at_once, None if same else wanted) == (known.terms, known.next_terms):
                    return
                fact = change_of(known, at_once, wanted, now, "why")
            case ("pause", Status.ACTIVE):
                fact = pause(known, now, "why")
            case (_, Status.PAUSED):
                fact = resume(known, now, "why")
            case ("suspend", Status.ACTIVE):
                fact = suspend(known, "why")
            case (_, Status.SUSPENDED) if has_ended(known, now):
                fact = renew(known, now, also_suspended=True)
            case (_, Status.SUSPENDED):
                fact = reactivate(known, now, "why")
            case ("end", Status.ACTIVE | Status.TRIALING):
                at_once_too = self.chance.random() < 0.5
                fact = cancel(known, now, "why", at_once=at_once_too, release=True)
            case _:
                return
        self.books.keep(fact, now)


DEEDS = ("change", "change", "change", "pause", "suspend", "end")


def played(seed: int, tenants: int = 40, *, plain: bool = False) -> tuple[Books, list[Tenant]]:
    """Three years, day by day; on each day everybody has their own second."""
    books, chance = Books(), random.Random(seed)
    there = [Tenant(number, chance, books, plain) for number in range(tenants)]
    for day in range(DAYS):
        for tenant in there:
            tenant.day(BEGAN + timedelta(days=day, seconds=chance.randrange(86_400)))
    return books, there


@pytest.fixture(scope="module")
def base() -> tuple[Books, list[Tenant]]:
    books, tenants = played(20_260_101)
    assert {each.kind for each in books.movements} == set(MovementKind)
    return books, tenants


def firsts() -> list[datetime]:
    """Thirty-seven instants, the beginnings of thirtieths of days."""
    return [BEGAN + timedelta(days=30 * month) for month in range(DAYS // 30 + 2)]


def test_nothing_of_three_years_is_unexplained(base: tuple[Books, list[Tenant]]) -> None:
    """Month by month, and over every stretch of months that begins with the first."""
    books, _ = base
    for start in (BEGAN, None):
        for earlier, end in pairwise(firsts()):
            since = start or earlier
            bridge = books.bridge(since, end)
            booked = Money.total((a for at, a in books.booked if since <= at < end), USD)
            found = recognition(books.lines, booked, since, end)
            assert (bridge.unexplained, found.unexplained) == (NOTHING, NOTHING), (since, end)


def test_what_was_earned_adds_up_over_any_days_and_in_the_end_to_what_was_invoiced(
    base: tuple[Books, list[Tenant]],
) -> None:
    books, _ = base
    far = BEGAN + timedelta(days=DAYS + 800)
    cuts = sorted({BEGAN, far, *random.Random(7).sample(firsts(), 9)})

    pieces = [recognition(books.lines, NOTHING, start, end).earned for start, end in pairwise(cuts)]
    whole = recognition(books.lines, NOTHING, BEGAN, far)

    assert Money.total(pieces, USD) == whole.earned == whole.invoiced
    assert (whole.deferred_before, whole.deferred_after) == (NOTHING, NOTHING)
    assert whole.invoiced > NOTHING


def test_each_subscription_is_worth_what_its_movements_come_to(
    base: tuple[Books, list[Tenant]],
) -> None:
    books, tenants = base
    for tenant in tenants:
        if (known := tenant.subscription) is None:
            continue
        mine = [each for each in books.movements if each.subscription_id == known.id]
        assert Money.total((each.change for each in mine), USD) == known.worth
        assert [each.number for each in mine] == list(range(1, len(mine) + 1))
    news = [each for each in books.movements if each.kind is MovementKind.NEW]
    assert len(news) == len({each.subscription_id[:17] for each in news})


def test_what_subscriptions_are_worth_is_what_their_periods_cost() -> None:
    """Of who only changes plans: a period costs the worth of each second in it, to a cent."""
    books, tenants = played(5, 12, plain=True)
    for tenant in tenants:
        known = tenant.subscription
        assert known is not None
        steps = [each for each in books.movements if each.subscription_id == known.id]
        months = known.terms.interval.months
        exact = Fraction(0)
        for place, step in enumerate(steps):
            begins = max(step.occurred_at, known.period.start)
            ends = steps[place + 1].occurred_at if place + 1 < len(steps) else known.period.end
            seconds = Fraction((min(ends, known.period.end) - begins).total_seconds())
            exact += max(seconds, Fraction(0)) * step.worth.amount_micro * months
        owed = exact / known.period_seconds
        assert abs(owed - known.billed.amount_micro) <= 5_000 + 6 * months + 1_200, tenant.number


def test_a_twelfth_of_a_year_is_rounded_once_half_away_from_zero() -> None:
    """290.00 a year: 24.1666666..., so 24.166667; what is finer than a micro unit is lost once."""
    assert monthly_worth(usd(29_000), Interval.YEAR) == Money(24_166_667, USD)
    assert monthly_worth(usd(2_900), Interval.MONTH) == usd(2_900)


def test_a_step_is_named_by_where_it_comes_from_and_leads() -> None:
    known = Counted(worth_micro=5, movements=2, has_paid=True)
    gone = Counted(movements=3, has_paid=True)

    assert [kind_of(UNCOUNTED, 0), kind_of(known, 5), kind_of(gone, 0)] == [None] * 3
    assert kind_of(UNCOUNTED, 5) is MovementKind.NEW
    assert kind_of(gone, 5) is MovementKind.REACTIVATION
    assert kind_of(known, 6) is MovementKind.EXPANSION
    assert kind_of(known, 4) is MovementKind.CONTRACTION
    assert kind_of(known, 0) is MovementKind.CHURN


def test_a_line_is_earned_evenly_and_usage_at_once() -> None:
    """10.00 over 30 days, invoiced a day late: after 10 days 3.333333 are earned."""
    period = Period(BEGAN, BEGAN + timedelta(days=30))
    late = BEGAN + timedelta(days=1)
    line = InvoicedLine(kind=LineKind.PLAN_FEE, period=period, amount=usd(1_000), issued_at=late)

    assert line.earned(late) == line.deferred(late) == NOTHING
    assert line.earned(BEGAN + timedelta(days=10)) == Money(3_333_333, USD)
    assert line.deferred(BEGAN + timedelta(days=10)) == Money(6_666_667, USD)
    assert line.earned(period.end) == usd(1_000)
    used = InvoicedLine(kind=LineKind.USAGE, period=period, amount=usd(7), issued_at=late)
    assert used.earned(late + timedelta(seconds=1)) == usd(7)


def test_days_are_final_when_nothing_can_be_written_into_them_any_more() -> None:
    """Five minutes after midnight; until then the last day ends now."""
    first = BEGAN.date()
    midnight = BEGAN + timedelta(days=1)

    assert Days.of(first, first, midnight + timedelta(minutes=5)).is_final
    assert not Days.of(first, first, midnight + timedelta(minutes=4)).is_final
    assert Days.of(first, first, BEGAN + timedelta(hours=3)).end == BEGAN + timedelta(hours=3)
    assert (share_of(1, 3), share_of(0, 0)) == (3_333, None)
    assert Customers() == Customers(before=0, after=0, lost=0)
