"""What a house keeps of a customer and of what the customer has paid, handed out (GDPR-1).

The ids of all of it are found by one question, and the export is then read in pieces by them: what
is made while it runs belongs to the next one, and each thing is told as it is when it is read. It
is bounded. Payments are those of the properties that the caller works at. No token goes out, nor
what the house suspects, nor out of which drawer money came.

That something was handed out, and to whom, is written down before the first byte of it leaves, in
a trail of its own: nothing about the customer has changed.
"""

from collections.abc import Iterator
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.dispute import Dispute
from common.domain.identifiers import CustomerId, PaymentIntentId, StoredMethodId
from common.domain.refund import Refund
from common.domain.refusal import Unmet
from common.domain.standing_payment import StandingPayment
from common.domain.stored_method import StoredMethod

PIECE: Final = 100
RECORDS_MAX: Final = 10_000
"""What is written well within the time that a function has."""


class CustomerExportTooLarge(Unmet):
    code = "CUSTOMER_EXPORT_TOO_LARGE"
    title = "There is more about the customer than one export takes"


@dataclass(frozen=True, slots=True)
class MethodsPiece:
    """Some of the customer's payment methods."""

    ids: tuple[StoredMethodId, ...]


@dataclass(frozen=True, slots=True)
class PaymentsPiece:
    """Some of the payments that were asked of the customer."""

    ids: tuple[PaymentIntentId, ...]


Piece = MethodsPiece | PaymentsPiece


@dataclass(frozen=True, slots=True)
class Asked:
    """What there was of a customer when it was asked; methods that were removed are among it."""

    methods: tuple[StoredMethodId, ...]
    payments: tuple[PaymentIntentId, ...]

    @property
    def records(self) -> int:
        """How much there is."""
        return len(self.methods) + len(self.payments)

    def must_not_exceed(self, records_max: int) -> None:
        """Refuses: CustomerExportTooLarge."""
        if self.records > records_max:
            raise CustomerExportTooLarge(atMost=records_max)

    def pieces(self) -> Iterator[Piece]:
        """All of it, cut into pieces that can be read one by one."""
        for begin in range(0, len(self.methods), PIECE):
            yield MethodsPiece(self.methods[begin : begin + PIECE])
        for begin in range(0, len(self.payments), PIECE):
            yield PaymentsPiece(self.payments[begin : begin + PIECE])


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPayment:
    """A payment that was asked of a customer, what went back of it, and what a bank asks for."""

    standing: StandingPayment
    refunds: tuple[Refund, ...]
    disputes: tuple[Dispute, ...]


Exported = tuple[StoredMethod, ...] | tuple[ExportedPayment, ...]


@dataclass(frozen=True, kw_only=True)
class CustomerExported(Fact):
    """Somebody was handed what there is about a customer."""

    name = "customer.exported"


@dataclass(kw_only=True)
class Disclosures(Aggregate):
    """The trail of who was handed what there is about a customer; its id is the customer's."""

    kind: ClassVar[str] = "disclosures"
    id: CustomerId

    def state(self) -> dict[str, object]:
        return {"disclosures": self.version, "id": self.id}

    def exported(self) -> CustomerExported:
        """Somebody is about to be handed all of it."""
        return CustomerExported(subject=self, sequence=self.next_sequence())
