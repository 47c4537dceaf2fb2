"""Where customers, their payment methods and the payments to be taken from them are kept."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from common.domain.collection_lease import Lease
    from common.domain.credit_purchase import CreditPurchase
    from common.domain.customer import Customer
    from common.domain.customer_export import Asked, Disclosures, Exported, Piece
    from common.domain.folio import Folio
    from common.domain.identifiers import (
        CustomerId,
        DataKeyId,
        FolioId,
        PaymentId,
        PaymentIntentId,
        StoredMethodId,
    )
    from common.domain.payment import Payment
    from common.domain.payment_intent import PaymentIntent
    from common.domain.returned_payment import ReturnedPayment
    from common.domain.standing_payment import StandingPayment
    from common.domain.stored_method import StoredMethod
    from common.domain.subscription_payment import SubscriptionPayment
    from common.ports.paging import Page
    from common.ports.vault import DataKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """By what an intent is taken: its customer at the processor, and a sealed token with its key.

    Neither token nor key where no method is named, or where it was removed.
    """

    processor_customer_id: str
    sealed: bytes = field(repr=False)
    key: DataKey | None


class Customers(Protocol):
    """The customers of a tenant."""

    def get(self, customer_id: CustomerId) -> Customer:
        """A customer as it is. Refuses: CustomerUnknown."""

    def take(self, customer_id: CustomerId) -> Customer:
        """Lock a customer. Refuses: CustomerUnknown."""

    def find_by_email(self, email: str) -> Customer | None:
        """The customer of an address, if there is one."""

    def due(self, limit: int) -> Sequence[CustomerId]:
        """Customers of whom the processor does not know all, the longest waiting first."""

    def keep(self, customer: Customer) -> None:
        """Write a customer, or how it has changed."""

    def postpone(self, customer_id: CustomerId) -> None:
        """Tell the processor later, after a pause that grows with each attempt."""

    def to_export(self, customer_id: CustomerId, limit: int) -> Asked:
        """What there is of a customer: so many of each at most, and of the actor's properties."""

    def read_export(self, piece: Piece) -> Exported:
        """A piece of that, each thing as it is now."""

    def take_disclosures(self, customer_id: CustomerId) -> Disclosures:
        """Lock the trail of who was handed what there is of a customer."""


class StoredMethods(Protocol):
    """What customers have left to pay with."""

    def foresee(self, method_id: StoredMethodId) -> None:
        """Read a method along with what is read next."""

    def get(self, method_id: StoredMethodId) -> StoredMethod:
        """A method as it is. Refuses: PaymentMethodUnknown."""

    def take(self, method_id: StoredMethodId) -> StoredMethod:
        """Lock a method. Refuses: PaymentMethodUnknown."""

    def find_by_token(self, digest: bytes) -> StoredMethod | None:
        """Lock the method with the token of this SHA-256, if it is known."""

    def page(self, customer_id: CustomerId, limit: int, cursor: str | None) -> Page[StoredMethod]:
        """What a customer has left and not removed, in the order of its coming.

        Refuses: CursorInvalid.
        """

    def keep(self, method: StoredMethod) -> None:
        """Write a method, or how it has changed; the token of a removed one goes."""


class DataKeys(Protocol):
    """The tenant's data keys, wrapped."""

    def newest(self) -> DataKey | None:
        """The key that seals; None before there is one."""

    def get(self, key_id: DataKeyId) -> DataKey:
        """A key by its id. Raises LookupError."""

    def due(self, limit: int) -> Sequence[DataKeyId]:
        """Keys that nobody has wrapped anew for a day, the oldest first."""

    def keep_new(self, key: DataKey) -> None:
        """Write a key, once."""

    def keep_rewrapped(self, key: DataKey) -> None:
        """Write by what a key is wrapped now."""


@dataclass(frozen=True, slots=True)
class Placing:
    """What is known of money that has come: the payment that it is on a folio, its method, and as
    what it goes back."""

    payment: Payment | None
    method: StoredMethod | None
    returned: ReturnedPayment | None = None


class PaymentIntents(Protocol):
    """Payments that the processor is to take. They change under the lock of their folio."""

    def get(self, intent_id: PaymentIntentId) -> StandingPayment:
        """An intent as it is. Refuses: PaymentIntentUnknown."""

    def foresee_other(self, payment_id: PaymentIntentId) -> None:
        """Read along whether something else has an id."""

    def is_others(self, payment_id: PaymentIntentId) -> bool:
        """Whether a purchase of credits has this id, or a charge of an invoice of the platform has
        it or may come to have it."""

    def get_parties(self, folio_id: FolioId, customer_id: CustomerId) -> tuple[Folio, Customer]:
        """For what a payment is to be made out, and from whom, in one round trip.

        Refuses: FolioUnknown, CustomerUnknown.
        """

    def take(self, intent_id: PaymentIntentId) -> tuple[Folio, PaymentIntent]:
        """Lock an intent's folio and the intent. Refuses: PaymentIntentUnknown."""

    def take_with_method(
        self, intent_id: PaymentIntentId, method_id: StoredMethodId | None
    ) -> tuple[Folio, PaymentIntent, StoredMethod | None, Lease | None]:
        """Lock an intent's folio and the intent, and read a method that is named, and the lease on
        what the folio owes.

        Refuses: PaymentIntentUnknown, PaymentMethodUnknown.
        """

    def take_with_payment(
        self, intent_id: PaymentIntentId, processor_payment_id: str | None
    ) -> tuple[Folio, PaymentIntent, Placing]:
        """Lock an intent's folio and the intent, and read behind the locks whether a payment of the
        processor stands on a folio, and by which method the intent is taken.

        Refuses: PaymentIntentUnknown.
        """

    def find_sent_back(self, returned_id: PaymentId) -> PaymentIntent | None:
        """Lock the intent whose money came for a closed folio; its folio is locked already."""

    def foresee_means(self, customer_id: CustomerId, method_id: StoredMethodId) -> None:
        """Read along with what is read next by what is taken of a method."""

    def means(self, intent: PaymentIntent | CreditPurchase | SubscriptionPayment) -> Means:
        """By what an intent is taken, as it names its method now."""

    def due(self, limit: int) -> Sequence[PaymentIntentId]:
        """Intents of which something has to become, the longest waiting first."""

    def keep(self, intent: PaymentIntent) -> None:
        """Write an intent, or how it has changed; it waits, or waits no longer.

        One that is no longer under way lets go of what it had a lease on.
        """

    def postpone(self, intent_id: PaymentIntentId) -> None:
        """Ask again later, after a pause that grows with each attempt."""


class CollectionLeases(Protocol):
    """Who is collecting what a folio owes (BEY-4). They are read under the lock of their folio."""

    def take_folio(self, folio_id: FolioId) -> tuple[Folio, Lease | None]:
        """Lock a folio and read the lease on its debt, which may be over. Refuses: FolioUnknown."""

    def foresee(self, folio_id: FolioId) -> None:
        """Read the lease along with what is read next."""

    def find(self, folio_id: FolioId) -> Lease | None:
        """The lease on the debt of a folio that is locked; it may be over."""

    def keep(self, lease: Lease) -> None:
        """Write a lease, in the place of one that is over. Refuses: PaymentUnderWay."""
