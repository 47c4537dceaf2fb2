"""Let the clock of a paused subscription go on, with what was left of its period (SUB-8)."""

from common.contracts.fields import FreeText
from common.contracts.references import TenantRef
from common.contracts.shapes import Request
from common.contracts.subscriptions import SubscriptionAnswer
from common.domain.subscription import (
    SubscriptionStateRefuses,
    SubscriptionUnknown,
)
from common.domain.subscription_life import resume
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.procedures.subscribing import settle
from common.runtime.declaration import http_function


class ResumeSubscription(Request):
    """The tenant in the path, and why."""

    tenant_id: TenantRef
    reason: FreeText


@http_function(
    "POST",
    "/subscriptions/{tenant_id}/resume",
    scope="platform.subscription.write",
    platform_scope="platform.subscription.write",
    step_up=True,
    context=confirming("subscription.resume"),
    etag="subscription",
    refusals=(SubscriptionUnknown, SubscriptionStateRefuses),
)
def resume_subscription(request: ResumeSubscription, tx: Transaction) -> SubscriptionAnswer:
    """Resume a subscription, and answer it with the new end of its period.

    Refuses: SubscriptionUnknown, SubscriptionStateRefuses.
    """
    subscription = tx.subscriptions.take()
    fact = resume(subscription, tx.now, request.reason)
    return SubscriptionAnswer.of(subscription, settle(fact, tx))
