"""A payment method that a customer has left: a card, or a bank account, by the processor's token.

The number never came in; the processor's page took it and gave a token in its place, which can be
charged and is kept sealed under a data key of the tenant (GW-2). Shown is what the processor says
of it: brand, last four digits, month of expiry. A token is known again by its SHA-256, and kept
once. Whoever leaves a method has said for what, and when (GDPR-2): a guest for stays, and somebody
of the hotel for its bills by the platform. These, and credits, are charged to no method that was
left for stays.

What is removed is charged no more: its sealed token goes with it, the rest stays for the payments
that were made by it.
"""

import hashlib
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import CustomerId, DataKeyId, StoredMethodId
from common.domain.moment import Moment
from common.domain.refusal import Conflict, Missing, Unmet


class PaymentMethodUnknown(Missing):
    code = "PAYMENT_METHOD_UNKNOWN"
    title = "There is no such payment method"


class PaymentMethodKnown(Conflict):
    code = "PAYMENT_METHOD_KNOWN"
    title = "This payment method has been kept already"


class PaymentMethodRemoved(Conflict):
    code = "PAYMENT_METHOD_REMOVED"
    title = "The payment method has been removed"


class PaymentMethodForStays(Unmet):
    """It was left for stays. One for the platform's bills is left as `platform_bills`."""

    code = "PAYMENT_METHOD_FOR_STAYS"
    title = "Nobody has agreed that this payment method pays the platform's bills"


class PaymentMethodForThePlatform(Unmet):
    """It was left as `platform_bills`: it pays what the platform bills, and no stay."""

    code = "PAYMENT_METHOD_FOR_PLATFORM_BILLS"
    title = "Nobody has agreed that this payment method pays for a stay"


class PaymentMethodRefused(Unmet):
    """The processor does not take it; `processorCode` says why, in its own words."""

    code = "PAYMENT_METHOD_REFUSED"
    title = "The processor does not take this payment method"


class PaymentMethodErased(Conflict):
    code = "PAYMENT_METHOD_ERASED"
    title = "The key of this payment method was destroyed: it cannot be charged any more"


class MethodKind(StrEnum):
    """What was left."""

    CARD = "card"
    BANK_ACCOUNT = "bank_account"


class Purpose(StrEnum):
    """What the customer has agreed to: charges of this stay, or of later ones as well; or of what
    the platform bills the hotel for."""

    THIS_STAY = "this_stay"
    LATER_STAYS = "later_stays"
    PLATFORM_BILLS = "platform_bills"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodDetails:
    """What the processor says of a method. A bank account has its bank's name and no expiry."""

    kind: MethodKind
    brand: str
    last_four: str
    expiry_month: int | None = None
    expiry_year: int | None = None
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedToken:
    """A token that only the tenant's data key opens; its digest knows it again."""

    data_key_id: DataKeyId
    content: bytes = field(repr=False)
    digest: bytes


def token_digest(token: str) -> bytes:
    """SHA-256 of a token: enough to recognise it, useless to charge it."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, kw_only=True)
class MethodFact(Fact):
    """Something that happened to a payment method; told in the house only."""

    subject: "StoredMethod" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class MethodKept(MethodFact):
    name = "payment_method.kept"


@dataclass(frozen=True, kw_only=True)
class MethodRemoved(MethodFact):
    name = "payment_method.removed"


@dataclass(frozen=True, kw_only=True)
class MethodUpdated(MethodFact):
    """The processor knows another expiry or brand of it: the bank has sent a new card."""

    name = "payment_method.updated"


@dataclass(frozen=True, kw_only=True)
class MethodAuthenticated(MethodFact):
    """The customer has confirmed it to the bank, for charges in their absence."""

    name = "payment_method.authenticated"


@dataclass(kw_only=True)
class StoredMethod(Aggregate):
    """See the module. `told_at` is when the processor last said something of its details."""

    kind: ClassVar[str] = "payment_method"
    id: StoredMethodId
    customer_id: CustomerId
    details: MethodDetails
    sealed: SealedToken
    purpose: Purpose
    consented_at: datetime
    kept_at: datetime
    told_at: datetime
    authenticated_at: datetime | None = None
    removed_at: datetime | None = None

    @classmethod
    def keep(
        cls,
        *,
        id: StoredMethodId,
        customer_id: CustomerId,
        details: MethodDetails,
        sealed: SealedToken,
        purpose: Purpose,
        moment: Moment,
    ) -> MethodKept:
        """Keep a method that the processor has given to its customer."""
        method = cls(
            id=id,
            customer_id=customer_id,
            details=details,
            sealed=sealed,
            purpose=purpose,
            consented_at=moment.now,
            kept_at=moment.now,
            told_at=moment.now,
        )
        return MethodKept(subject=method, sequence=method.next_sequence())

    @property
    def is_removed(self) -> bool:
        """Whether it is charged no more."""
        return self.removed_at is not None

    def must_be_there(self) -> None:
        """Refuses: PaymentMethodRemoved."""
        if self.is_removed:
            raise PaymentMethodRemoved(paymentMethodId=self.id)

    @property
    def pays_the_platform(self) -> bool:
        """Whether whoever has left it agreed to that."""
        return self.purpose is Purpose.PLATFORM_BILLS

    def must_pay_the_platform(self) -> None:
        """Refuses: PaymentMethodRemoved, PaymentMethodForStays."""
        self.must_be_there()
        if not self.pays_the_platform:
            raise PaymentMethodForStays(paymentMethodId=self.id, purpose=self.purpose.value)

    def must_pay_for_stays(self) -> None:
        """Refuses: PaymentMethodRemoved, PaymentMethodForThePlatform."""
        self.must_be_there()
        if self.pays_the_platform:
            raise PaymentMethodForThePlatform(paymentMethodId=self.id, purpose=self.purpose.value)

    def remove(self, moment: Moment) -> MethodRemoved | None:
        """Charge it no more, and forget its token; None where that was done."""
        if self.is_removed:
            return None
        self.removed_at = moment.now
        return MethodRemoved(subject=self, sequence=self.next_sequence())

    def update(
        self, details: MethodDetails, told_at: datetime, moment: Moment
    ) -> MethodUpdated | None:
        """Take over what the processor says of it now; None for what is known, or older."""
        if self.is_removed or told_at < self.told_at or details == self.details:
            return None
        self.details, self.told_at = details, told_at
        return MethodUpdated(subject=self, sequence=self.next_sequence())

    def authenticate(self, moment: Moment) -> MethodAuthenticated | None:
        """Keep that its customer has confirmed it to the bank; None where that is known."""
        if self.is_removed or self.authenticated_at is not None:
            return None
        self.authenticated_at = moment.now
        return MethodAuthenticated(subject=self, sequence=self.next_sequence())

    def state(self) -> dict[str, object]:
        """What the audit trail digests: no token, sealed or not."""
        return {
            "id": self.id,
            "customerId": self.customer_id,
            "kind": self.details.kind.value,
            "purpose": self.purpose.value,
            "isAuthenticated": self.authenticated_at is not None,
            "isRemoved": self.is_removed,
        }
