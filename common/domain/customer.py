"""A customer: whose cards are kept, and whom the processor knows under one id (GW-1).

A tenant has one customer for each e-mail address, and the processor one for each customer; none is
shared between tenants. An address is kept in one form, so that `Zarmina@Guest.example ` is no
second person. The customer is ours from the moment that it is written down; the processor is told
afterwards, under our id, and of each change again. `details_version` numbers what there is to be
told, `told_version` is how far the processor has been told.
"""

import re
import unicodedata
from dataclasses import field
from datetime import datetime
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import CustomerId
from common.domain.moment import Moment
from common.domain.refusal import Conflict, Missing, Unmet

_ADDRESS: Final = re.compile(
    r"[^\s@,;<>\"\x00-\x1f\x7f]{1,64}@[^\s@.,;<>\"\x00-\x1f\x7f]+(\.[^\s@.,;<>\"\x00-\x1f\x7f]+)+"
)


class CustomerUnknown(Missing):
    code = "CUSTOMER_UNKNOWN"
    title = "There is no such customer"


class CustomerEmailTaken(Conflict):
    code = "CUSTOMER_EMAIL_TAKEN"
    title = "A customer with this e-mail address is known already"


class EmailInvalid(Unmet):
    code = "EMAIL_INVALID"
    title = "This is not an e-mail address"


def normalised_email(text: str) -> str:
    """The one form in which an address is kept: composed, in lower case, without blanks around it.

    Refuses: EmailInvalid.
    """
    address = unicodedata.normalize("NFKC", text).strip().lower()
    if not _ADDRESS.fullmatch(address) or len(address) > 254:
        raise EmailInvalid()
    return address


@dataclass(frozen=True, kw_only=True)
class CustomerFact(Fact):
    """Something that happened to a customer; told in the house only."""

    subject: "Customer" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class CustomerRegistered(CustomerFact):
    name = "customer.registered"


@dataclass(frozen=True, kw_only=True)
class CustomerChanged(CustomerFact):
    name = "customer.changed"


@dataclass(frozen=True, kw_only=True)
class CustomerLinked(CustomerFact):
    """The processor knows the customer as it is, or it has refused to."""

    name = "customer.linked"


@dataclass(kw_only=True)
class Customer(Aggregate):
    """See the module. Name, address and telephone are personal: never logged, told or digested.

    `is_freshly_linked` since the processor has given its id, until that is kept.
    """

    kind: ClassVar[str] = "customer"
    id: CustomerId
    email: str
    name: str
    phone: str | None
    created_at: datetime
    changed_at: datetime
    processor_customer_id: str | None = None
    details_version: int = 1
    told_version: int = 0
    refused_code: str | None = None
    is_freshly_linked: bool = field(default=False, compare=False)

    @classmethod
    def register(
        cls, *, id: CustomerId, email: str, name: str, phone: str | None, moment: Moment
    ) -> CustomerRegistered:
        """Write a customer down whom the processor is to be told of."""
        customer = cls(
            id=id,
            email=email,
            name=name,
            phone=phone,
            created_at=moment.now,
            changed_at=moment.now,
        )
        return CustomerRegistered(subject=customer, sequence=customer.next_sequence())

    def change(
        self, *, email: str, name: str, phone: str | None, moment: Moment
    ) -> CustomerChanged | None:
        """Put these details in the place of those that are known; None where they are the same."""
        if (email, name, phone) == (self.email, self.name, self.phone):
            return None
        self.email, self.name, self.phone = email, name, phone
        self.details_version += 1
        self.refused_code = None
        self.changed_at = moment.now
        return CustomerChanged(subject=self, sequence=self.next_sequence())

    def link(
        self, details_version: int, processor_customer_id: str | None, refused_code: str | None
    ) -> CustomerLinked | None:
        """Keep that the processor was told, and what it calls the customer; None for old news.

        What it refuses (`refused_code` says why) is not asked for again until the details change.
        The first id that it gave stays: a second one would be a second customer. Raises ValueError.
        """
        if details_version <= self.told_version:
            return None
        if processor_customer_id is not None:
            if self.processor_customer_id not in (None, processor_customer_id):
                raise ValueError(f"{self.id} has another customer at the processor")
            self.is_freshly_linked = self.processor_customer_id is None
            self.processor_customer_id = processor_customer_id
        self.told_version = details_version
        self.refused_code = refused_code
        return CustomerLinked(subject=self, sequence=self.next_sequence(), reason=refused_code)

    @property
    def is_told(self) -> bool:
        """Whether the processor was told of all that is known."""
        return self.told_version == self.details_version

    def state(self) -> dict[str, object]:
        """What the audit trail digests: nothing personal."""
        return {
            "id": self.id,
            "detailsVersion": self.details_version,
            "processorCustomerId": self.processor_customer_id,
            "refusedCode": self.refused_code,
            "toldVersion": self.told_version,
        }
