"""Show how what a subscription owes is collected: from what, what was declined, what comes next."""

from common.contracts.collections import CollectionView
from common.contracts.references import TenantRef
from common.contracts.shapes import Request
from common.domain.subscription import SubscriptionUnknown
from common.domain.subscription_collection import CollectionUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowCollection(Request):
    """The tenant in the path: one's own, but for who works for the platform."""

    tenant_id: TenantRef


@http_function(
    "GET",
    "/subscriptions/{tenant_id}/collection",
    scope="subscription.read",
    platform_scope="platform.subscription.read",
    refusals=(SubscriptionUnknown, CollectionUnknown),
)
def show_collection(request: ShowCollection, tx: Transaction) -> CollectionView:
    """Answer how a subscription is collected.

    Refuses: SubscriptionUnknown, CollectionUnknown.
    """
    collection = tx.subscription_collections.find(tx.subscriptions.get().id)
    if collection is None:
        raise CollectionUnknown()
    return CollectionView.of(collection, tx.settings.dunning)
