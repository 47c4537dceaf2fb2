"""Show a tenant's subscription: its state, its period, its history, and its next invoice."""

from copy import copy

from common.contracts.references import TenantRef
from common.contracts.shapes import Outcome, Request
from common.contracts.subscriptions import BillView, HistoryView, SubscriptionView
from common.domain.subscription import RUNNING, Status, Subscription, SubscriptionUnknown
from common.domain.subscription_invoice import Bill
from common.domain.subscription_life import renew
from common.domain.trial import convert
from common.domain.usage_bill import UsageDue
from common.ports.transaction import Transaction
from common.procedures.subscribing import usage_due
from common.procedures.taxing import tax_now
from common.runtime.declaration import http_function


class ShowSubscription(Request):
    """The tenant in the path: one's own, but for who works for the platform."""

    tenant_id: TenantRef


class SubscriptionShown(Outcome):
    """`nextInvoice` is what the end of the period will bring, as things are; null where it brings
    none. The history is in its order."""

    subscription: SubscriptionView
    next_invoice: BillView | None
    history: tuple[HistoryView, ...]
    version: int


@http_function(
    "GET",
    "/subscriptions/{tenant_id}",
    scope="subscription.read",
    platform_scope="platform.subscription.read",
    refusals=(SubscriptionUnknown,),
)
def show_subscription(request: ShowSubscription, tx: Transaction) -> SubscriptionShown:
    """Answer the subscription that stands, or the last one that was canceled.

    Refuses: SubscriptionUnknown.
    """
    subscription = tx.subscriptions.get()
    subscription.taxed = tax_now(tx, max(tx.now, subscription.period.end))
    following = next_bill(subscription, usage_due(subscription, tx))
    history = tx.subscriptions.history(subscription)
    return SubscriptionShown(
        subscription=SubscriptionView.of(subscription),
        next_invoice=BillView.of(following) if following else None,
        history=tuple(HistoryView.of(entry) for entry in history),
        version=subscription.version,
    )


def next_bill(subscription: Subscription, usage: UsageDue) -> Bill | None:
    """What the cycle will bill at the end of the period, by the rule that it bills by: as much of
    the period's usage as is known."""
    if subscription.status is Status.TRIALING and subscription.last_period is None:
        return convert(copy(subscription)).bill
    if subscription.status not in RUNNING:
        return None
    return renew(copy(subscription), subscription.period.end, usage.lines).bill
