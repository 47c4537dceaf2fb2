"""Cancel a tenant's subscription, with the period or at once, and say why (SUB-9).

What was billed stays billed. Who has committed to a year is billed to its end and no further; the
platform may release them, and that is confirmed and kept with its reason.
"""

from typing import Literal

from common.contracts.fields import FreeText
from common.contracts.references import TenantRef
from common.contracts.shapes import Request
from common.contracts.subscriptions import SubscriptionAnswer
from common.domain.subscription import (
    CommitmentBinds,
    PeriodNotBilled,
    SubscriptionStateRefuses,
    SubscriptionUnknown,
)
from common.domain.subscription_life import cancel
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.procedures.subscribing import foresee_bill, settle, usage_due
from common.procedures.taxing import taxed
from common.runtime.declaration import http_function


class CancelSubscription(Request):
    """The tenant in the path, when it ends, and why. `release` lets a commitment go."""

    tenant_id: TenantRef
    at: Literal["period_end", "now"] = "period_end"
    release: bool = False
    reason: FreeText


@http_function(
    "POST",
    "/subscriptions/{tenant_id}/cancel",
    scope="platform.subscription.write",
    platform_scope="platform.subscription.write",
    step_up=True,
    context=confirming("subscription.cancel"),
    etag="subscription",
    refusals=(SubscriptionUnknown, SubscriptionStateRefuses, PeriodNotBilled, CommitmentBinds),
)
def cancel_subscription(request: CancelSubscription, tx: Transaction) -> SubscriptionAnswer:
    """Cancel a subscription, and answer it with its end and what is still owed until then.

    Refuses: SubscriptionUnknown, SubscriptionStateRefuses, PeriodNotBilled, CommitmentBinds.
    """
    foresee_bill(tx)
    subscription = taxed(tx.subscriptions.take(), tx)
    usage, at_once = usage_due(subscription, tx, and_ahead=True), request.at == "now"
    fact = cancel(
        subscription,
        tx.now,
        request.reason,
        usage.lines,
        at_once=at_once,
        release=request.release,
    )
    return SubscriptionAnswer.of(subscription, settle(fact, tx, usage=usage))
