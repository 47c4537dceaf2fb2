"""A payment that the processor is asked to take from a stored method: how it goes on (GW-3, GW-5).

It is written down first. Confirming it writes down that the processor is asked from now on, and
only then is the processor asked, under our id: so however often it is confirmed, by whomever and at
once, it is charged once, and what died on the way is found `processing` and asked after. Nobody
charges again what has no answer; the processor is asked what became of it.

What it says comes as an answer, by its event or to a job, late and out of order. `MOVES` says which
state may follow which: a state has a place, and none moves back. A payment that failed may still
succeed (a guest pays the same demand at the processor's page, by another card); that is money in
the house, and nothing that is said later takes it away.

What such a payment is for, and which facts it makes, its kinds know: one for a folio
(`payment_intent`), one for credits (`credit_purchase`).
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from common.domain.aggregate import Aggregate
from common.domain.dataclass import dataclass
from common.domain.identifiers import CustomerId, PaymentIntentId
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.refusal import Conflict

NEVER_ARRIVED: Final = "never_arrived"
GIVEN_UP_AFTER: Final = timedelta(minutes=15)
"""So long the processor may know nothing of a payment before it is known to be lost on its way:
longer than any request of ours lives, and than the time that the processor needs to list it."""


class PaymentNotConfirmable(Conflict):
    code = "PAYMENT_NOT_CONFIRMABLE"
    title = "The payment has failed or was canceled: make another one"


class PaymentStatus(StrEnum):
    """Where a payment stands; the last three are those of its payment on the folio."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    PROCESSING = "processing"
    REQUIRES_ACTION = "requires_action"
    FAILED = "failed"
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


_S = PaymentStatus
MOVES: Final[dict[PaymentStatus, frozenset[PaymentStatus]]] = {
    _S.REQUIRES_PAYMENT_METHOD: frozenset(
        {_S.PROCESSING, _S.REQUIRES_ACTION, _S.FAILED, _S.CANCELED, _S.SUCCEEDED}
    ),
    _S.PROCESSING: frozenset({_S.REQUIRES_ACTION, _S.FAILED, _S.CANCELED, _S.SUCCEEDED}),
    _S.REQUIRES_ACTION: frozenset({_S.FAILED, _S.CANCELED, _S.SUCCEEDED}),
    _S.FAILED: frozenset({_S.SUCCEEDED}),
    _S.CANCELED: frozenset(),
    _S.SUCCEEDED: frozenset({_S.PARTIALLY_REFUNDED, _S.REFUNDED, _S.DISPUTED}),
    _S.PARTIALLY_REFUNDED: frozenset({_S.SUCCEEDED, _S.REFUNDED, _S.DISPUTED}),
    _S.REFUNDED: frozenset({_S.SUCCEEDED, _S.PARTIALLY_REFUNDED, _S.DISPUTED}),
    _S.DISPUTED: frozenset({_S.SUCCEEDED, _S.PARTIALLY_REFUNDED, _S.REFUNDED}),
}
"""Which state may follow which. A refund that fails takes its payment back to where it was, and so
does a dispute that is won: these follow the money, and every other state goes forward only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the processor says of a payment: its own id, where it stands, what it has received.

    What it refuses before it is a payment has no id.
    """

    processor_payment_id: str | None
    status: PaymentStatus
    received: Money | None = None
    failure_code: str | None = None


HEARD: Final = frozenset({_S.REQUIRES_ACTION, _S.SUCCEEDED, _S.FAILED, _S.CANCELED})
"""What the processor may say of a payment that was news to us."""


@dataclass(kw_only=True)
class ProcessorPayment(Aggregate):
    """See the module. `amount` is what is taken, in the currency in which it is taken.

    `confirmed_at` is when the processor was first to be asked for it.
    """

    id: PaymentIntentId
    customer_id: CustomerId | None
    amount: Money
    created_at: datetime
    changed_at: datetime
    status: PaymentStatus = PaymentStatus.REQUIRES_PAYMENT_METHOD
    confirmed_at: datetime | None = None
    processor_payment_id: str | None = None
    failure_code: str | None = None

    @property
    def is_unasked(self) -> bool:
        """Whether the processor is still to be asked for it."""
        return self.status is _S.REQUIRES_PAYMENT_METHOD

    @property
    def is_under_way(self) -> bool:
        """Whether the processor, or the bank, still has to say what becomes of it."""
        return self.status in (_S.PROCESSING, _S.REQUIRES_ACTION)

    @property
    def is_paid(self) -> bool:
        return self.status is _S.SUCCEEDED

    @property
    def has_failed(self) -> bool:
        return self.status is _S.FAILED

    def may_hear(self, heard: Heard) -> bool:
        """Whether what the processor says is news: a later state than the one that is known."""
        return heard.status in MOVES[self.status] and heard.status in HEARD

    def _must_be_confirmable(self) -> None:
        """Refuses: PaymentNotConfirmable."""
        if self.status in (_S.FAILED, _S.CANCELED):
            raise PaymentNotConfirmable(status=self.status.value)

    def _ask(self, moment: Moment) -> None:
        """The processor is asked for it from now on."""
        self.status = _S.PROCESSING
        self.confirmed_at = self.changed_at = moment.now

    def _unask(self, moment: Moment) -> bool:
        """Nobody asked the processor: it stands as before. False where somebody has heard of it.

        Should another have asked meanwhile after all, under the same id, its word moves it on from
        here as from there.
        """
        if self.status is not _S.PROCESSING or self.processor_payment_id is not None:
            return False
        self.status, self.confirmed_at = _S.REQUIRES_PAYMENT_METHOD, None
        self.changed_at = moment.now
        return True

    def _move(self, heard: Heard, moment: Moment) -> None:
        """Move on to what the processor says. Raises ValueError for what is no news."""
        if not self.may_hear(heard):
            raise ValueError(f"{self.id} does not go from {self.status} to {heard.status}")
        self.status = heard.status
        self.processor_payment_id = heard.processor_payment_id
        self.failure_code = (heard.failure_code or "declined") if self.has_failed else None
        self.changed_at = moment.now

    def _fail_unheard_of(self, moment: Moment) -> bool:
        """Nothing of it has reached the processor; False while something still might."""
        asked_at = self.confirmed_at
        if self.status is not _S.PROCESSING or self.processor_payment_id is not None:
            return False
        if asked_at is None or moment.now - asked_at < GIVEN_UP_AFTER:
            return False
        self._fail(NEVER_ARRIVED, moment)
        return True

    def _fail(self, code: str, moment: Moment) -> None:
        self.status, self.failure_code = _S.FAILED, code
        self.changed_at = moment.now
