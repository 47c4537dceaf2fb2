"""The payment processor, as refunds and reconciliations see it: asked with our id, it does a thing
once, and it says what it has done.

A call may come back without an answer: the request was lost, or its answer was. Then nobody knows
what happened, and the refund stays pending until somebody asks again, under the same id (GW-5).
"""

from __future__ import annotations  # the names below are for the type checker, not for a start

from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass
from common.ports.movements import Movements
from common.ports.payouts import PayingOut

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from common.domain.identifiers import PropertyId, RefundId
    from common.domain.money import Money
    from common.domain.reconciliation import CardRecords
    from common.ports.answers import Answer, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of a property's records are asked for: those of a span of time, and those of our ids.

    The ids are looked up whenever it was that the processor captured or gave back: its clock and
    ours may put one thing on the two sides of an hour.
    """

    tenant_id: UUID
    property_id: PropertyId
    since: datetime
    until: datetime
    payment_ids: Collection[str]
    refund_ids: Collection[str]


class Gateway(Movements, PayingOut, Protocol):
    """The processor. The same refund is made at most once, however often it is asked for."""

    def refund(self, refund_id: RefundId, processor_payment_id: str, amount: Money) -> Answer:
        """Give an amount of a payment back; `refund_id` is the idempotency key.

        Raises ValueError where the key was used for something else.
        """

    def ask(self, refund_id: RefundId, processor_payment_id: str) -> Answer:
        """What became of a refund of a payment; Unknown where the processor knows of none."""

    def payment_of(self, processor_invoice_id: str) -> str | Unknown | None:
        """By which payment an invoice of the processor's own was paid; None where that was none, or
        more than one."""

    def records(self, wanted: Wanted) -> CardRecords | Unknown:
        """Payments that were captured and refunds that were made; Unknown where none is told."""
