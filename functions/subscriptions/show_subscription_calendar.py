"""Show when a subscription's periods begin and end, for years ahead (BEY-14).

The ends are reckoned as the cycle reckons them, from the anchor: they tile, whatever the zone does.
"""

from itertools import takewhile
from typing import Annotated

from pydantic import Field

from common.contracts.fields import Digits
from common.contracts.references import TenantRef
from common.contracts.shapes import Outcome, Request
from common.contracts.subscriptions import PeriodView
from common.domain.period import CalendarTooLong, Period, boundary, periods
from common.domain.subscription import Subscription, SubscriptionUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowSubscriptionCalendar(Request):
    """The tenant in the path, and how many years from the current period on."""

    tenant_id: TenantRef
    years: Annotated[int, Field(ge=1, le=20), Digits] = 1


class SubscriptionCalendar(Outcome):
    """The current period and those after it; each begins where the one before it ends."""

    time_zone: str
    items: tuple[PeriodView, ...]


@http_function(
    "GET",
    "/subscriptions/{tenant_id}/calendar",
    scope="subscription.read",
    platform_scope="platform.subscription.read",
    refusals=(SubscriptionUnknown, CalendarTooLong),
)
def show_subscription_calendar(
    request: ShowSubscriptionCalendar, tx: Transaction
) -> SubscriptionCalendar:
    """Answer the periods of a subscription, as they would follow one another without a pause.

    Refuses: SubscriptionUnknown, CalendarTooLong.
    """
    subscription = tx.subscriptions.get()
    found = (subscription.period, *following(subscription, request.years))
    return SubscriptionCalendar(
        time_zone=subscription.time_zone, items=tuple(PeriodView.of(each) for each in found)
    )


def following(subscription: Subscription, years: int) -> tuple[Period, ...]:
    """The periods that begin within so many years of the end of the current one."""
    end = subscription.period.end
    zone = subscription.time_zone
    until = boundary(end, 12 * years, zone)
    terms = subscription.next_terms or subscription.terms
    coming = periods(end, subscription.anchor_at, subscription.anchor_months, terms.interval, zone)
    return tuple(takewhile(lambda period: period.start < until, coming))
