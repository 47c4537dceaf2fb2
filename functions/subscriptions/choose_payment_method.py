"""Choose what a subscription is charged to (SUB-6, SUB-7).

What is open is charged to it at once, whatever was declined before; a charge that is under way is
answered first. Who is suspended is served again once it is paid.
"""

from common.contracts.collections import CollectionView
from common.contracts.references import StoredMethodRef, TenantRef
from common.contracts.shapes import Request
from common.domain.stored_method import (
    PaymentMethodForStays,
    PaymentMethodRemoved,
    PaymentMethodUnknown,
)
from common.domain.subscription import SubscriptionUnknown
from common.ports.transaction import Transaction
from common.procedures.approving import confirming
from common.procedures.subscribing import choose_method, foresee_choice
from common.runtime.declaration import http_function


class ChoosePaymentMethod(Request):
    """The tenant in the path, and one of the methods that were left there for the platform's
    bills, with `platform_bills`."""

    tenant_id: TenantRef
    payment_method_id: StoredMethodRef


@http_function(
    "PUT",
    "/subscriptions/{tenant_id}/payment-method",
    scope="platform.subscription.write",
    platform_scope="platform.subscription.write",
    step_up=True,
    context=confirming("subscription.payment_method"),
    etag="subscription_collection",
    refusals=(
        SubscriptionUnknown,
        PaymentMethodUnknown,
        PaymentMethodRemoved,
        PaymentMethodForStays,
    ),
)
def choose_payment_method(request: ChoosePaymentMethod, tx: Transaction) -> CollectionView:
    """Charge a subscription to another method from now on, and answer how it is collected.

    Refuses: SubscriptionUnknown, PaymentMethodUnknown, PaymentMethodRemoved, PaymentMethodForStays.
    """
    foresee_choice(request.payment_method_id, tx)
    subscription = tx.subscriptions.take()
    method = tx.stored_methods.get(request.payment_method_id)
    return CollectionView.of(choose_method(subscription, method, tx), tx.settings.dunning)
