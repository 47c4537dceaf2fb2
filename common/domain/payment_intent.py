"""A payment that the processor is to take from a customer's card, for a folio (GW-3, GW-5).

How it goes on at the processor stands in `processor_payment`. `refunded` and `disputed` are no
moves of an intent: they are read off the payment on its folio, which keeps what went back of it.

Succeeded, it is a payment on its folio, exactly once, whoever tells of it. A folio that was closed
meanwhile takes no line, and owes nothing: the money goes back by itself (`returned_payment`). What
was wanted as a deposit waits in its queue instead, without a payment, and is put on the folio when
that is opened again. The money is in the house and in sight all the time.

Whether it is taken at all is weighed as it is made and as it is confirmed (`risk`, FRD-1). What
looks odd waits for a person: it stays `requires_payment_method`, as nobody was asked for anything,
with the method that it would be taken from and the `review_id` that it waits for. Approved, it is
confirmed as any other; refused, it has failed, and nobody was ever asked.
"""

from dataclasses import field
from typing import ClassVar, Final

from common.domain.aggregate import Fact
from common.domain.dataclass import dataclass
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
from common.domain.processor_payment import (
    NEVER_ARRIVED,
    Heard,
    PaymentStatus,
    ProcessorPayment,
)
from common.domain.processor_units import must_be_taken
from common.domain.refusal import Conflict, Missing, Unmet
from common.domain.stored_method import PaymentMethodUnknown, StoredMethod

NOT_APPROVED: Final = "not_approved"


class PaymentIntentUnknown(Missing):
    code = "PAYMENT_INTENT_UNKNOWN"
    title = "There is no such payment intent"


class PaymentMethodMissing(Unmet):
    code = "PAYMENT_METHOD_MISSING"
    title = "Confirming a payment names the payment method to take it from"


class PaymentMethodDiffers(Conflict):
    code = "PAYMENT_METHOD_DIFFERS"
    title = "The payment is under way from another payment method"


class PaymentNotCancelable(Conflict):
    code = "PAYMENT_NOT_CANCELABLE"
    title = "The payment is being taken, or has come to an end"


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
class PaymentSentBack(IntentFact):
    """Its folio was closed when the money came: `subject.returned_id` is how that goes back."""

    name = "payment_intent.sent_back"


@dataclass(frozen=True, kw_only=True)
class PaymentPlaced(IntentFact):
    """A payment that had succeeded while its folio was closed stands on it now."""

    name = "payment_intent.placed"


_S = PaymentStatus
_CANCELABLE: Final = frozenset({_S.REQUIRES_PAYMENT_METHOD, _S.REQUIRES_ACTION, _S.CANCELED})
_FACTS: Final[dict[PaymentStatus, type[IntentFact]]] = {
    _S.REQUIRES_ACTION: ActionRequired,
    _S.SUCCEEDED: PaymentSucceeded,
    _S.FAILED: PaymentFailed,
    _S.CANCELED: PaymentCanceled,
}


@dataclass(kw_only=True)
class PaymentIntent(ProcessorPayment):
    """See the module. `is_challenged` has the bank asked for 3-D Secure, `review_id` is the review
    that it waits for, or has waited for. One that may `allow_credit` is wanted as a deposit, where
    it is more than what is owed; of every other, that goes back (`second_payment`), and all of it
    where its folio was closed when it came: `returned_id`."""

    kind: ClassVar[str] = "payment_intent"
    customer_id: CustomerId
    property_id: PropertyId
    folio_id: FolioId
    method_id: StoredMethodId | None = None
    payment_id: PaymentId | None = None
    returned_id: PaymentId | None = None
    review_id: ReviewId | None = None
    is_challenged: bool = False
    allow_credit: bool = True

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
        must_be_taken(amount)
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
            allow_credit=allow_credit,
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
        PaymentMethodForThePlatform, PaymentMethodDiffers, FolioAlreadyClosed.
        """
        self._must_be_confirmable()
        if not self.is_unasked or (self.is_held and not is_approved):
            if method is not None and method.id != self.method_id:
                raise PaymentMethodDiffers(paymentMethodId=self.method_id)
            return None
        self.method_id = self._takes_from(folio, method).id
        self.is_challenged = is_challenged
        self._ask(moment)
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

        Refuses: PaymentMethodUnknown, PaymentMethodRemoved, PaymentMethodForThePlatform,
        FolioAlreadyClosed.
        """
        self.method_id = self._takes_from(folio, method).id
        self.review_id, self.is_challenged = review_id, is_challenged
        self.changed_at = moment.now
        return IntentHeld(subject=self, sequence=self.next_sequence())

    def turn_down(self, moment: Moment) -> PaymentFailed | None:
        """No person would answer for it: it has failed; None where it does not wait for one."""
        if not self.is_held:
            return None
        self._fail(NOT_APPROVED, moment)
        return PaymentFailed(subject=self, sequence=self.next_sequence(), reason=NOT_APPROVED)

    def _takes_from(self, folio: Folio, method: StoredMethod | None) -> StoredMethod:
        if method is None:
            raise PaymentMethodMissing()
        if method.customer_id != self.customer_id:
            raise PaymentMethodUnknown()
        method.must_pay_for_stays()
        folio.must_be_open()
        return method

    def must_be_cancelable(self) -> None:
        """What the processor is taking at this moment is not, nor what has come to another end.

        Refuses: PaymentNotCancelable.
        """
        if self.status not in _CANCELABLE:
            raise PaymentNotCancelable(paymentStatus=self.status.value)

    def cancel(self, moment: Moment) -> PaymentCanceled | None:
        """Nobody wants it any more, and nobody was asked for it; None where it is canceled.

        One that was asked for is canceled at the processor, and heard of. Refuses:
        PaymentNotCancelable.
        """
        if self.status is _S.CANCELED:
            return None
        if not self.is_unasked:
            raise PaymentNotCancelable(paymentStatus=self.status.value)
        self.status, self.changed_at = _S.CANCELED, moment.now
        return PaymentCanceled(subject=self, sequence=self.next_sequence())

    def take_back(self, moment: Moment) -> IntentTakenBack | None:
        """Nobody asked the processor: it stands as before; None where somebody has heard of it.

        What a person has approved keeps the method that was approved.
        """
        if not self._unask(moment):
            return None
        if self.review_id is None:
            self.method_id = None
        return IntentTakenBack(subject=self, sequence=self.next_sequence())

    def hear(self, heard: Heard, payment: Payment | None, moment: Moment) -> IntentFact:
        """Move on to what the processor says; `payment` is where the money stands, if it does.

        Raises ValueError for what is no news.
        """
        self._move(heard, moment)
        self.payment_id = payment.id if payment else None
        fact = _FACTS[self.status]
        return fact(subject=self, sequence=self.next_sequence(), reason=self.failure_code)

    def give_up(self, moment: Moment) -> PaymentFailed | None:
        """Nothing of it has reached the processor; None while something still might."""
        if not self._fail_unheard_of(moment):
            return None
        return PaymentFailed(subject=self, sequence=self.next_sequence(), reason=NEVER_ARRIVED)

    def send_back(self, returned_id: PaymentId, moment: Moment) -> PaymentSentBack:
        """Keep as what its money goes back, which came when the folio was closed."""
        self.returned_id = returned_id
        self.changed_at = moment.now
        return PaymentSentBack(subject=self, sequence=self.next_sequence())

    def place(self, payment: Payment, moment: Moment) -> PaymentPlaced:
        """Keep where the money stands that came while the folio was closed."""
        self.payment_id = payment.id
        self.changed_at = moment.now
        return PaymentPlaced(subject=self, sequence=self.next_sequence())

    @property
    def is_held(self) -> bool:
        """Whether it waits for a person: the method is known, and nobody was asked."""
        return self.is_unasked and self.method_id is not None

    @property
    def is_unplaced(self) -> bool:
        """Whether its money has come, stands on no folio yet, and does not go back."""
        return self.is_paid and self.payment_id is None and self.returned_id is None

    @property
    def waits(self) -> bool:
        """Whether something is still to become of it that nobody may bring."""
        return self.is_under_way or self.is_unplaced

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        owed_only = {} if self.allow_credit else {"allowCredit": False}
        sent_back = {"returnedId": self.returned_id} if self.returned_id else {}
        return (
            owed_only
            | sent_back
            | {
                "id": self.id,
                "folioId": self.folio_id,
                "amountMicro": self.amount.amount_micro,
                "currency": str(self.amount.currency),
                "status": self.status.value,
                "failureCode": self.failure_code,
                "processorPaymentId": self.processor_payment_id,
                "paymentId": self.payment_id,
            }
        )
