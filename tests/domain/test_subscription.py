"""What a subscription costs whatever changes, and what may become of it (SUB-2, SUB-5, BEY-8)."""

import random
from copy import copy
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from common.domain.identifiers import PlanVersionId, SubscriptionId, SubscriptionInvoiceId
from common.domain.money import Currency, Money
from common.domain.period import Interval
from common.domain.plan import PlanFees, PlanLimits, PlanVersion
from common.domain.processor_payment import PaymentStatus
from common.domain.proration import GivenBack, Segment, cost, kept, with_fee
from common.domain.subscription import (
    TRANSITIONS,
    Status,
    Subscription,
    SubscriptionStateRefuses,
    SubscriptionUnchanged,
    begin,
    change_of,
)
from common.domain.subscription_given_back import went_back
from common.domain.subscription_invoice import (
    Bill,
    LineKind,
    PlatformSeries,
    Purpose,
    SubscriptionInvoice,
    entries_of,
    issue,
)
from common.domain.subscription_life import (
    cancel,
    end_there,
    go_on_there,
    pause,
    renew,
    resume,
)
from common.domain.subscription_payment import SubscriptionPayment
from common.domain.subscription_terms import Terms
from tests.domain.front_desk import Desk

USD = Currency("USD")
START = datetime(2026, 4, 1, 12, 0, 0, tzinfo=UTC)
THIRTY_DAYS = 30 * 86_400


def usd(cents: int) -> Money:
    return Money.of_minor_units(cents, USD)


def plan(cents: int, number: int = 1) -> PlanVersion:
    """A plan of so much a month, and a hundredth of it for each seat beyond one."""
    seat = usd(cents // 100)
    return PlanVersion(
        id=PlanVersionId.of(f"{cents:026}"),
        plan=f"plan_{cents}",
        number=number,
        name="Plan",
        currency=USD,
        fees=PlanFees(
            month=usd(cents), year=usd(cents * 10), seat_month=seat, seat_year=seat.times(10)
        ),
        credits_micro=1_000_000,
        limits=PlanLimits(users=1),
        support="email",
        published_at=START,
    )


def terms(cents: int, seats: int = 1, interval: Interval = Interval.MONTH) -> Terms:
    return Terms.of(plan(cents), seats, interval, None)


def begun(cents: int = 2_900, zone: str = "UTC", start: datetime = START) -> Subscription:
    told = begin(SubscriptionId.of("0" * 26), terms(cents), zone, start, None)
    return told.subject


def changed(subscription: Subscription, wanted: Terms, at: datetime) -> Bill | None:
    return change_of(subscription, wanted, wanted, at, "why").bill


@pytest.mark.req("SUB-5")
def test_the_rest_of_a_period_is_prorated_to_the_second() -> None:
    """29.00 for thirty days; after ten days and a second 99.00.

    864,001 seconds of 29.00 and 1,727,999 of 99.00 in 2,592,000: 75.666639..., rounded 75.67, of
    which 29.00 were billed. Unused are 19.33 of 29.00 (19.333322...), so the rest is 66.00.
    """
    subscription = begun()

    bill = changed(subscription, terms(9_900), START + timedelta(days=10, seconds=1))

    assert bill is not None
    assert [line.amount for line in bill.lines] == [usd(-1_933), usd(6_600)]
    assert (bill.total, bill.due, subscription.billed) == (usd(4_667), usd(4_667), usd(7_567))


def test_costs_are_rounded_once_half_away_from_zero() -> None:
    """0.01 for half of a period is half a cent: one cent. For a second less it is none."""
    half = (Segment(left_seconds=100, fee_micro=10_000), Segment(left_seconds=50, fee_micro=0))
    less = (Segment(left_seconds=100, fee_micro=10_000), Segment(left_seconds=51, fee_micro=0))

    assert (cost(half, 100, USD), cost(less, 100, USD)) == (usd(1), usd(0))
    assert with_fee(half, 50, usd(7))[1:] == (Segment(left_seconds=50, fee_micro=70_000),)


@pytest.mark.req("SUB-5", "BEY-8")
def test_there_and_back_within_a_second_costs_nothing() -> None:
    """By any way round, and however often: two microseconds apart are the same second."""
    rng = random.Random(5)
    for _ in range(200):
        subscription = begun(rng.randrange(0, 10_000))
        at = START + timedelta(seconds=rng.randrange(THIRTY_DAYS))
        before, totals = copy(subscription), []
        ways = [terms(rng.randrange(10_001, 99_999), rng.randrange(1, 9)) for _ in range(3)]
        for wanted in (*ways, subscription.terms):
            at += timedelta(microseconds=2)
            bill = changed(subscription, wanted, at)
            totals.append(bill.total.amount_micro if bill else 0)
        assert sum(totals) == 0
        assert (subscription.billed, subscription.terms) == (before.billed, before.terms)


@pytest.mark.req("BEY-8")
def test_no_circle_costs_less_than_the_cheapest_of_its_terms() -> None:
    """Random changes at random seconds, which end where they began: what they came to is the exact
    cost of the seconds of each, rounded, and never less than the cheapest all the time."""
    rng = random.Random(8)
    for _ in range(300):
        fees = [rng.randrange(0, 20_000) for _ in range(rng.randrange(2, 6))]
        subscription = begun(fees[0])
        moments = sorted(rng.sample(range(THIRTY_DAYS), len(fees)))
        billed, exact, since = fees[0] * 10_000, Fraction(0), 0
        fee = subscription.terms.fee
        for second, cents in zip(moments, [*fees[1:], fees[0]], strict=True):
            exact += Fraction(fee.amount_micro * (second - since), THIRTY_DAYS)
            try:
                bill = changed(subscription, terms(cents), START + timedelta(seconds=second))
            except SubscriptionUnchanged:
                bill = None
            billed += bill.total.amount_micro if bill else 0
            fee, since = subscription.terms.fee, second
        exact += Fraction(fee.amount_micro * (THIRTY_DAYS - since), THIRTY_DAYS)
        assert abs(billed - exact) <= 5_000
        assert billed >= min(fees) * 10_000


@pytest.mark.req("WH-5", "BEY-8")
def test_what_went_back_counts_for_what_is_not_used() -> None:
    """99.00, of which 20.00 went back: what costs 64.00 is kept at 84.00, and 50.00 at 70.00. At
    84.00 another 50.00 go back: 64.00 stay at 84.00, and 30.00 at 84.00 too, or 10.00 at 80.00."""
    first = GivenBack(source="a", billed_micro=99_000_000, net_micro=20_000_000)
    then = GivenBack(source="b", billed_micro=84_000_000, net_micro=50_000_000)

    kept_once = [kept(usd(cents), (first,)) for cents in (10_000, 9_900, 9_000, 6_400, 5_000)]
    kept_twice = [kept(usd(cents), (first, then)) for cents in (9_900, 6_400, 3_000, 1_000)]

    assert kept_once == [usd(cents) for cents in (10_000, 9_900, 9_900, 8_400, 7_000)]
    assert kept_twice == [usd(cents) for cents in (9_900, 8_400, 8_400, 8_000)]


@pytest.mark.req("WH-5", "BEY-8")
def test_no_circle_earns_beside_refunds() -> None:
    """Random changes and refunds, each refund of what is left of what was paid: what stays paid is
    never less than nothing, nor than what the time cost until now less what went back before any
    change; and there and back within a second is nothing, whatever went back."""
    rng = random.Random(13)
    for _ in range(300):
        subscription = begun(rng.randrange(1, 20_000))
        kept_paid, at = subscription.billed, START
        for number in range(6):
            at += timedelta(seconds=rng.randrange(THIRTY_DAYS // 7))
            if rng.random() < 0.4 and not kept_paid.is_zero:
                back = usd(rng.randrange(1, kept_paid.minor_units + 1))
                went_back(subscription, paid(subscription), f"re_{number}", usd(0), back)
                kept_paid -= back
            billed, standing = subscription.billed, subscription.terms
            for wanted in (terms(rng.randrange(0, 20_000)), terms(20_001), standing):
                change_of(subscription, wanted, wanted, at, "why")
            assert subscription.billed == billed
            change = changed(subscription, terms(20_002 + number if number % 2 else number), at)
            assert change is not None
            kept_paid += change.total
            assert kept_paid.amount_micro >= 0
            assert subscription.billed >= cost(
                subscription.segments, subscription.period_seconds, USD
            )


def paid(subscription: Subscription) -> SubscriptionInvoice:
    """An invoice of all that the current period was billed with."""
    line = subscription.terms.line(LineKind.PLAN_FEE, subscription.period, subscription.billed)
    bill = Bill.of(Purpose.PERIOD, subscription.period_number, subscription.period, (line,), usd(0))
    series = PlatformSeries(year=2026, last_number=0, last_sha256=None)
    invoice_id = SubscriptionInvoiceId.of("1" * 26)
    return issue(bill, invoice_id, subscription.id, series, {}, START).subject


@pytest.mark.req("BEY-4")
def test_what_is_taken_for_an_open_invoice_is_not_second() -> None:
    """It pays: only behind another one does money go back by itself."""
    invoice, desk = paid(begun()), Desk()
    taken = SubscriptionPayment.taken_there(invoice, 1, "in_1", "pi_1", invoice.left, desk)

    with pytest.raises(ValueError, match="pays"):
        taken.second(invoice, desk)

    assert taken.status is PaymentStatus.SUCCEEDED
    assert taken.pays().name == "subscription_payment.succeeded"


@pytest.mark.req("SUB-5", "MON-6")
def test_bills_are_set_off_and_booked_to_the_micro_unit() -> None:
    """70.00 below nothing leave 70.00; a bill of 99.00 then asks for 29.00, of 50.00 for none."""
    period, nothing = begun().period, usd(0)

    def made(cents: int, credit: Money) -> Bill:
        line = terms(9_900).line(LineKind.REST, period, usd(cents))
        return Bill.of(Purpose.CHANGE, 1, period, (line,), credit)

    below, above, within = made(-7_000, nothing), made(9_900, usd(7_000)), made(5_000, usd(7_000))

    assert [(each.brought, each.carried, each.due) for each in (below, above, within)] == [
        (nothing, usd(7_000), nothing),
        (usd(7_000), nothing, usd(2_900)),
        (usd(5_000), nothing, nothing),
    ]
    booked = [(e.debit, e.credit, e.amount) for e in entries_of(above)]
    assert booked == [
        ("receivable", "subscription_revenue", usd(9_900)),
        ("customer_credit", "receivable", usd(7_000)),
    ]
    assert [(e.debit, e.credit) for e in entries_of(below)] == [
        ("subscription_revenue", "customer_credit")
    ]


@pytest.mark.req("SUB-2")
def test_the_table_is_all_that_may_happen() -> None:
    """36 pairs of states: those of the table are gone over to, the others are refused."""
    for before in Status:
        for after in Status:
            subscription = begun()
            subscription.status = before
            if after in TRANSITIONS[before]:
                subscription.move(after)
                assert subscription.status is after
            else:
                with pytest.raises(SubscriptionStateRefuses):
                    subscription.move(after)
                assert subscription.status is before
    assert TRANSITIONS[Status.CANCELED] == frozenset()
    assert Status.PAUSED not in TRANSITIONS[Status.PAST_DUE]


@pytest.mark.req("SUB-8")
def test_a_pause_takes_nothing_and_gives_nothing() -> None:
    """Ten days used, a hundred days of pause, and a change ten days on: a third is left of it."""
    subscription = begun()
    pause(subscription, START + timedelta(days=10), "why")
    resume(subscription, START + timedelta(days=110), "why")
    assert subscription.period.end == START + timedelta(days=130)

    bill = changed(subscription, terms(9_900), START + timedelta(days=120))

    assert bill is not None
    assert bill.total == usd(2_333)  # a third of 70.00
    renewed = renew(subscription, START + timedelta(days=130))
    assert renewed.subject.period.start == START + timedelta(days=130)


@pytest.mark.req("WH-4", "MIG-1")
def test_an_end_of_the_version_before_stands_when_an_earlier_one_is_taken_back_there() -> None:
    """It was set here, and there was no word for that yet: nobody is billed beyond it."""
    subscription = begun()
    subscription.committed_periods = 2
    cancel(subscription, START, "moving away", at_once=False, release=False)
    subscription.committed_periods, subscription.ends_here = 0, None

    assert end_there(subscription, START + timedelta(days=3), START) is not None
    assert subscription.last_period == 1
    assert go_on_there(subscription) is not None

    assert subscription.last_period == 2
