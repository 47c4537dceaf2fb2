"""The payment processor, as customers and their payments see it: told with our ids, it does a thing
once, and it says what became of it.

Everything here may be asked again. A customer and a payment are made under our own id, which the
processor keeps with them; a method that is given to a customer twice is given once. An answer that
does not come leaves a payment `processing`, and `standing` says later what became of it (GW-5).
"""

from __future__ import annotations  # the names below are for the type checker, not for a start

from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass
from common.domain.refusal import Unavailable

if TYPE_CHECKING:
    from uuid import UUID

    from common.domain.identifiers import CustomerId, FolioId, PaymentIntentId, PropertyId
    from common.domain.money import Money
    from common.domain.processor_payment import Heard
    from common.domain.stored_method import MethodDetails
    from common.ports.answers import Failed, Succeeded, Unknown


class GatewayUnavailable(Unavailable):
    """It is left alone for a while, or did not answer: send the same request again later."""

    code = "GATEWAY_UNAVAILABLE"
    title = "The payment processor does not answer at the moment"

    def __init__(self, detail: str = "", **extra: object) -> None:
        super().__init__(detail, **{"retryAfterSeconds": 30, **extra})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A customer as the processor is told of it. `processor_customer_id` once it has given one."""

    id: CustomerId
    tenant_id: UUID
    email: str = field(repr=False)
    name: str = field(repr=False)
    phone: str | None = field(repr=False)
    details_version: int
    processor_customer_id: str | None


@dataclass(frozen=True, slots=True)
class Linked:
    """The processor knows the customer, under this id."""

    processor_customer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A payment that is to be taken: how much, from whose method, for what.

    One that is for no folio, as a purchase of credits is, is at no property. `challenge` asks the
    bank for 3-D Secure even where it would not ask by itself.
    """

    id: PaymentIntentId
    tenant_id: UUID
    property_id: PropertyId | None = None
    folio_id: FolioId | None = None
    amount: Money
    processor_customer_id: str
    token: str = field(default="", repr=False)
    challenge: bool = False


class NotThere:
    """The processor knows of no such payment."""


@dataclass(frozen=True, slots=True)
class NextAction:
    """How a guest confirms a payment to the bank: in the client, or at an address.

    The secret lets whoever has it finish this one payment. It is handed through, and kept nowhere.
    """

    client_secret: str | None = field(repr=False)
    redirect_url: str | None = field(repr=False)


class Cards(Protocol):
    """The processor. Whatever is asked twice under one id happens once."""

    def link(self, person: Person) -> Linked | Failed | Unknown:
        """Make the customer, or tell how it has changed."""

    def attach(self, token: str, processor_customer_id: str) -> MethodDetails | Failed | Unknown:
        """Give a method to a customer, for later charges; what it is."""

    def detach(self, token: str) -> Succeeded | Failed | Unknown:
        """Take a method away from its customer: it cannot be charged any more."""

    def pay(self, order: Order) -> Heard | Unknown:
        """Take a payment from a method; the order's id is the idempotency key."""

    def standing(self, order: Order) -> Heard | NotThere | Unknown:
        """What became of a payment. It makes none."""

    def cancel(self, order: Order) -> Heard | NotThere | Unknown:
        """Cancel a payment that was not taken, and say where it stands then: one that was taken
        stays so."""

    def next_action(self, order: Order) -> NextAction | None:
        """What a guest has to do for a payment to go on; None where there is nothing, or no
        answer."""
