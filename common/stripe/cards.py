"""Stripe's customers, payment methods and payment intents, through its own library.

What we make there bears our id and our tenant in its metadata, and is made under our id as the
idempotency key: the key makes it once while Stripe remembers it, the metadata find it for ever
after. A payment is looked for among those of its customer, which Stripe lists as soon as they are
made; its search lags behind. A payment is made and confirmed by one request, so that there is none
that nobody has confirmed. What a bank declines is a payment that failed; what Stripe does not take
at all has failed without one; silence is `Unreachable`, and is asked after (GW-4, GW-5).
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

import stripe
from stripe import StripeClient

from common.domain.processor_payment import Heard, PaymentStatus
from common.domain.processor_units import from_processor, to_processor
from common.domain.stored_method import MethodDetails, MethodKind, token_digest
from common.ports.answers import Failed, Succeeded, Unknown, Unreachable
from common.ports.cards import Linked, NextAction, NotThere, Order, Person
from common.stripe.gateway import PAGE, RETRIES_MAX, client
from common.stripe.reading import metadata_of, read, unreachable_or_raise

T = TypeVar("T")

STATUSES: Final = {
    "requires_action": PaymentStatus.REQUIRES_ACTION,
    "canceled": PaymentStatus.CANCELED,
    "succeeded": PaymentStatus.SUCCEEDED,
}
ENDED: Final = frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED})
NUMBERLESS: Final = "0000"
_Refused = stripe.CardError | stripe.InvalidRequestError


class StripeCards:
    """See the module. `address` is where Stripe is, if it is not where it always is."""

    def __init__(self, api_key: str, *, address: str = "", retries_max: int = RETRIES_MAX) -> None:
        self._client: StripeClient = client(api_key, address, retries_max)

    def link(self, person: Person) -> Linked | Failed | Unknown:
        """Make the customer, unless it was made; or tell Stripe how it has changed."""

        def linked() -> Linked:
            known = person.processor_customer_id or self._customer(person)
            details: Any = {
                "email": person.email,
                "name": person.name,
                "phone": person.phone or "",
                "metadata": {"tenantId": str(person.tenant_id), "customerId": str(person.id)},
            }
            key: Any = {"idempotency_key": f"{person.id}:{person.details_version}"}
            if known is not None:
                return Linked(self._client.v1.customers.update(known, details, key).id)
            return Linked(self._client.v1.customers.create(details, key).id)

        return self._asked(linked)

    def attach(self, token: str, processor_customer_id: str) -> MethodDetails | Failed | Unknown:
        """Give a method to a customer; once more changes nothing."""
        given: Any = {"customer": processor_customer_id}
        key: Any = {"idempotency_key": f"attach:{processor_customer_id}:{_named(token)}"}
        return self._asked(
            lambda: _details(self._client.v1.payment_methods.attach(token, given, key))
        )

    def detach(self, token: str) -> Succeeded | Failed | Unknown:
        """Take a method away from its customer. One that has none is as it should be."""
        key: Any = {"idempotency_key": f"detach:{_named(token)}"}

        def detached() -> Succeeded:
            with suppress(stripe.InvalidRequestError):
                self._client.v1.payment_methods.detach(token, None, key)
            return Succeeded()

        return self._asked(detached)

    def pay(self, order: Order) -> Heard | Unknown:
        """Make a payment and confirm it. The same id for something else is no answer."""
        asked: Any = {
            "amount": to_processor(order.amount),
            "currency": str(order.amount.currency).lower(),
            "customer": order.processor_customer_id,
            "payment_method": order.token,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": {
                "tenantId": str(order.tenant_id),
                "paymentIntentId": str(order.id),
                **({"propertyId": str(order.property_id)} if order.property_id else {}),
                **({"folioId": str(order.folio_id)} if order.folio_id else {}),
            },
        }
        if order.challenge:
            asked["payment_method_options"] = {"card": {"request_three_d_secure": "any"}}
        try:
            made = self._client.v1.payment_intents.create(asked, {"idempotency_key": order.id})
        except stripe.IdempotencyError:  # it is being made, or was made of another method
            return Unknown()
        except (stripe.CardError, stripe.InvalidRequestError) as refused:
            return _refused(refused)
        except (stripe.APIConnectionError, stripe.RateLimitError):
            return Unreachable()
        except stripe.APIError as fault:
            return unreachable_or_raise(fault)
        return _heard(made)

    def standing(self, order: Order) -> Heard | NotThere | Unknown:
        """What became of a payment; it is looked for by our id among its customer's."""
        found = read(lambda: self._payment(order))
        if isinstance(found, Unreachable):
            return found
        return NotThere() if found is None else _heard(found)

    def cancel(self, order: Order) -> Heard | NotThere | Unknown:
        """Cancel a payment; what Stripe does not cancel any more is answered as it stands."""
        found = read(lambda: self._payment(order))
        if found is None:
            return NotThere()
        if isinstance(found, Unreachable) or _heard(found).status in ENDED:
            return found if isinstance(found, Unreachable) else _heard(found)
        key: Any = {"idempotency_key": f"{order.id}:cancel"}
        reason: Any = {"cancellation_reason": "abandoned"}
        try:
            canceled = self._client.v1.payment_intents.cancel(found.id, reason, key)
        except stripe.IdempotencyError:  # somebody else is at it
            return Unknown()
        except stripe.InvalidRequestError:  # it was taken meanwhile, or is being taken
            return self.standing(order)
        except (stripe.APIConnectionError, stripe.RateLimitError):
            return Unreachable()
        except stripe.APIError as fault:
            return unreachable_or_raise(fault)
        return _heard(canceled)

    def next_action(self, order: Order) -> NextAction | None:
        """How a guest confirms a payment: the client's secret for Stripe's own page or library."""
        found = read(lambda: self._payment(order))
        if found is None or isinstance(found, Unreachable) or found.status != "requires_action":
            return None
        redirect = getattr(found.next_action, "redirect_to_url", None)
        return NextAction(
            client_secret=found.client_secret, redirect_url=getattr(redirect, "url", None)
        )

    def _customer(self, person: Person) -> str | None:
        """The customer of our id, if it was made and nobody has heard of it."""
        listed = self._client.v1.customers.list({"email": person.email, "limit": PAGE})
        return next(
            (
                str(each.id)
                for each in listed.auto_paging_iter()
                if metadata_of(each).get("customerId") == person.id
            ),
            None,
        )

    def _payment(self, order: Order) -> Any | None:
        try:
            listed = self._client.v1.payment_intents.list(
                {"customer": order.processor_customer_id, "limit": PAGE}
            )
            return next(
                (
                    each
                    for each in listed.auto_paging_iter()
                    if metadata_of(each).get("paymentIntentId") == order.id
                ),
                None,
            )
        except stripe.InvalidRequestError:  # there is no such customer, and so no payment of it
            return None

    def _asked(self, call: Callable[[], T]) -> T | Failed | Unknown:
        """What is answered to a thing that may be asked for again."""
        try:
            return call()
        except stripe.IdempotencyError:
            return Unknown()
        except (stripe.CardError, stripe.InvalidRequestError) as refused:
            return Failed(_code(refused))
        except (stripe.APIConnectionError, stripe.RateLimitError):
            return Unreachable()
        except stripe.APIError as fault:
            return unreachable_or_raise(fault)


def _named(token: str) -> str:
    """A token in a key: its digest, as keys are kept and shown where tokens are not."""
    return token_digest(token).hex()


def _heard(intent: Any) -> Heard:
    """Where a payment stands. One that asks for another method has failed with the first."""
    failed = getattr(intent, "last_payment_error", None)
    status = STATUSES.get(intent.status, PaymentStatus.PROCESSING)
    if intent.status == "requires_payment_method" and failed is not None:
        status = PaymentStatus.FAILED
    return Heard(
        processor_payment_id=intent.id,
        status=status,
        received=from_processor(intent.amount_received, intent.currency)
        if status is PaymentStatus.SUCCEEDED
        else None,
        failure_code=_code(failed) if status is PaymentStatus.FAILED else None,
    )


def _refused(refused: _Refused) -> Heard:
    """A payment that a bank has declined, or one that Stripe did not take."""
    error = getattr(refused, "error", None)
    intent = getattr(error, "payment_intent", None)
    return Heard(
        processor_payment_id=getattr(intent, "id", None),
        status=PaymentStatus.FAILED,
        failure_code=_code(error or refused),
    )


def _code(error: Any) -> str:
    """Why it was refused, in Stripe's words: the bank's reason where there is one."""
    return getattr(error, "decline_code", None) or getattr(error, "code", None) or "invalid_request"


def _details(method: Any) -> MethodDetails:
    """What Stripe says of a card, or of a bank account of whatever country."""
    card = getattr(method, "card", None)
    if card is not None:
        return MethodDetails(
            kind=MethodKind.CARD,
            brand=card.brand,
            last_four=card.last4,
            expiry_month=card.exp_month,
            expiry_year=card.exp_year,
            fingerprint=getattr(card, "fingerprint", None),
        )
    account = getattr(method, method.type)
    return MethodDetails(
        kind=MethodKind.BANK_ACCOUNT,
        brand=getattr(account, "bank_name", None) or method.type,
        last_four=getattr(account, "last4", None) or NUMBERLESS,
        fingerprint=getattr(account, "fingerprint", None),
    )
