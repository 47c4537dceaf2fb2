"""Choose what one's own subscription is charged to: a tenant's administrator does so (SUB-7).

It is what the platform's staff may do for a tenant, without asking them: who has lost a card leaves
another one and pays with it, also to be served again. What is open is charged to it at once; a
charge that waits at the old card's bank is called off first.
"""

from common.contracts.collections import CollectionView
from common.contracts.references import StoredMethodRef
from common.contracts.shapes import Request
from common.domain.stored_method import (
    PaymentMethodForStays,
    PaymentMethodRemoved,
    PaymentMethodUnknown,
)
from common.domain.subscription import SubscriptionUnknown
from common.ports.transaction import Transaction
from common.procedures.subscribing import choose_method, foresee_choice
from common.runtime.declaration import RateLimit, http_function


class ChooseOwnPaymentMethod(Request):
    """One of the methods that were left for the platform's bills, with `platform_bills`."""

    payment_method_id: StoredMethodRef


@http_function(
    "PUT",
    "/subscription/payment-method",
    scope="billing.admin",
    etag="subscription_collection",
    limits=(RateLimit(quota=10, window_seconds=60),),
    refusals=(
        SubscriptionUnknown,
        PaymentMethodUnknown,
        PaymentMethodRemoved,
        PaymentMethodForStays,
    ),
)
def choose_own_payment_method(request: ChooseOwnPaymentMethod, tx: Transaction) -> CollectionView:
    """Charge one's subscription to another method from now on, and answer how it is collected.

    Refuses: SubscriptionUnknown, PaymentMethodUnknown, PaymentMethodRemoved, PaymentMethodForStays.
    """
    foresee_choice(request.payment_method_id, tx)
    subscription = tx.subscriptions.take()
    method = tx.stored_methods.get(request.payment_method_id)
    return CollectionView.of(choose_method(subscription, method, tx), tx.settings.dunning)
