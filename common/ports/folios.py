"""What a use case may do with folios, what goes back of their payments, and the ledger."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from common.domain.folio import Folio
    from common.domain.folio_line import Line
    from common.domain.identifiers import ChargeId, FolioId, PaymentId, PropertyId, RefundId
    from common.domain.ledger import Booked
    from common.domain.money import Money
    from common.domain.payment import Payment
    from common.domain.refund import Refund
    from common.domain.reopening import Reopening
    from common.domain.settlement import Settlement
    from common.ports.paging import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class FolioFilter:
    """Which folios a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    status: str | None = None
    reservation_id: str | None = None
    business_date: date | None = None


class Folios(Protocol):
    """Folios, their lines and payments. Another tenant's or property's folio is unknown here."""

    def get(self, folio_id: FolioId) -> Folio:
        """A folio as it is. Refuses: FolioUnknown."""

    def take(self, folio_id: FolioId) -> Folio:
        """Lock a folio. Refuses: FolioUnknown."""

    def take_with_charge(
        self, folio_id: FolioId, charge_id: ChargeId
    ) -> tuple[Folio, Sequence[Line]]:
        """Lock a folio and read the lines of one of its charges. Refuses: FolioUnknown."""

    def take_both(
        self, folio_id: FolioId, other_id: FolioId, charge_ids: Sequence[ChargeId]
    ) -> tuple[Folio, Folio, Sequence[Line]]:
        """Lock two folios, in one order, with some charges of the first. Refuses: FolioUnknown."""

    def take_whole(
        self, folio_id: FolioId
    ) -> tuple[Folio, Sequence[Line], Sequence[Payment], Sequence[Refund]]:
        """Lock a folio and read its lines, payments and refunds. Refuses: FolioUnknown."""

    def get_whole(
        self, folio_id: FolioId
    ) -> tuple[Folio, Sequence[Line], Sequence[Payment], Sequence[Refund]]:
        """Read a folio with its lines, payments and refunds. Refuses: FolioUnknown."""

    def find_for_reservation(
        self, property_id: PropertyId, reservation_id: str, window: str
    ) -> Folio | None:
        """The folio that was opened for a reservation and window, if any."""

    def find_charge(self, folio_id: FolioId, source: str, reference: str) -> Line | None:
        """The line of a folio that was posted under a source's reference, if any."""

    def find_paid_by(self, processor_payment_id: str) -> Payment | None:
        """The payment that recorded a processor's payment, if any."""

    def page(self, which: FolioFilter, limit: int, cursor: str | None) -> Page[Folio]:
        """Folios in the order of their opening."""

    def keep(self, folio: Folio) -> None:
        """Write the folio and its fresh lines."""

    def keep_payment(self, payment: Payment, *, is_listed: bool = False) -> None:
        """Write a payment; its line is the folio's. One of a card is listed by the processor's id
        for its webhooks, unless it was when its money came."""

    def keep_settlement(self, settlement: Settlement) -> None:
        """Write how a folio came to zero."""

    def keep_reopening(self, reopening: Reopening) -> None:
        """Write that a folio was opened again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRefund:
    """A refund that a processor is to make, out of its payment. One that `is_called_off` it is to
    make no more, and is asked only whether it has."""

    id: RefundId
    folio_id: FolioId
    processor_payment_id: str
    paid: Money
    is_called_off: bool = False


class Refunds(Protocol):
    """Refunds, and those that wait for their processor. Changes are made under the folio's lock."""

    def take_payment(
        self, folio_id: FolioId, payment_id: PaymentId
    ) -> tuple[Folio, Payment, Money]:
        """Lock a folio and read one of its payments, and what stands on it of all of them: less
        what was given back, and what was moved away. Refuses: FolioUnknown, PaymentUnknown."""

    def take(self, folio_id: FolioId, refund_id: RefundId) -> tuple[Folio, Payment, Refund]:
        """Lock a folio and read a refund with its payment. Refuses: FolioUnknown, RefundUnknown."""

    def find_pending(self, refund_id: RefundId) -> PendingRefund | None:
        """What a processor is to be asked of a refund; None once it is settled."""

    def find_asked(
        self, refund_id: RefundId, processor_payment_id: str | None
    ) -> PendingRefund | None:
        """A card's refund that was promised of a processor's payment, whatever became of it."""

    def due(self, limit: int) -> Sequence[RefundId]:
        """Pending refunds whose last attempt is old, the longest waiting first."""

    def keep(self, refund: Refund, payment: Payment) -> None:
        """Write a new refund, what its payment has left, and that it waits where it is pending."""

    def keep_settled(self, refund: Refund, payment: Payment) -> None:
        """Write what became of a pending refund, once; it waits no longer."""

    def keep_left(self, payment: Payment) -> None:
        """Write what a payment has left, once a refund that failed afterwards is taken back."""

    def postpone(self, refund_id: RefundId) -> None:
        """Try again later, after a pause that grows with each attempt."""


class Ledger(Protocol):
    """The double-entry ledger; it can only be added to."""

    def post(self, booked: Booked) -> None:
        """Book the entries of what happened to a folio, in a drawer or on a company's account."""
