"""How customers and their payment methods read on the wire; a token never goes out."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from common.contracts.fields import Instant, Name, PaymentToken
from common.contracts.references import CustomerRef, StoredMethodRef, placed
from common.contracts.shapes import Outcome
from common.domain.customer import Customer, normalised_email
from common.domain.stored_method import StoredMethod

_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()-]{3,31}")


def _telephone(text: str) -> str:
    if not _PHONE.fullmatch(text):
        raise PydanticCustomError("phone", "This is not a telephone number")
    return text


EmailAddress = Annotated[
    Name,
    AfterValidator(placed(normalised_email)),
    Field(examples=["zarmina@guest.example"]),
]
"""An e-mail address, read into the one form in which it is kept: two spellings are one person."""

Phone = Annotated[Name, AfterValidator(_telephone), Field(examples=["+93 70 123 4567"])]
"""A telephone number as a person writes it."""

ProcessorToken = Annotated[
    PaymentToken,
    StringConstraints(strict=True, min_length=4, max_length=128, pattern=r"^[a-z][a-zA-Z0-9_]*$"),
    Field(examples=["pm_1Q0PsIJvEtkwdCNYMSaVuRz6"]),
]
"""What the processor's page gave in place of a card; a card number itself is refused."""

PurposeName = Literal["this_stay", "later_stays", "platform_bills"]
"""What it may be charged for: stays of a guest, or what the platform bills the hotel for."""


class CustomerView(Outcome):
    """A customer. `processor` says whether the processor knows it as it is: `pending` until it was
    told, `refused` where it does not take these details (`refusedCode` says why)."""

    customer_id: CustomerRef
    email: str
    name: str
    phone: str | None
    processor: Literal["pending", "linked", "refused"]
    refused_code: str | None
    created_at: Instant
    version: int

    @classmethod
    def of(cls, customer: Customer) -> "CustomerView":
        told: Literal["pending", "linked", "refused"] = "linked" if customer.is_told else "pending"
        return cls(
            customer_id=customer.id,
            email=customer.email,
            name=customer.name,
            phone=customer.phone,
            processor="refused" if customer.refused_code else told,
            refused_code=customer.refused_code,
            created_at=customer.created_at,
            version=customer.version,
        )


class StoredMethodView(Outcome):
    """A payment method, as the processor describes it. A bank account has no expiry.

    `purpose` is what its owner has agreed to, at `consentedAt`; `authenticatedAt` is when the owner
    has confirmed it to the bank for charges in their absence.
    """

    payment_method_id: StoredMethodRef
    customer_id: CustomerRef
    kind: str = Field(examples=["card"])
    brand: str = Field(examples=["visa"])
    last_four: str = Field(examples=["4242"])
    expiry_month: int | None
    expiry_year: int | None
    purpose: str
    consented_at: Instant
    authenticated_at: Instant | None
    removed_at: Instant | None
    version: int

    @classmethod
    def of(cls, method: StoredMethod) -> "StoredMethodView":
        return cls(
            payment_method_id=method.id,
            customer_id=method.customer_id,
            kind=method.details.kind.value,
            brand=method.details.brand,
            last_four=method.details.last_four,
            expiry_month=method.details.expiry_month,
            expiry_year=method.details.expiry_year,
            purpose=method.purpose.value,
            consented_at=method.consented_at,
            authenticated_at=method.authenticated_at,
            removed_at=method.removed_at,
            version=method.version,
        )
