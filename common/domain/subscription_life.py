"""What becomes of a subscription over time: it is renewed, paused, resumed, canceled, reactivated.

Each is one step of the table in `common.domain.subscription`, told with its reason.
"""

from datetime import datetime, timedelta
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.period import Period, boundary, second_of
from common.domain.subscription import (
    ADVANCING,
    RUNNING,
    CancellationScheduled,
    CommitmentBinds,
    NothingIsDue,
    Status,
    Subscription,
    SubscriptionCanceled,
    SubscriptionFact,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionReactivated,
    SubscriptionRenewed,
    SubscriptionResumed,
    SubscriptionStateRefuses,
    SubscriptionSuspended,
)
from common.domain.subscription_invoice import InvoiceLine, Purpose
from common.domain.usage import NO_MORE_AFTER

ENDED = "The last period that was to be billed is over"
LATE = "What was used came late"
ENDED_THERE: Final = "Its subscription at the processor has ended, or will"
GOES_ON_THERE: Final = "Its subscription at the processor goes on"
CLOCKS_DIFFER: Final = timedelta(hours=1)
"""So much later than a period of ours one of the processor's may end, and is the same."""
PERIODS_MAX: Final = 120
"""Nobody announces an end for more than ten years ahead."""
Lines = tuple[InvoiceLine, ...]


@dataclass(frozen=True, kw_only=True)
class LateUsageBilled(SubscriptionFact):
    """What was told of it after its end is billed, and nothing more can be told."""

    name = "subscription.late_usage_billed"


@dataclass(frozen=True, kw_only=True)
class CancellationWithdrawn(SubscriptionFact):
    """The end that the processor's own subscription had announced is taken back there: it goes on,
    or until the end that somebody here has set."""

    name = "subscription.cancellation_withdrawn"


def renew(
    subscription: Subscription, now: datetime, usage: Lines = (), *, also_suspended: bool = False
) -> SubscriptionRenewed | SubscriptionCanceled:
    """Begin the next period of one that is over, or end with it what was canceled.

    One period at a time: of a subscription that was left alone for long, each is billed in turn.
    `usage` is what was used until it is over.
    Refuses: SubscriptionStateRefuses, NothingIsDue.
    """
    states = RUNNING | {Status.SUSPENDED} if also_suspended else RUNNING
    if subscription.status not in states:
        raise SubscriptionStateRefuses(status=subscription.status.value)
    over = subscription.period.end
    if now < over:
        raise NothingIsDue(periodEnd=over.isoformat())
    last = subscription.last_period
    if last is not None and subscription.period_number >= last:
        subscription.move(Status.CANCELED)
        subscription.canceled_at = over
        return subscription.told(SubscriptionCanceled, ENDED, subscription.last_bill(usage))
    bill = subscription.begin_period(over, usage)
    return subscription.told(SubscriptionRenewed, bill=bill)


def pause(subscription: Subscription, now: datetime, reason: str) -> SubscriptionPaused:
    """Stop the clock (SUB-8). Refuses: SubscriptionStateRefuses, PeriodNotBilled."""
    subscription.must_run(now)
    subscription.move(Status.PAUSED)
    subscription.paused_at = second_of(now)
    return subscription.told(SubscriptionPaused, reason)


def resume(subscription: Subscription, now: datetime, reason: str) -> SubscriptionResumed:
    """Go on with what was left of the period; later ones follow its end.

    Refuses: SubscriptionStateRefuses.
    """
    paused_at = subscription.paused_at
    if subscription.status is not Status.PAUSED or paused_at is None:
        raise SubscriptionStateRefuses(status=subscription.status.value)
    subscription.move(Status.ACTIVE)
    stood_still = second_of(now) - paused_at
    subscription.paused_at = None
    if stood_still:
        period = subscription.period
        subscription.period = Period(period.start, period.end + stood_still)
        subscription.anchor_at, subscription.anchor_months = subscription.period.end, 0
    return subscription.told(SubscriptionResumed, reason)


def cancel(
    subscription: Subscription,
    now: datetime,
    reason: str,
    usage: Lines = (),
    *,
    at_once: bool,
    release: bool,
) -> SubscriptionFact:
    """End a subscription, now or with the last period that is owed.

    What was billed stays billed, and what was used is billed with the end. Who has committed is
    billed to the end of that, and no further, unless they are released.
    Refuses: SubscriptionStateRefuses, PeriodNotBilled, CommitmentBinds.
    """
    bound = subscription.is_committed and not release
    number = subscription.period_number
    if not bound:
        subscription.committed_periods = min(subscription.committed_periods, number)
    if at_once:
        if bound:
            raise CommitmentBinds(obligation=subscription.obligation.amount_micro)
        subscription.move(Status.CANCELED)
        subscription.canceled_at = second_of(now)
        return subscription.told(SubscriptionCanceled, reason, subscription.last_bill(usage))
    subscription.must_run(now)
    subscription.last_period = subscription.committed_periods if bound else number
    subscription.ends_here = subscription.last_period
    return subscription.told(CancellationScheduled, reason)


def end_there(subscription: Subscription, at: datetime, now: datetime) -> SubscriptionFact | None:
    """It is canceled at the processor, which collects it, as of `at`: it ends with the period in
    which that falls, or with what it has committed to; what stands still ends at once. None where
    it has ended, or ends so already: an end is never put off, but it may be taken back."""
    if subscription.status is Status.CANCELED:
        return None
    number = subscription.period_number
    if subscription.status not in ADVANCING:
        if subscription.is_committed:
            return None
        return cancel(subscription, now, ENDED_THERE, at_once=True, release=False)
    last = number + _periods_until(subscription, at)
    if subscription.status is Status.TRIALING and last > number:
        return None
    last = max(last, subscription.committed_periods)
    if subscription.last_period is not None and subscription.last_period <= last:
        return None
    if subscription.ends_there is None:  # whatever stood before was set here
        subscription.ends_here = subscription.last_period
    subscription.last_period = subscription.ends_there = last
    return subscription.told(CancellationScheduled, ENDED_THERE)


def go_on_there(subscription: Subscription) -> CancellationWithdrawn | None:
    """The end that was announced at the processor is taken back there. None where none was, where
    it has come, and where somebody here has set an earlier one, which stays."""
    there = subscription.ends_there
    if there is None or subscription.status is Status.CANCELED:
        return None
    if subscription.last_period != there or subscription.ends_here == there:
        return None
    subscription.last_period, subscription.ends_there = subscription.ends_here, None
    return subscription.told(CancellationWithdrawn, GOES_ON_THERE)


def _periods_until(subscription: Subscription, at: datetime) -> int:
    """How many periods behind the current one begin before a moment; the clocks of two houses
    differ."""
    months, zone = subscription.terms.interval.months, subscription.time_zone
    for number in range(PERIODS_MAX):
        end = subscription.period.end
        if number:
            so_far = subscription.anchor_months + number * months
            end = boundary(subscription.anchor_at, so_far, zone)
        if at <= end + CLOCKS_DIFFER:
            return number
    return PERIODS_MAX


def bill_late_usage(
    subscription: Subscription, usage: Lines, now: datetime
) -> LateUsageBilled | None:
    """Bill what was told after a subscription has ended, once nothing more can be; None before
    that, and where that is nothing."""
    ended_at = subscription.canceled_at
    if ended_at is None or now < ended_at + NO_MORE_AFTER or not usage:
        return None
    bill = subscription.bill(Purpose.LATE_USAGE, usage)
    return subscription.told(LateUsageBilled, LATE, bill)


def suspend(subscription: Subscription, reason: str) -> SubscriptionSuspended:
    """Stop serving and billing. Refuses: SubscriptionStateRefuses."""
    subscription.move(Status.SUSPENDED)
    return subscription.told(SubscriptionSuspended, reason)


def fall_due(subscription: Subscription, reason: str) -> SubscriptionPastDue | None:
    """Note that a charge was declined; None where it is noted already, or nothing is served."""
    if subscription.status is not Status.ACTIVE:
        return None
    subscription.move(Status.PAST_DUE)
    return subscription.told(SubscriptionPastDue, reason)


def restore(
    subscription: Subscription, now: datetime, reason: str, usage: Lines = ()
) -> SubscriptionFact | None:
    """All is paid: serve as before (SUB-7). None where that is so. One that was suspended when its
    last period ended has nothing to go on with, and ends there."""
    if subscription.status is Status.PAST_DUE:
        subscription.move(Status.ACTIVE)
        return subscription.told(SubscriptionReactivated, reason)
    if subscription.status is not Status.SUSPENDED:
        return None
    if has_ended(subscription, now):
        return renew(subscription, now, usage, also_suspended=True)
    return reactivate(subscription, now, reason, usage)


def has_ended(subscription: Subscription, now: datetime) -> bool:
    """Whether the last period that was to be billed is over."""
    last = subscription.last_period
    is_last = last is not None and subscription.period_number >= last
    return is_last and second_of(now) >= subscription.period.end


def reactivate(
    subscription: Subscription, now: datetime, reason: str, usage: Lines = ()
) -> SubscriptionReactivated:
    """Serve again. What was not served is not billed: a period that is over meanwhile is followed
    by one that begins now, with an anchor of its own. Refuses: SubscriptionStateRefuses.
    """
    if subscription.status is not Status.SUSPENDED:
        raise SubscriptionStateRefuses(status=subscription.status.value)
    start = second_of(now)
    if has_ended(subscription, now):
        raise SubscriptionStateRefuses("It has come to its end: run the cycle.")
    subscription.move(Status.ACTIVE)
    if start < subscription.period.end:
        return subscription.told(SubscriptionReactivated, reason)
    subscription.anchor_at, subscription.anchor_months = start, 0
    bill = subscription.begin_period(start, usage)
    return subscription.told(SubscriptionReactivated, reason, bill)
