"""What a tenant has used: counted once an event, in the period in which it happened (SUB-12).

An event has an id of its sender's own, and counts once for its tenant and meter, however often it
comes; one that says something else under the same id is refused. It may come up to 34 days late,
and belongs to the period that had begun last when it happened, whether that runs, is over and
billed, or is still to begin by the cycle: so the order in which events come changes nothing. What
happened before a subscription ended is counted for as long, and is on its final invoice; also of
who has subscribed anew since: an event is of the subscription that there was when it happened.

Events are folded into the totals of their period under the lock of the tenant's subscriptions. The
cycle takes the same lock: an event is on the invoice that it writes, or on the next one.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.canonical import digest
from common.domain.dataclass import dataclass
from common.domain.identifiers import PlanVersionId, SubscriptionId
from common.domain.meter import Aggregation, Meter, MeterUnknown
from common.domain.period import Interval, Period, periods
from common.domain.platform_identifiers import UsageRecordId
from common.domain.refusal import Conflict, Unmet
from common.domain.subscription import ADVANCING, Subscription

LATE_DAYS: Final = 34
AHEAD_SECONDS: Final = 300
"""How far a sender's clock may be ahead of ours."""
NO_MORE_AFTER: Final = timedelta(days=LATE_DAYS, minutes=5)
"""What ended so long ago, of that nothing is told any more; nor is a transaction under way that
began while it could be."""
BATCH_MAX: Final = 500


class UsageTooOld(Unmet):
    code = "USAGE_TOO_OLD"
    title = "What was used is told at most 34 days late"


class UsageInFuture(Unmet):
    code = "USAGE_IN_FUTURE"
    title = "This has not been used yet"


class UsageInvalid(Unmet):
    code = "USAGE_INVALID"
    title = "The meter counts something else"


class UsageEventDiffers(Conflict):
    code = "USAGE_EVENT_DIFFERS"
    title = "An event of this id has said something else"


class UsageOutsideSubscription(Conflict):
    code = "USAGE_OUTSIDE_SUBSCRIPTION"
    title = "The tenant had no subscription then"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """What was used, as its sender says. `value` names one of a meter's different ones; only its
    SHA-256 is kept. Without a quantity it counts one."""

    meter: str
    event_id: str
    quantity: int | None = None
    value_sha256: bytes | None = None
    occurred_at: datetime

    @property
    def key(self) -> tuple[str, str]:
        return self.meter, self.event_id

    def document(self) -> dict[str, object]:
        return {
            "meter": self.meter,
            "eventId": self.event_id,
            "quantity": self.quantity,
            "valueSha256": self.value_sha256.hex() if self.value_sha256 else None,
            "occurredAt": self.occurred_at.astimezone(UTC).isoformat(),
        }

    def counted_by(self, meter: Meter) -> "UsageEvent":
        """The event with its quantity. Refuses: UsageInvalid."""
        summed = meter.aggregation in (Aggregation.SUM, Aggregation.MAX)
        if summed != (self.quantity is not None):
            needs = "says how much was used" if summed else "counts one an event, and no quantity"
            raise UsageInvalid(f"{meter.name} {needs}.")
        if (meter.aggregation is Aggregation.UNIQUE) != (self.value_sha256 is not None):
            raise UsageInvalid(f"{meter.name} counts different values, or none is named.")
        return UsageEvent(
            meter=self.meter,
            event_id=self.event_id,
            quantity=1 if self.quantity is None else self.quantity,
            value_sha256=self.value_sha256,
            occurred_at=self.occurred_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPeriod:
    """A period that is over, with the terms that it ended with."""

    number: int
    period: Period
    version_id: PlanVersionId
    seats: int
    interval: Interval

    @classmethod
    def of(cls, subscription: Subscription) -> "ClosedPeriod":
        """The current period, as it ends."""
        terms = subscription.terms
        return cls(
            number=subscription.period_number,
            period=subscription.period,
            version_id=terms.version_id,
            seats=terms.seats,
            interval=terms.interval,
        )


def period_number_at(
    subscription: Subscription, closed: tuple[ClosedPeriod, ...], at: datetime
) -> int:
    """The number of the period that something belongs to which happened at an instant.

    `closed` are the subscription's last periods. While the clock of a subscription stands still its
    period goes on. What ended takes what happened before that.

    Refuses: UsageOutsideSubscription.
    """
    if subscription.canceled_at is not None and at >= subscription.canceled_at:
        raise UsageOutsideSubscription()
    if at < subscription.period.start:
        begun = [each.number for each in closed if each.period.start <= at]
        if not begun:
            raise UsageOutsideSubscription()
        return max(begun)
    if at < subscription.period.end or subscription.status not in ADVANCING:
        return subscription.period_number
    return _number_ahead(subscription, at)


def _number_ahead(subscription: Subscription, at: datetime) -> int:
    """The number of a period that the cycle has not begun yet."""
    terms = subscription.next_terms or subscription.terms
    coming = periods(
        subscription.period.end,
        subscription.anchor_at,
        subscription.anchor_months,
        terms.interval,
        subscription.time_zone,
    )
    number = subscription.period_number + 1
    while at >= next(coming).end:
        number += 1
    if subscription.last_period is not None and number > subscription.last_period:
        raise UsageOutsideSubscription()
    return number


@dataclass(slots=True, kw_only=True)
class Counted:
    """What a record adds to a total: so many events, and their quantity by the meter's way."""

    aggregation: Aggregation
    events: int = 0
    quantity: int = 0

    def add(self, quantity: int) -> None:
        self.events += 1
        highest = self.aggregation is Aggregation.MAX
        self.quantity = max(self.quantity, quantity) if highest else self.quantity + quantity


@dataclass(frozen=True, kw_only=True)
class UsageRecorded(Fact):
    """Events were counted."""

    name = "usage.recorded"
    subject: "UsageRecord" = field(repr=False, compare=False)


@dataclass(kw_only=True)
class UsageRecord(Aggregate):
    """The events that one request brought and that were not known: each with its period, what they
    add to the totals by (period, meter), and the values that are new to a period."""

    kind: ClassVar[str] = "usage_record"
    id: UsageRecordId
    subscription_id: SubscriptionId
    events: list[tuple[UsageEvent, int]] = field(default_factory=list)
    totals: dict[tuple[int, str], Counted] = field(default_factory=dict)
    values: list[tuple[str, bytes, int]] = field(default_factory=list)

    def events_sha256(self) -> bytes:
        """SHA-256 of what was counted, in the order of meters and ids (RFC 8785)."""
        events = sorted((event for event, _ in self.events), key=lambda event: event.key)
        return digest([event.document() for event in events])

    def state(self) -> dict[str, object]:
        return {
            "subscription": self.subscription_id,
            "events": len(self.events),
            "eventsSha256": self.events_sha256().hex(),
        }

    def recorded(self) -> UsageRecorded:
        """Tell of it."""
        return UsageRecorded(subject=self, sequence=self.next_sequence())


@dataclass(kw_only=True)
class Metered:
    """A subscription as its usage is counted: its last periods, and which values were seen when."""

    subscription: Subscription
    closed: tuple[ClosedPeriod, ...]
    values: set[tuple[str, bytes, int]]

    @property
    def id(self) -> SubscriptionId:
        return self.subscription.id

    def fold(self, event: UsageEvent, aggregation: Aggregation, record: UsageRecord) -> None:
        """Add an event to the period in which it happened. Refuses: UsageOutsideSubscription."""
        number = period_number_at(self.subscription, self.closed, event.occurred_at)
        quantity = event.quantity or 0
        if event.value_sha256 is not None:
            seen = (event.meter, event.value_sha256, number)
            if seen in self.values:
                quantity = 0
            else:
                self.values.add(seen)
                record.values.append(seen)
        total = record.totals.setdefault((number, event.meter), Counted(aggregation=aggregation))
        total.add(quantity)
        record.events.append((event, number))


@dataclass(kw_only=True)
class UsageBook:
    """What has to be known to count events: the subscriptions under lock that they can be of, the
    newest first, the meters they name, and what was counted under their ids before."""

    subscriptions: tuple[Metered, ...]
    meters: Mapping[str, Meter]
    counted: dict[tuple[str, str], UsageEvent]

    def count(
        self, event: UsageEvent, records: Mapping[SubscriptionId, UsageRecord], now: datetime
    ) -> bool:
        """Add an event to the record of its subscription, and say whether it is new.

        Refuses: MeterUnknown, UsageInvalid, UsageEventDiffers, UsageTooOld, UsageInFuture,
        UsageOutsideSubscription.
        """
        meter = self.meters.get(event.meter)
        if meter is None:
            raise MeterUnknown()
        event = event.counted_by(meter)
        before = self.counted.get(event.key)
        if before is not None:
            if before != event:
                raise UsageEventDiffers()
            return False
        within(event.occurred_at, now)
        metered = self._standing_at(event.occurred_at)
        metered.fold(event, meter.aggregation, records[metered.id])
        self.counted[event.key] = event
        return True

    def _standing_at(self, at: datetime) -> Metered:
        """The subscription that had begun last. Refuses: UsageOutsideSubscription."""
        begun = [each for each in self.subscriptions if each.subscription.started_at <= at]
        if not begun:
            raise UsageOutsideSubscription()
        return max(begun, key=lambda each: each.subscription.started_at)


def within(occurred_at: datetime, now: datetime) -> None:
    """Refuses what is too late or has not been: UsageTooOld, UsageInFuture."""
    if occurred_at < now - timedelta(days=LATE_DAYS):
        raise UsageTooOld()
    if occurred_at > now + timedelta(seconds=AHEAD_SECONDS):
        raise UsageInFuture()
