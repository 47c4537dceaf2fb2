"""Remove what a customer has left to pay with: it is charged no more, here or at the processor.

The processor takes it from its customer first, and our sealed token goes afterwards. What dies in
between is done by the same request again; the processor's event does the same.
"""

from dataclasses import field
from uuid import UUID

from common.contracts.customers import StoredMethodView
from common.contracts.references import StoredMethodRef
from common.contracts.shapes import Request
from common.domain.dataclass import dataclass
from common.domain.identifiers import StoredMethodId
from common.domain.stored_method import PaymentMethodRefused, PaymentMethodUnknown
from common.ports.answers import Failed, Unknown
from common.ports.cards import GatewayUnavailable
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.ports.vault import DataKey, KeyDestroyed
from common.runtime.declaration import RateLimit, http_function


class RemovePaymentMethod(Request):
    """The method in the path."""

    payment_method_id: StoredMethodRef


@dataclass(frozen=True, slots=True)
class Detaching:
    """What is to be taken away; `key` is None where that was done."""

    tenant_id: UUID
    id: StoredMethodId
    sealed: bytes = field(repr=False)
    key: DataKey | None


def detach(detaching: Detaching, powers: Powers) -> StoredMethodId:
    """Let the processor take the method away. One whose key was destroyed nobody can charge.

    Refuses: GatewayUnavailable, PaymentMethodRefused.
    """
    key = detaching.key
    if key is None:
        return detaching.id
    try:
        token = powers.vault.open(detaching.tenant_id, key, detaching.id, detaching.sealed)
    except KeyDestroyed:
        return detaching.id
    match powers.cards.detach(token):
        case Failed(code):
            raise PaymentMethodRefused(processorCode=code)
        case Unknown():
            raise GatewayUnavailable()
        case _:
            return detaching.id


def keep(method_id: StoredMethodId, tx: Transaction) -> StoredMethodView:
    """Charge it no more, and forget its token. Refuses: PaymentMethodUnknown."""
    method = tx.stored_methods.take(method_id)
    removed = method.remove(tx)
    if removed is not None:
        tx.stored_methods.keep(method)
        tx.tell(removed)
    return StoredMethodView.of(method)


@http_function(
    "DELETE",
    "/payment-methods/{payment_method_id}",
    scope="billing.customer.write",
    etag="payment_method",
    limits=(RateLimit(quota=60, window_seconds=60),),
    perform=detach,
    record=keep,
    needs=("database", "gateway", "vault"),
    refusals=(PaymentMethodUnknown, PaymentMethodRefused, GatewayUnavailable),
)
def remove_payment_method(request: RemovePaymentMethod, tx: Transaction) -> Detaching:
    """Remove a payment method, and answer it as it was.

    Refuses: PaymentMethodUnknown, PaymentMethodRefused, GatewayUnavailable.
    """
    method = tx.stored_methods.get(request.payment_method_id)
    key = None if method.is_removed else tx.data_keys.get(method.sealed.data_key_id)
    return Detaching(tx.actor.tenant_id, method.id, method.sealed.content, key)
