"""A tenant's subscription to the platform: its states, its periods, and what each of them costs.

There is one table of transitions and no other way from state to state (SUB-2). A period is billed
when it begins, and begins when the one before it is over: so each is billed once, in order, however
late the bill is written (SUB-4). What the platform's staff changes within a period is prorated by
`common.domain.proration`; an interval changes with the period, so that the anchor stays (SUB-3).

A pause stops the clock: what was left of the period when it began is left when it ends, and the
anchor moves with the end of the period (SUB-8). Who has committed to a year and cancels before its
end is billed to that end and no further (SUB-9).
"""

from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, TypeVar

from common.domain import recurring_revenue as revenue
from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import SubscriptionId
from common.domain.money import Currency, Money
from common.domain.period import Interval, Period, boundary, second_of, seconds_between
from common.domain.platform_tax import UNTAXED, BillTax
from common.domain.proration import GivenBack, Segments, cost, kept, share, with_fee
from common.domain.refusal import Conflict, Missing
from common.domain.subscription_invoice import Bill, InvoiceLine, LineKind, Purpose
from common.domain.subscription_terms import Terms


class SubscriptionUnknown(Missing):
    code = "SUBSCRIPTION_UNKNOWN"
    title = "The tenant has no subscription"


class SubscriptionExists(Conflict):
    code = "SUBSCRIPTION_EXISTS"
    title = "The tenant has a subscription already"


class SubscriptionStateRefuses(Conflict):
    code = "SUBSCRIPTION_STATE_REFUSES"
    title = "The subscription's state does not allow this"


class PeriodNotBilled(Conflict):
    code = "SUBSCRIPTION_PERIOD_NOT_BILLED"
    title = "The period is over and the next one has not begun: run the cycle first"


class NothingIsDue(Conflict):
    code = "SUBSCRIPTION_NOTHING_DUE"
    title = "The period of the subscription is not over"


class SubscriptionUnchanged(Conflict):
    code = "SUBSCRIPTION_UNCHANGED"
    title = "The subscription has these terms already"


class CommitmentBinds(Conflict):
    code = "COMMITMENT_BINDS"
    title = "The tenant has committed to these terms for longer"


class Status(StrEnum):
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    CANCELED = "canceled"


TRANSITIONS: Final[dict[Status, frozenset[Status]]] = {
    Status.TRIALING: frozenset({Status.ACTIVE, Status.CANCELED}),
    Status.ACTIVE: frozenset({Status.PAST_DUE, Status.SUSPENDED, Status.PAUSED, Status.CANCELED}),
    Status.PAST_DUE: frozenset({Status.ACTIVE, Status.SUSPENDED, Status.CANCELED}),
    Status.SUSPENDED: frozenset({Status.ACTIVE, Status.CANCELED}),
    Status.PAUSED: frozenset({Status.ACTIVE, Status.CANCELED}),
    Status.CANCELED: frozenset(),
}
"""Everything that may become of a subscription; whatever stands not here is refused."""
RUNNING: Final = frozenset({Status.ACTIVE, Status.PAST_DUE})
"""States in which periods follow one another."""
ADVANCING: Final = RUNNING | {Status.TRIALING}
"""States in which time runs, and terms can change."""


@dataclass(frozen=True, kw_only=True)
class SubscriptionFact(Fact):
    """Something that happened to a subscription; `bill` is what has to be invoiced of it."""

    subject: "Subscription" = field(repr=False, compare=False)
    bill: Bill | None = None


@dataclass(frozen=True, kw_only=True)
class SubscriptionCreated(SubscriptionFact):
    name = "subscription.created"


@dataclass(frozen=True, kw_only=True)
class SubscriptionRenewed(SubscriptionFact):
    """The next period has begun."""

    name = "subscription.renewed"


@dataclass(frozen=True, kw_only=True)
class SubscriptionChanged(SubscriptionFact):
    """It has other terms, at once or (an interval) from the next period on."""

    name = "subscription.changed"


@dataclass(frozen=True, kw_only=True)
class SubscriptionPaused(SubscriptionFact):
    name = "subscription.paused"


@dataclass(frozen=True, kw_only=True)
class SubscriptionResumed(SubscriptionFact):
    name = "subscription.resumed"


@dataclass(frozen=True, kw_only=True)
class SubscriptionPastDue(SubscriptionFact):
    """A charge was declined; it is served on until it is suspended."""

    name = "subscription.past_due"


@dataclass(frozen=True, kw_only=True)
class SubscriptionSuspended(SubscriptionFact):
    name = "subscription.suspended"


@dataclass(frozen=True, kw_only=True)
class SubscriptionReactivated(SubscriptionFact):
    name = "subscription.reactivated"


@dataclass(frozen=True, kw_only=True)
class CancellationScheduled(SubscriptionFact):
    """It ends with a period; what is still to be paid until then is on the subscription."""

    name = "subscription.cancellation_scheduled"


@dataclass(frozen=True, kw_only=True)
class SubscriptionCanceled(SubscriptionFact):
    name = "subscription.canceled"


F = TypeVar("F", bound=SubscriptionFact)


@dataclass(kw_only=True)
class Subscription(Aggregate):
    """See the module.

    `anchor_at` and `anchor_months` say where the current period ends: so many months after the
    anchor. `period_seconds` is the length that was billed; `billed` is what the invoices of the
    period come to, `given_back` what of it went back. `credit` is the tenant's, and pays the next
    invoices. The last period that may be billed is `last_period`, which somebody here has set
    (`ends_here`) or the processor (`ends_there`); `committed_periods` are owed in any case. `taxed`
    is how its next bills are taxed, `period_taxed` how the current period was, `counted` what was
    written down of its worth: none of them is a part of its state.
    """

    kind: ClassVar[str] = "subscription"
    id: SubscriptionId
    time_zone: str
    started_at: datetime
    terms: Terms
    next_terms: Terms | None = None
    status: Status = Status.ACTIVE
    anchor_at: datetime
    anchor_months: int = 0
    period_number: int = 0
    period: Period
    period_seconds: int = 0
    segments: Segments = ()
    given_back: tuple[GivenBack, ...] = ()
    billed: Money
    credit: Money
    period_credits_micro: int = 0
    committed_periods: int = 0
    last_period: int | None = None
    ends_there: int | None = None
    ends_here: int | None = None
    paused_at: datetime | None = None
    canceled_at: datetime | None = None
    taxed: BillTax = UNTAXED
    period_taxed: BillTax = UNTAXED
    counted: revenue.Counted = field(default=revenue.UNCOUNTED, repr=False, compare=False)

    def state(self) -> dict[str, object]:
        following, there = self.next_terms, self.ends_there
        back = [[each.source, each.billed_micro, each.net_micro] for each in self.given_back]
        bounds = [each.isoformat() for each in (self.period.start, self.period.end)]
        return {
            **({"endsThere": there, "endsHere": self.ends_here} if there is not None else {}),
            **({"givenBack": back} if back else {}),
            "status": self.status.value,
            "terms": self.terms.document(),
            "nextTerms": following and following.document(),
            "anchor": [self.anchor_at.isoformat(), self.anchor_months, self.time_zone],
            "period": [self.period_number, *bounds, self.period_seconds],
            "segments": [[each.left_seconds, each.fee_micro] for each in self.segments],
            "billedMicro": self.billed.amount_micro,
            "creditMicro": self.credit.amount_micro,
            "periodCreditsMicro": self.period_credits_micro,
            "committedPeriods": self.committed_periods,
            "lastPeriod": self.last_period,
            "pausedAt": self.paused_at and self.paused_at.isoformat(),
            "canceledAt": self.canceled_at and self.canceled_at.isoformat(),
        }

    @property
    def currency(self) -> Currency:
        return self.terms.fee.currency

    @property
    def due_at(self) -> datetime | None:
        """When the cycle has something to do next; None while its clock stands still."""
        return self.period.end if self.status in ADVANCING else None

    @property
    def is_committed(self) -> bool:
        """Whether periods are owed behind the current one."""
        return self.status is not Status.CANCELED and self.period_number < self.committed_periods

    @property
    def ends_at(self) -> datetime | None:
        """When a subscription that was canceled ends, or has ended."""
        if self.canceled_at is not None or self.last_period is None:
            return self.canceled_at
        months = max(self.last_period - self.period_number, 0) * self.terms.interval.months
        if not months:
            return self.period.end
        return boundary(self.anchor_at, self.anchor_months + months, self.time_zone)

    @property
    def obligation(self) -> Money:
        """What is still to be billed under a commitment, before any credit (SUB-9)."""
        left = max(self.committed_periods - self.period_number, 0) if self.is_committed else 0
        if self.last_period is not None:
            left = min(left, max(self.last_period - self.period_number, 0))
        return self.terms.fee.times(left)

    @property
    def worth(self) -> Money:
        """What it is worth a month while its periods follow one another; nothing else (ANA-1)."""
        if self.status not in RUNNING:
            return Money.zero(self.currency)
        return revenue.monthly_worth(self.terms.fee, self.terms.interval)

    def count(self, now: datetime) -> revenue.RevenueMovement | None:
        """By what its worth has moved since it was counted last. It did so when it ended, or when
        the period began that has begun since, and now otherwise."""
        at = self.canceled_at
        if at is None:
            has_begun = self.period_number != self.counted.period_number
            at = self.period.start if has_begun else now
        moved = revenue.movement(self.counted, self.id, self.worth, min(at, now), now)
        self.counted = revenue.after(self.counted, moved, self.period_number)
        return moved

    def follow(self, before: "Subscription") -> None:
        """Come after one that has ended: whoever was worth something then is not new now."""
        self.counted = revenue.Counted(has_paid=before.counted.has_paid)

    def move(self, to: Status) -> None:
        """Go over to another state. Refuses: SubscriptionStateRefuses."""
        if to not in TRANSITIONS[self.status]:
            raise SubscriptionStateRefuses(status=self.status.value, asked=to.value)
        self.status = to

    def must_run(self, now: datetime) -> None:
        """Refuses what needs a period that is running: SubscriptionStateRefuses, PeriodNotBilled.

        A period that is over is billed first, so that nothing is reckoned by terms of the past.
        """
        if self.status not in ADVANCING:
            raise SubscriptionStateRefuses(status=self.status.value)
        if second_of(now) >= self.period.end:
            raise PeriodNotBilled()

    def left_seconds(self, now: datetime) -> int:
        """What is left of the period."""
        at = self.paused_at or second_of(now)
        return max(seconds_between(at, self.period.end), 0)

    def told(self, fact: type[F], reason: str | None = None, bill: Bill | None = None) -> F:
        """Number a fact, and keep what its bill leaves of the credit."""
        if bill is not None:
            self.credit = self.credit + bill.carried - bill.brought
        return fact(subject=self, sequence=self.next_sequence(), reason=reason, bill=bill)

    def begin_period(self, start: datetime, usage: tuple[InvoiceLine, ...] = ()) -> Bill:
        """Let the next period begin, and bill it in advance; what was used, in arrears."""
        self.terms, self.next_terms = self.next_terms or self.terms, None
        self.anchor_months += self.terms.interval.months
        self.period_number += 1
        end = boundary(self.anchor_at, self.anchor_months, self.time_zone)
        self.period = Period(start, end)
        self.period_seconds = self.period.seconds
        self.segments = with_fee((), self.period_seconds, self.terms.fee)
        self.billed, self.given_back = self.terms.fee, ()
        self.period_credits_micro = self.terms.period_credits_micro
        self.period_taxed = self.taxed
        fee = self.terms.line(LineKind.PLAN_FEE, self.period, self.terms.fee)
        return self.bill(Purpose.PERIOD, (fee, *usage))

    def last_bill(self, usage: tuple[InvoiceLine, ...]) -> Bill | None:
        """What was used until the end, if anything was."""
        return self.bill(Purpose.USAGE, usage) if usage else None

    def bill(self, purpose: Purpose, lines: tuple[InvoiceLine, ...]) -> Bill:
        """The bill of some lines, taxed, and set off against the credit.

        What changes within a period is taxed as the period was: what is taken back was billed so.
        """
        taxed = self.period_taxed if purpose is Purpose.CHANGE else self.taxed
        return Bill.of(purpose, self.period_number, self.period, lines, self.credit, taxed)


def begin(
    subscription_id: SubscriptionId,
    terms: Terms,
    time_zone: str,
    now: datetime,
    reason: str | None,
    *,
    committed_periods: int = 0,
    taxed: BillTax = UNTAXED,
) -> SubscriptionCreated:
    """Begin a subscription, and its first period. Refuses: TimeZoneUnknown, CommitmentBinds."""
    if committed_periods and terms.interval is not Interval.MONTH:
        raise CommitmentBinds("A commitment to a year is paid by the month.")
    start = second_of(now)
    nothing = Money.zero(terms.fee.currency)
    subscription = Subscription(
        id=subscription_id,
        time_zone=time_zone,
        started_at=start,
        terms=terms,
        anchor_at=start,
        period=Period(start, start),
        billed=nothing,
        credit=nothing,
        committed_periods=committed_periods,
        taxed=taxed,
    )
    bill = subscription.begin_period(start)
    return subscription.told(SubscriptionCreated, reason, bill)


def change_of(
    subscription: Subscription, at_once: Terms, later: Terms, now: datetime, reason: str
) -> SubscriptionChanged:
    """Give a subscription the terms `at_once`, and `later` with the next period.

    A trial has billed nothing yet, and so nothing is prorated in it (SUB-10).
    Refuses: SubscriptionStateRefuses, PeriodNotBilled, SubscriptionUnchanged, CommitmentBinds,
    CurrenciesDiffer.
    """
    subscription.must_run(now)
    before, following = subscription.terms, later if later != at_once else None
    if (at_once, following) == (before, subscription.next_terms):
        raise SubscriptionUnchanged()
    if subscription.is_committed and (following is not None or at_once.fee < before.fee):
        raise CommitmentBinds(obligation=subscription.obligation.amount_micro)
    bill = None
    if (at_once.fee - before.fee).amount_micro and subscription.status is not Status.TRIALING:
        bill = _prorated(subscription, at_once, now)
    subscription.terms, subscription.next_terms = at_once, following
    return subscription.told(SubscriptionChanged, reason, bill)


def _prorated(subscription: Subscription, wanted: Terms, now: datetime) -> Bill:
    """Take the rest of the period back, and bill it by other terms; what went back stays so."""
    left, whole = subscription.left_seconds(now), subscription.period_seconds
    before = cost(subscription.segments, whole, subscription.currency)
    subscription.segments = with_fee(subscription.segments, left, wanted.fee)
    costs = cost(subscription.segments, whole, subscription.currency)
    billed = kept(costs, subscription.given_back)
    unused = -share(subscription.terms.fee, left, whole)
    back = billed - costs - (subscription.billed - before)
    subscription.billed = billed
    period = Period(second_of(now), subscription.period.end)
    lines = (
        subscription.terms.line(LineKind.UNUSED, period, unused),
        wanted.line(LineKind.REST, period, costs - before - unused),
        wanted.line(LineKind.GIVEN_BACK, period, back),
    )
    return subscription.bill(Purpose.CHANGE, lines[:2] if back.is_zero else lines)
