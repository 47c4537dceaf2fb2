"""Run the cycle of one tenant by hand: what the job does, for whoever cannot wait for it.

One period a call, in order; `stillDue` says that another one is over as well. `?force=true` also
bills the periods of a suspended tenant, which the job leaves alone.
"""

from common.contracts.references import TenantRef
from common.contracts.shapes import Outcome, Request
from common.contracts.subscriptions import (
    SubscriptionInvoiceView,
    SubscriptionView,
)
from common.domain.subscription import (
    NothingIsDue,
    SubscriptionStateRefuses,
    SubscriptionUnknown,
)
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.procedures.trialing import go_on, take_to_go_on
from common.runtime.declaration import http_function


class CycleSubscription(Request):
    """The tenant in the path."""

    tenant_id: TenantRef
    force: bool = False


class CycleAnswer(Outcome):
    """The subscription in its new period with the invoice of it; or at its end, without one."""

    subscription: SubscriptionView
    invoice: SubscriptionInvoiceView | None
    still_due: bool
    version: int


@http_function(
    "POST",
    "/subscriptions/{tenant_id}/cycle",
    scope="platform.subscription.write",
    platform_scope="platform.subscription.write",
    step_up=True,
    context=confirming("subscription.cycle"),
    switches=("force",),
    moves_money=True,
    etag="subscription",
    refusals=(SubscriptionUnknown, SubscriptionStateRefuses, NothingIsDue),
)
def cycle_subscription(request: CycleSubscription, tx: Transaction) -> CycleAnswer:
    """Begin the period that is due, and answer its invoice.

    Refuses: SubscriptionUnknown, SubscriptionStateRefuses, NothingIsDue.
    """
    subscription = take_to_go_on(tx)
    invoice = go_on(subscription, tx, also_suspended=request.force)
    due_at = subscription.due_at
    return CycleAnswer(
        subscription=SubscriptionView.of(subscription),
        invoice=SubscriptionInvoiceView.of(invoice) if invoice else None,
        still_due=due_at is not None and due_at <= tx.now,
        version=subscription.version,
    )
