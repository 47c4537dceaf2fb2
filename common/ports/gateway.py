"""The payment processor, as a refund sees it: asked with our id, it does a thing once.

A call may come back without an answer: the request was lost, or its answer was. Then nobody knows
what happened, and the refund stays pending until somebody asks again, under the same id (GW-5).
"""

from dataclasses import dataclass
from typing import Protocol

from common.domain.identifiers import RefundId
from common.domain.money import Money


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The money is on its way to the guest."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The processor will not do it, now or later; `code` says why, in its own words."""

    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or one that settles nothing: it may have happened or not."""


Answer = Succeeded | Failed | Unknown


class Gateway(Protocol):
    """The processor. The same refund is made at most once, however often it is asked for."""

    def refund(self, refund_id: RefundId, processor_payment_id: str, amount: Money) -> Answer:
        """Give an amount of a payment back; `refund_id` is the idempotency key.

        Raises ValueError where the key was used for something else.
        """

    def ask(self, refund_id: RefundId) -> Answer:
        """What became of a refund; Unknown where the processor knows of none."""
