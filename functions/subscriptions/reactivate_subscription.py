"""Serve a suspended tenant again, with a reason such as an incident of the platform.

What was not served is not billed: where the period is over, a new one begins now. What was declined
counts no more: what is open is charged at once, and dunned anew where that fails.
"""

from common.contracts.fields import FreeText
from common.contracts.references import TenantRef
from common.contracts.shapes import Request
from common.contracts.subscriptions import SubscriptionAnswer
from common.domain.subscription import (
    SubscriptionStateRefuses,
    SubscriptionUnknown,
)
from common.domain.subscription_life import reactivate
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.procedures.subscribing import collect_anew, foresee_bill, settle, usage_due
from common.procedures.taxing import taxed
from common.runtime.declaration import http_function


class ReactivateSubscription(Request):
    """The tenant in the path, and why."""

    tenant_id: TenantRef
    reason: FreeText


@http_function(
    "POST",
    "/subscriptions/{tenant_id}/reactivate",
    scope="platform.subscription.write",
    platform_scope="platform.subscription.write",
    step_up=True,
    context=confirming("subscription.reactivate"),
    etag="subscription",
    refusals=(SubscriptionUnknown, SubscriptionStateRefuses),
)
def reactivate_subscription(request: ReactivateSubscription, tx: Transaction) -> SubscriptionAnswer:
    """Reactivate a subscription, and answer it with the invoice of a period that begins.

    Refuses: SubscriptionUnknown, SubscriptionStateRefuses.
    """
    foresee_bill(tx)
    tx.subscription_payments.foresee()
    subscription = tx.subscriptions.take()
    usage = usage_due(taxed(subscription, tx), tx)
    fact = reactivate(subscription, tx.now, request.reason, usage.lines)
    collection = collect_anew(subscription, request.reason, tx)
    invoice = settle(fact, tx, usage=usage, collection=collection)
    return SubscriptionAnswer.of(subscription, invoice)
