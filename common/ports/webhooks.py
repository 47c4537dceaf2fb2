"""Where the processor's events and the disputes that they tell of are kept."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from common.domain.dispute import Dispute, DisputeStatus
    from common.domain.folio import Folio
    from common.domain.identifiers import (
        DisputeId,
        FolioId,
        PaymentId,
        PaymentIntentId,
        ReceiptId,
        RefundId,
    )
    from common.domain.late_refund import LateRefund
    from common.domain.money import Currency, Money
    from common.domain.payment import Payment
    from common.domain.refund_failure import RefundFailure
    from common.domain.returned_payment import ReturnedPart, ReturnedPayment
    from common.domain.webhook import KeptWebhook, WebhookOutcome
    from common.ports.paging import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedWebhook:
    """An event as it came."""

    event_id: str
    type: str
    api_version: str | None
    livemode: bool
    payload: str
    payload_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFilter:
    """Which events a list is asked for."""

    type: str | None = None
    outcome: str | None = None


class Webhooks(Protocol):
    """The events that were kept, and what became of them."""

    def find(self, event_id: str) -> KeptWebhook | None:
        """A kept event with its last attempt, or None."""

    def get(self, event_id: str) -> KeptWebhook:
        """A kept event. Refuses: WebhookUnknown."""

    def page(self, which: WebhookFilter, limit: int, cursor: str | None) -> Page[KeptWebhook]:
        """Events in the order of their coming. Refuses: CursorInvalid."""

    def keep(self, received: ReceivedWebhook) -> None:
        """Write an event down, once."""

    def keep_attempt(self, event_id: str, outcome: WebhookOutcome, code: str | None = None) -> None:
        """Write down what became of an event; that it took effect, once."""

    def with_body_before(self, moment: datetime, limit: int) -> Sequence[str]:
        """Events that came before a moment and whose bodies are still kept, the oldest first."""

    def forget_bodies(self, event_ids: Sequence[str], before: datetime) -> None:
        """Delete what these events said, of those that came before a moment; the events stay."""


class Disputes(Protocol):
    """Disputes of card payments."""

    def find(self, processor_dispute_id: str) -> Dispute | None:
        """Lock the dispute that the processor calls so, if it is known."""

    def keep(self, dispute: Dispute) -> None:
        """Write a dispute, or where it stands now."""

    def of_surplus(self, surplus_id: PaymentIntentId) -> Mapping[DisputeId, DisputeStatus]:
        """Where each dispute of a charge stands that came second."""

    def beyond_what_is_owed(self, receipt_id: ReceiptId, currency: Currency) -> Money:
        """What banks withhold of a company's payment, or have got, beyond what the company owes
        again: it had gone back before. The account is locked."""

    def of_return(self, returned_id: PaymentId) -> Mapping[DisputeId, DisputeStatus]:
        """Where the claims stand by which banks ask for a payment that goes back, without those
        that this transaction writes. Its folio is locked."""


class LateRefunds(Protocol):
    """Refunds that the processor made itself, and those that failed after they were made. Changes
    are made under their folio's lock."""

    def look_for(self, processor_refund_id: str) -> tuple[RefundId | None, LateRefund | None]:
        """As what a refund of the processor's stands on a folio, and as what it was late."""

    def waiting_for(
        self, folio_id: FolioId
    ) -> tuple[Sequence[RefundFailure], Sequence[LateRefund], Sequence[ReturnedPayment]]:
        """What waits for a folio to be opened again, the oldest first: refunds of it that failed
        after they were made, refunds that the processor made, and payments that came for it and
        could not go back."""

    def keep(self, late: LateRefund) -> None:
        """Write one down, or that it stands on its folio, or has failed."""

    def keep_failure(self, failure: RefundFailure) -> None:
        """Write that a refund of a folio has failed after it was made, once."""


class ReturnedPayments(Protocol):
    """Payments that came for closed folios. Changes are made under their folio's lock."""

    def foresee(self, processor_payment_id: str) -> None:
        """Read along with its folio what is known of a processor's payment."""

    def look_for(self, processor_payment_id: str) -> tuple[Payment | None, ReturnedPayment | None]:
        """The payment on a folio that recorded a processor's payment, and as what it went back."""

    def take(self, folio_id: FolioId, refund_id: RefundId) -> tuple[Folio, ReturnedPayment]:
        """Lock a folio and read the payment that goes back by this refund, or would have.

        Refuses: FolioUnknown, RefundUnknown.
        """

    def take_paid_by(self, processor_payment_id: str) -> tuple[Folio, ReturnedPayment] | None:
        """Lock the folio of a processor's payment that goes back, if it does. Refuses:
        FolioUnknown."""

    def promised(self, refund_id: RefundId) -> Money:
        """How much one of its refunds was promised over."""

    def part(self, cause: str) -> ReturnedPart | None:
        """What went back otherwise by that name, the last word about it."""

    def keep(self, returned: ReturnedPayment) -> None:
        """Write one down with its promise, or what became of that."""

    def keep_part(self, part: ReturnedPart) -> None:
        """Write down what went back otherwise, once."""


class PaymentDirectory(Protocol):
    """Whose a card payment, a customer or an account is, before there is a tenant to ask."""

    def tenants_of(self, processor_payment_id: str) -> AbstractSet[UUID]:
        """The tenants who have recorded the processor's payment. Raises DatabaseUnavailable."""

    def tenants_with(self, processor_customer_id: str) -> AbstractSet[UUID]:
        """The tenant whose customer it is. Raises DatabaseUnavailable."""

    def tenants_paid_by(self, processor_account_id: str) -> AbstractSet[UUID]:
        """The tenant to whose account money is paid out. Raises DatabaseUnavailable."""
