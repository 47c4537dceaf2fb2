"""Stop the clock of a subscription: nothing is billed, and no time of the period runs (SUB-8)."""

from common.contracts.fields import FreeText
from common.contracts.references import TenantRef
from common.contracts.shapes import Request
from common.contracts.subscriptions import SubscriptionAnswer
from common.domain.subscription import (
    PeriodNotBilled,
    SubscriptionStateRefuses,
    SubscriptionUnknown,
)
from common.domain.subscription_life import pause
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.procedures.subscribing import settle
from common.runtime.declaration import http_function


class PauseSubscription(Request):
    """The tenant in the path, and why."""

    tenant_id: TenantRef
    reason: FreeText


@http_function(
    "POST",
    "/subscriptions/{tenant_id}/pause",
    scope="platform.subscription.write",
    platform_scope="platform.subscription.write",
    step_up=True,
    context=confirming("subscription.pause"),
    etag="subscription",
    refusals=(SubscriptionUnknown, SubscriptionStateRefuses, PeriodNotBilled),
)
def pause_subscription(request: PauseSubscription, tx: Transaction) -> SubscriptionAnswer:
    """Pause a subscription, and answer it.

    Refuses: SubscriptionUnknown, SubscriptionStateRefuses, PeriodNotBilled.
    """
    subscription = tx.subscriptions.take()
    fact = pause(subscription, tx.now, request.reason)
    return SubscriptionAnswer.of(subscription, settle(fact, tx))
