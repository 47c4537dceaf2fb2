"""What is to be billed of what was used: in arrears, on the invoice that begins a period (SUB-12).

The quantity of a period is priced as a whole, by the version of the plan that the period ended
with, and what was billed of it before is taken off. So an event that comes late is on the next
invoice with exactly what it adds, and in whatever order events come, the period costs the same.
A period in which a plan was changed is priced by the one that it ended with. What was used in a
trial, the period before the first, is counted and costs nothing, however late it comes (SUB-10).
"""

from common.domain.dataclass import dataclass
from common.domain.identifiers import SubscriptionId
from common.domain.meter import Aggregation
from common.domain.money import Money
from common.domain.period import Interval, Period
from common.domain.subscription import Status, Subscription
from common.domain.subscription_invoice import InvoiceLine, LineKind
from common.domain.usage import ClosedPeriod
from common.domain.usage_price import UsagePrice


def left_to_bill(
    price: UsagePrice, quantity: int, aggregation: Aggregation, interval: Interval, billed: Money
) -> Money:
    """What the quantity of a period costs as a whole, without what was billed of it."""
    return price.amount(quantity, aggregation, interval.months, billed.currency) - billed


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageTotal:
    """What a meter has counted in a period, what was billed of that, and what it costs; without a
    price it costs nothing. `period` is None while it has not ended."""

    meter: str
    aggregation: Aggregation
    period_number: int
    period: Period | None
    plan: str
    plan_version: int
    seats: int
    interval: Interval
    price: UsagePrice | None
    quantity: int
    billed: Money

    @property
    def is_priced(self) -> bool:
        return self.price is not None and self.period_number > 0

    @property
    def owed(self) -> Money:
        """What is left to be billed; below zero where a lower volume price was reached."""
        if self.price is None or not self.is_priced:
            return Money.zero(self.billed.currency)
        return left_to_bill(self.price, self.quantity, self.aggregation, self.interval, self.billed)

    def line(self, subscription: Subscription) -> InvoiceLine:
        late = self.period_number < subscription.period_number
        return InvoiceLine(
            kind=LineKind.LATE_USAGE if late else LineKind.USAGE,
            plan=self.plan,
            plan_version=self.plan_version,
            seats=self.seats,
            period=self.period or subscription.period,
            amount=self.owed,
            meter=self.meter,
            quantity=self.quantity,
            usage_period=self.period_number,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDue:
    """What a subscription's usage comes to, as its current period ends."""

    closing: ClosedPeriod
    totals: tuple[UsageTotal, ...]
    lines: tuple[InvoiceLine, ...]

    @classmethod
    def of(cls, subscription: Subscription, totals: tuple[UsageTotal, ...]) -> "UsageDue":
        priced = [total for total in totals if total.is_priced]
        return cls(
            closing=ClosedPeriod.of(subscription),
            totals=totals,
            lines=tuple(total.line(subscription) for total in priced),
        )

    def is_over(self, subscription: Subscription) -> bool:
        """Whether the period has ended that was current when this was reckoned."""
        ended = subscription.status is Status.CANCELED
        return ended or subscription.period_number != self.closing.number


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageShown:
    """What a meter counted in a period of a subscription, and what was billed of it."""

    subscription_id: SubscriptionId
    period_number: int
    meter: str
    aggregation: Aggregation
    unit: str
    events: int
    quantity: int
    billed_quantity: int
    billed: Money
