"""A payment that the processor is to take from a customer's card, for a folio (GW-3, GW-5).

It is written down first. Confirming it writes down that the processor is asked from now on, and
only then is the processor asked, under our id: so however often it is confirmed, by whomever and at
once, it is charged once, and what died on the way is found `processing` and asked after. Nobody
charges again what has no answer; the processor is asked what became of it.

What it says comes as an answer, by its event or to a job, late and out of order. `MOVES` says which
state may follow which: a state has a place, and none moves back. A payment that failed may still
succeed (a guest pays the same demand at the processor's page, by another card); that is money in
the house, and nothing that is said later takes it away. `refunded` and `disputed` are no moves of
an intent: they are read off the payment on its folio, which keeps what was given back of it.

Succeeded, it is a payment on its folio, exactly once, whoever tells of it. A folio that was closed
meanwhile takes no line: the intent has succeeded without a payment then, waits in its queue, and is
put on the folio when that is opened again. The money is in the house and in sight all the time.

Whether it is taken at all is weighed as it is made and as it is confirmed (`risk`, FRD-1). What
looks odd waits for a person: it stays `requires_payment_method`, as nobody was asked for anything,
with the method that it would be taken from and the `review_id` that it waits for. Approved, it is
confirmed as any other; refused, it has failed, and nobody was ever asked.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.folio import Folio, Overpayment
from common.domain.identifiers import (
    CustomerId,
    FolioId,
    PaymentId,
    PaymentIntentId,
    PropertyId,
    ReviewId,
    StoredMethodId,
)
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money
from common.domain.payment import Payment
from common.domain.processor_units import to_processor
from common.domain.refusal import Conflict, Missing, Unmet
from common.domain.stored_method import PaymentMethodUnknown, StoredMethod

NEVER_ARRIVED: Final = "never_arrived"
NOT_APPROVED: Final = "not_approved"
GIVEN_UP_AFTER: Final = timedelta(minutes=15)
"""So long the processor may know nothing of a payment before it is known to be lost on its way:
longer than any request of ours lives, and than the time that the processor needs to list it."""


class PaymentIntentUnknown(Missing):
    code = "PAYMENT_INTENT_UNKNOWN"
    title = "There is no such payment intent"


class PaymentNotConfirmable(Conflict):
    code = "PAYMENT_NOT_CONFIRMABLE"
    title = "The payment has failed or was canceled: make another one"


class PaymentMethodMissing(Unmet):
    code = "PAYMENT_METHOD_MISSING"
    title = "Confirming a payment names the payment method to take it from"


class PaymentMethodDiffers(Conflict):
    code = "PAYMENT_METHOD_DIFFERS"
    title = "The payment is under way from another payment method"


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


@dataclass(frozen=True, kw_only=True)
class IntentFact(Fact):
    """Something that happened to a payment intent."""

    subject: "PaymentIntent" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class IntentMade(IntentFact):
    name = "payment_intent.made"


@dataclass(frozen=True, kw_only=True)
class IntentConfirmed(IntentFact):
    """The processor is asked for it from now on."""

    name = "payment_intent.confirmed"


@dataclass(frozen=True, kw_only=True)
class IntentHeld(IntentFact):
    """It looks odd: a person decides whether the processor is asked; `subject.review_id`."""

    name = "payment_intent.held"


@dataclass(frozen=True, kw_only=True)
class IntentTakenBack(IntentFact):
    """The processor was not asked after all: nobody was let through to it."""

    name = "payment_intent.taken_back"


@dataclass(frozen=True, kw_only=True)
class ActionRequired(IntentFact):
    """The bank asks the guest to confirm it (3-D Secure)."""

    name = "payment_intent.action_required"


@dataclass(frozen=True, kw_only=True)
class PaymentSucceeded(IntentFact):
    """The money was taken; `subject.payment_id` is the payment on the folio, if that took one."""

    name = "payment.succeeded"


@dataclass(frozen=True, kw_only=True)
class PaymentFailed(IntentFact):
    """No money was taken; `subject.failure_code` says why."""

    name = "payment.failed"


@dataclass(frozen=True, kw_only=True)
class PaymentCanceled(IntentFact):
    name = "payment.canceled"


@dataclass(frozen=True, kw_only=True)
class PaymentPlaced(IntentFact):
    """A payment that had succeeded while its folio was closed stands on it now."""

    name = "payment_intent.placed"


_FACTS: Final[dict[PaymentStatus, type[IntentFact]]] = {
    _S.REQUIRES_ACTION: ActionRequired,
    _S.SUCCEEDED: PaymentSucceeded,
    _S.FAILED: PaymentFailed,
    _S.CANCELED: PaymentCanceled,
}


@dataclass(kw_only=True)
class PaymentIntent(Aggregate):
    """See the module. `amount` is what is taken, in the currency in which it is taken.

    `confirmed_at` is when the processor was first asked for it. `is_challenged` has the bank asked
    for 3-D Secure, `review_id` is the review that it waits for, or has waited for.
    """

    kind: ClassVar[str] = "payment_intent"
    id: PaymentIntentId
    property_id: PropertyId
    folio_id: FolioId
    customer_id: CustomerId
    amount: Money
    created_at: datetime
    changed_at: datetime
    status: PaymentStatus = PaymentStatus.REQUIRES_PAYMENT_METHOD
    method_id: StoredMethodId | None = None
    confirmed_at: datetime | None = None
    processor_payment_id: str | None = None
    failure_code: str | None = None
    payment_id: PaymentId | None = None
    review_id: ReviewId | None = None
    is_challenged: bool = False

    @classmethod
    def make(
        cls,
        folio: Folio,
        *,
        id: PaymentIntentId,
        customer_id: CustomerId,
        amount: Money,
        allow_credit: bool,
        moment: Moment,
    ) -> IntentMade:
        """Write down what is to be taken for a folio; nobody is asked for it yet.

        What the folio could not take is refused before it is taken from a card. Refuses:
        FolioAlreadyClosed, AmountNotPositive, AmountNotInMinorUnits, FxRateMissing, Overpayment.
        """
        folio.must_be_open()
        to_processor(amount)
        worth = folio.convert(amount)
        if amount.amount_micro <= 0 or worth.amount_micro <= 0:
            raise AmountNotPositive()
        over = worth - folio.balance
        is_foreign = amount.currency != folio.currency
        if over > folio.residual_allowed(moment, int(is_foreign)) and not allow_credit:
            raise Overpayment(balanceMicro=folio.balance.amount_micro, currency=folio.currency)
        intent = cls(
            id=id,
            property_id=folio.property_id,
            folio_id=folio.id,
            customer_id=customer_id,
            amount=amount,
            created_at=moment.now,
            changed_at=moment.now,
        )
        return IntentMade(subject=intent, sequence=intent.next_sequence())

    def confirm(
        self,
        folio: Folio,
        method: StoredMethod | None,
        moment: Moment,
        *,
        is_challenged: bool = False,
        is_approved: bool = False,
    ) -> IntentConfirmed | None:
        """Ask the processor for it from now on; None where it was asked for, and is not again.

        None as well while it waits for a person, unless that `is_approved` now. Refuses:
        PaymentNotConfirmable, PaymentMethodMissing, PaymentMethodUnknown, PaymentMethodRemoved,
        PaymentMethodDiffers, FolioAlreadyClosed.
        """
        if self.status in (_S.FAILED, _S.CANCELED):
            raise PaymentNotConfirmable(status=self.status.value)
        if not self.is_unasked or (self.is_held and not is_approved):
            if method is not None and method.id != self.method_id:
                raise PaymentMethodDiffers(paymentMethodId=self.method_id)
            return None
        self.method_id = self._takes_from(folio, method).id
        self.status, self.is_challenged = _S.PROCESSING, is_challenged
        self.confirmed_at = self.changed_at = moment.now
        return IntentConfirmed(subject=self, sequence=self.next_sequence())

    def hold(
        self,
        folio: Folio,
        method: StoredMethod,
        review_id: ReviewId,
        moment: Moment,
        *,
        is_challenged: bool,
    ) -> IntentHeld:
        """Let it wait for a person; nobody is asked for it meanwhile, and the bank afterwards.

        Refuses: PaymentMethodUnknown, PaymentMethodRemoved, FolioAlreadyClosed.
        """
        self.method_id = self._takes_from(folio, method).id
        self.review_id, self.is_challenged = review_id, is_challenged
        self.changed_at = moment.now
        return IntentHeld(subject=self, sequence=self.next_sequence())

    def turn_down(self, moment: Moment) -> PaymentFailed | None:
        """No person would answer for it: it has failed; None where it does not wait for one."""
        if not self.is_held:
            return None
        self.status, self.failure_code = _S.FAILED, NOT_APPROVED
        self.changed_at = moment.now
        return PaymentFailed(subject=self, sequence=self.next_sequence(), reason=NOT_APPROVED)

    def _takes_from(self, folio: Folio, method: StoredMethod | None) -> StoredMethod:
        if method is None:
            raise PaymentMethodMissing()
        if method.customer_id != self.customer_id:
            raise PaymentMethodUnknown()
        method.must_be_there()
        folio.must_be_open()
        return method

    def take_back(self, moment: Moment) -> IntentTakenBack | None:
        """Nobody asked the processor: it stands as before; None where somebody has heard of it.

        Should another have asked meanwhile after all, under the same id, its word moves it on from
        here as from there. What a person has approved keeps the method that was approved.
        """
        if self.status is not _S.PROCESSING or self.processor_payment_id is not None:
            return None
        self.status, self.confirmed_at = _S.REQUIRES_PAYMENT_METHOD, None
        if self.review_id is None:
            self.method_id = None
        self.changed_at = moment.now
        return IntentTakenBack(subject=self, sequence=self.next_sequence())

    def may_hear(self, heard: Heard) -> bool:
        """Whether what the processor says is news: a later state than the one that is known."""
        return heard.status in MOVES[self.status] and heard.status in _FACTS

    def hear(self, heard: Heard, payment: Payment | None, moment: Moment) -> IntentFact:
        """Move on to what the processor says; `payment` is where the money stands, if it does.

        Raises ValueError for what is no news.
        """
        if not self.may_hear(heard):
            raise ValueError(f"{self.id} does not go from {self.status} to {heard.status}")
        self.status = heard.status
        self.processor_payment_id = heard.processor_payment_id
        self.failure_code = (heard.failure_code or "declined") if self.has_failed else None
        self.payment_id = payment.id if payment else None
        self.changed_at = moment.now
        fact = _FACTS[self.status]
        return fact(subject=self, sequence=self.next_sequence(), reason=self.failure_code)

    def give_up(self, moment: Moment) -> PaymentFailed | None:
        """Nothing of it has reached the processor; None while something still might."""
        asked_at = self.confirmed_at
        if self.status is not _S.PROCESSING or self.processor_payment_id is not None:
            return None
        if asked_at is None or moment.now - asked_at < GIVEN_UP_AFTER:
            return None
        self.status, self.failure_code = _S.FAILED, NEVER_ARRIVED
        self.changed_at = moment.now
        return PaymentFailed(subject=self, sequence=self.next_sequence(), reason=NEVER_ARRIVED)

    def place(self, payment: Payment, moment: Moment) -> PaymentPlaced:
        """Keep where the money stands that came while the folio was closed."""
        self.payment_id = payment.id
        self.changed_at = moment.now
        return PaymentPlaced(subject=self, sequence=self.next_sequence())

    @property
    def is_unasked(self) -> bool:
        """Whether the processor is still to be asked for it."""
        return self.status is _S.REQUIRES_PAYMENT_METHOD

    @property
    def is_held(self) -> bool:
        """Whether it waits for a person: the method is known, and nobody was asked."""
        return self.is_unasked and self.method_id is not None

    @property
    def has_failed(self) -> bool:
        return self.status is _S.FAILED

    @property
    def is_unplaced(self) -> bool:
        """Whether its money has come and stands on no folio yet."""
        return self.status is _S.SUCCEEDED and self.payment_id is None

    @property
    def waits(self) -> bool:
        """Whether something is still to become of it that nobody may bring."""
        return self.status in (_S.PROCESSING, _S.REQUIRES_ACTION) or self.is_unplaced

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "folioId": self.folio_id,
            "amountMicro": self.amount.amount_micro,
            "currency": str(self.amount.currency),
            "status": self.status.value,
            "failureCode": self.failure_code,
            "processorPaymentId": self.processor_payment_id,
            "paymentId": self.payment_id,
        }
