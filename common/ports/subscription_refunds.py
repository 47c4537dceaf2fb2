"""Refunds of the platform's invoices, and of what was paid twice for one, as use cases see them."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.domain.identifiers import RefundId, SubscriptionId, SubscriptionInvoiceId
    from common.domain.money import Currency, Money
    from common.domain.subscription_refund import SubscriptionRefund


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSubscriptionRefund:
    """A refund of an invoice of the platform that the processor is to make. Where it has not said
    by which payment it took the money, it is asked by the id of its own invoice."""

    id: RefundId
    subscription_id: SubscriptionId
    processor_payment_id: str | None
    processor_invoice_id: str | None
    paid: Money


class SubscriptionRefunds(Protocol):
    """Refunds that the platform has asked for. Changed behind their subscription's lock."""

    def get(self, refund_id: RefundId) -> SubscriptionRefund:
        """A refund that there is."""

    def foresee_surplus(self, processor_payment_id: str) -> None:
        """Read along with what is read next whether a payment came second."""

    def find_surplus(self, processor_payment_id: str) -> tuple[RefundId, SubscriptionId] | None:
        """The refund of a payment that came second, and which subscription is to be locked for it;
        None where it did not."""

    def find_pending(self, refund_id: RefundId) -> PendingSubscriptionRefund | None:
        """What the processor is to make; None where that is settled, or none of the platform's."""

    def find_asked(self, refund_id: RefundId) -> PendingSubscriptionRefund | None:
        """The same, whatever has become of it since; None where it is none of the platform's."""

    def find_made_there(self, processor_refund_id: str) -> tuple[RefundId, SubscriptionId] | None:
        """The refund that was made at the processor by this one, and which subscription is to be
        locked for it; None where it is none of those."""

    def that_came_back(self, processor_payment_id: str) -> Sequence[SubscriptionRefund]:
        """What has come back of a payment's refunds, lying here or given back anew, the oldest
        first."""

    def has_come_back(self, refund_id: str) -> bool:
        """Whether it is known that a refund, ours or the processor's, has failed afterwards."""

    def foresee_promised(self, invoice_id: SubscriptionInvoiceId) -> None:
        """Read what is promised of an invoice along with its subscription."""

    def promised(self, invoice_id: SubscriptionInvoiceId, currency: Currency) -> Money:
        """What of an invoice's money is promised and not made yet."""

    def left_of_period(self, invoice_id: SubscriptionInvoiceId, currency: Currency) -> Money:
        """What the invoices come to that bill the same period's fees as this one, with what they
        gave as credit, less what of them has gone back, is promised or is withheld. Of an invoice
        of usage, of that alone. Foreseen with what is promised."""

    def due(self, limit: int) -> Sequence[RefundId]:
        """Refunds of which something has to become, the longest waiting first."""

    def keep(self, refund: SubscriptionRefund) -> None:
        """Write a refund, or how it has changed."""

    def list_payment(self, refund: SubscriptionRefund) -> None:
        """Write whose the processor's payment is that came second, where that is known by now: its
        events name no tenant."""

    def postpone(self, refund_id: RefundId) -> None:
        """Ask again later, after a pause that grows with each attempt."""
