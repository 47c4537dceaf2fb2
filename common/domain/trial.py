"""A trial: some days of a plan, once, for who has never subscribed (SUB-10).

It is a subscription in the state `trialing`, in front of its first period: number nought, nothing
is billed, and the plan's credits of a month are there until it ends. Who left a payment method, or
chose a plan that costs nothing, goes over to the first period when it is over, which is billed in
advance as any other; everybody else's subscription ends. What is changed during the trial costs
nothing until then, and does not make it longer: how long it is, the version of the plan says that
it began with, fourteen days unless it says otherwise. Three days before the end the house is told,
once.

Once: for an account, for a hotel, for a mailbox, for a device and for a card. Each is known again
by its mark, an HMAC under a key of the platform, over all tenants; nothing else of it is kept, and
the database lets no mark in twice; which keys those are is said in `trial_keys`. A day is 24 hours
here: what was promised is not less when the clock of a zone moves.
"""

from dataclasses import field
from datetime import datetime, timedelta
from typing import Final

from common.domain.business_date import zone_of
from common.domain.dataclass import dataclass
from common.domain.identifiers import SubscriptionId
from common.domain.money import Money
from common.domain.period import Period, second_of
from common.domain.refusal import Conflict
from common.domain.subscription import (
    NothingIsDue,
    Status,
    Subscription,
    SubscriptionCanceled,
    SubscriptionCreated,
    SubscriptionFact,
    SubscriptionStateRefuses,
)
from common.domain.subscription_terms import Terms

REMIND_DAYS: Final = 3
TRIAL_OVER: Final = "The trial is over and no payment method was left"
TRIAL_CANCELED: Final = "The trial is over, and was to end"
_DOTS_IGNORED: Final = frozenset({"gmail.com"})
_TAGGED_BY_PLUS: Final = frozenset(
    {
        *("gmail.com", "outlook.com", "hotmail.com", "live.com", "icloud.com"),
        *("fastmail.com", "proton.me", "protonmail.com", "zoho.com", "yandex.com"),
    }
)
_OTHER_NAMES: Final = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "pm.me": "proton.me",
}


class TrialUsed(Conflict):
    code = "TRIAL_USED"
    title = "You have had your trial, or have subscribed before: subscribe to a plan"


class TrialNotOffered(Conflict):
    """A trial was begun before with this address, device or card; it is not told by whom."""

    code = "TRIAL_NOT_OFFERED"
    title = "No trial is offered with these details: subscribe to a plan, or ask our support"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """By what somebody is known again: `account` is the subject that the identity service vouches
    for, `email` its verified address, `device` what the client calls it, `card` what the processor
    calls a card wherever it is left. Personal: never kept, logged or told."""

    account: str = field(repr=False)
    email: str = field(repr=False)
    device: str = field(repr=False)
    card: str | None = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Trial:
    """What is known of a trial besides its subscription. `remind_at` is None once it was told that
    it will end, or when there is nothing to tell any more."""

    subscription_id: SubscriptionId
    began_at: datetime
    ends_at: datetime
    remind_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class TrialWillEnd(SubscriptionFact):
    """It ends in three days; `will_convert` says whether it then costs what its terms say."""

    name = "subscription.trial_will_end"
    will_convert: bool


@dataclass(frozen=True, kw_only=True)
class TrialConverted(SubscriptionFact):
    """The first period has begun."""

    name = "subscription.trial_converted"


def mailbox_of(address: str) -> str:
    """The mailbox that an address leads to, as far as that is known of its provider.

    Letters of either case are one, everywhere. A tag behind a plus, dots within the name, and a
    second name of a provider are passed over for those alone that do so themselves: elsewhere they
    may be another person's. `address` is one that was found to be valid.
    """
    name, _, domain = address.lower().rpartition("@")
    domain = _OTHER_NAMES.get(domain, domain)
    if domain in _TAGGED_BY_PLUS:
        name = name.partition("+")[0] or name
    if domain in _DOTS_IGNORED:
        name = name.replace(".", "")
    return f"{name}@{domain}"


def begin_trial(
    subscription_id: SubscriptionId,
    terms: Terms,
    time_zone: str,
    now: datetime,
    *,
    days: int,
) -> tuple[SubscriptionCreated, Trial]:
    """Begin a trial of so many days. Of one that is shorter than three, its end is told at once.

    Refuses: TimeZoneUnknown.
    """
    zone_of(time_zone)
    start = second_of(now)
    period = Period(start, start + timedelta(days=days))
    nothing = Money.zero(terms.fee.currency)
    subscription = Subscription(
        id=subscription_id,
        time_zone=time_zone,
        started_at=start,
        terms=terms,
        status=Status.TRIALING,
        anchor_at=period.end,
        period=period,
        period_seconds=period.seconds,
        billed=nothing,
        credit=nothing,
    )
    trial = Trial(
        subscription_id=subscription_id,
        began_at=start,
        ends_at=period.end,
        remind_at=max(start, period.end - timedelta(days=REMIND_DAYS)),
    )
    return subscription.told(SubscriptionCreated), trial


def converts(subscription: Subscription, *, has_method: bool) -> bool:
    """Whether a trial is followed by a period that is billed."""
    following = subscription.next_terms or subscription.terms
    return subscription.last_period is None and (has_method or following.fee.is_zero)


def end_trial(subscription: Subscription, now: datetime, *, has_method: bool) -> SubscriptionFact:
    """Let a trial that is over be followed by the first period, or by nothing.

    Refuses: SubscriptionStateRefuses, NothingIsDue.
    """
    over = _trialing(subscription).period.end
    if now < over:
        raise NothingIsDue(periodEnd=over.isoformat())
    if converts(subscription, has_method=has_method):
        return convert(subscription)
    subscription.move(Status.CANCELED)
    subscription.canceled_at = over
    why = TRIAL_OVER if subscription.last_period is None else TRIAL_CANCELED
    return subscription.told(SubscriptionCanceled, why)


def convert(subscription: Subscription) -> TrialConverted:
    """Begin and bill the first period where the trial ends. Refuses: SubscriptionStateRefuses."""
    over = _trialing(subscription).period.end
    subscription.move(Status.ACTIVE)
    subscription.anchor_at, subscription.anchor_months = over, 0
    return subscription.told(TrialConverted, bill=subscription.begin_period(over))


def remind(
    subscription: Subscription, trial: Trial, now: datetime, *, has_method: bool
) -> TrialWillEnd | None:
    """Tell that a trial will end, once; None where it was told, has ended, or it is too early."""
    if trial.remind_at is None or now < trial.remind_at:
        return None
    trial.remind_at = None
    if subscription.id != trial.subscription_id or subscription.status is not Status.TRIALING:
        return None
    return TrialWillEnd(
        subject=subscription,
        sequence=subscription.next_sequence(),
        will_convert=converts(subscription, has_method=has_method),
    )


def _trialing(subscription: Subscription) -> Subscription:
    if subscription.status is not Status.TRIALING:
        raise SubscriptionStateRefuses(status=subscription.status.value)
    return subscription
