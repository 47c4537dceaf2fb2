"""Keep a card or a bank account that a customer has left with the processor (GW-2).

The processor's page took the number and gave a token, which is all that comes in here. The
processor gives the token to its customer, for later charges, and says what it is; the token is
sealed, and the two are written down. Whatever dies in between, the same request does it again:
giving a token to the customer who has it changes nothing.
"""

from dataclasses import field
from typing import TypeVar

from common.contracts.customers import ProcessorToken, PurposeName, StoredMethodView
from common.contracts.references import CustomerRef, StoredMethodRef
from common.contracts.shapes import Request
from common.domain.customer import CustomerUnknown
from common.domain.dataclass import dataclass
from common.domain.identifiers import DataKeyId, StoredMethodId
from common.domain.stored_method import (
    MethodDetails,
    PaymentMethodKnown,
    PaymentMethodRefused,
    Purpose,
    SealedToken,
    StoredMethod,
    token_digest,
)
from common.ports.answers import Failed, Unknown
from common.ports.cards import GatewayUnavailable, Linked, Person
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.ports.vault import DataKey
from common.procedures.linking_customers import Told, keep_link, person_of
from common.procedures.sealing import sealing_key
from common.runtime.declaration import RateLimit, http_function

T = TypeVar("T")


class AddPaymentMethod(Request):
    """Whose method, by which token, and what its owner has agreed to."""

    customer_id: CustomerRef
    id: StoredMethodRef | None = None
    token: ProcessorToken
    purpose: PurposeName = "this_stay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attaching:
    """What is to be given to whom, and what it is sealed under."""

    id: StoredMethodId
    person: Person
    token: str = field(repr=False)
    purpose: Purpose
    key: DataKey | None
    new_key_id: DataKeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What the processor says that it is, and its token under seal."""

    attaching: Attaching
    linked: Linked
    details: MethodDetails
    key: DataKey
    sealed: SealedToken


def attach(attaching: Attaching, powers: Powers) -> Attached:
    """Let the processor give the method to its customer, and seal the token.

    Refuses: PaymentMethodRefused, GatewayUnavailable.
    """
    person = attaching.person
    linked = Linked(person.processor_customer_id) if person.processor_customer_id else None
    linked = linked or _answered(powers.cards.link(person))
    details = _answered(powers.cards.attach(attaching.token, linked.processor_customer_id))
    key = sealing_key(attaching.key, attaching.new_key_id, person.tenant_id, powers)
    content = powers.vault.seal(person.tenant_id, key, attaching.id, attaching.token)
    sealed = SealedToken(data_key_id=key.id, content=content, digest=token_digest(attaching.token))
    return Attached(attaching=attaching, linked=linked, details=details, key=key, sealed=sealed)


def keep(attached: Attached, tx: Transaction) -> StoredMethodView:
    """Keep the method, and whatever else came of it. Refuses: PaymentMethodKnown."""
    attaching = attached.attaching
    if tx.stored_methods.find_by_token(attached.sealed.digest) is not None:
        raise PaymentMethodKnown()
    person = attaching.person
    if person.processor_customer_id is None:
        keep_link(Told(person.id, person.details_version, attached.linked), tx)
    if attaching.key != attached.key:
        tx.data_keys.keep_new(attached.key)
    kept = StoredMethod.keep(
        id=attaching.id,
        customer_id=person.id,
        details=attached.details,
        sealed=attached.sealed,
        purpose=attaching.purpose,
        moment=tx,
    )
    tx.stored_methods.keep(kept.subject)
    tx.tell(kept)
    return StoredMethodView.of(kept.subject)


@http_function(
    "POST",
    "/customers/{customer_id}/payment-methods",
    scope="billing.customer.write",
    status=201,
    creates=True,
    limits=(RateLimit(quota=60, window_seconds=60),),
    perform=attach,
    record=keep,
    needs=("database", "gateway", "vault"),
    refusals=(CustomerUnknown, PaymentMethodKnown, PaymentMethodRefused, GatewayUnavailable),
)
def add_payment_method(request: AddPaymentMethod, tx: Transaction) -> Attaching:
    """Keep a payment method by the processor's token, and answer what it is.

    Refuses: CustomerUnknown, PaymentMethodKnown, PaymentMethodRefused, GatewayUnavailable.
    """
    customer = tx.customers.get(request.customer_id)
    return Attaching(
        id=request.id or tx.new_id(StoredMethodId),
        person=person_of(customer, tx),
        token=request.token,
        purpose=Purpose(request.purpose),
        key=tx.data_keys.newest(),
        new_key_id=tx.new_id(DataKeyId),
    )


def _answered(answer: T | Failed | Unknown) -> T:
    if isinstance(answer, Failed):
        raise PaymentMethodRefused(processorCode=answer.code)
    if isinstance(answer, Unknown):
        raise GatewayUnavailable()
    return answer
