"""A refund of an invoice of the platform: somebody of the platform gives money back (WH-5).

It is promised first, and counts at once: however many run together, the promises never come to more
than what was paid and is left. The processor is asked by a job, under the refund's id. Once it was
made, a credit note says so (`platform_credit`); where it is refused, the amount is free again. What
the processor says first stays. What a bank withholds is not promised beside that, and is free again
once the dispute is won; somebody who does so at the processor itself is believed.

What was taken a second time for one invoice goes back in the same way, by itself and whole (BEY-4,
WH-4): the charge that came second is its `surplus_id`. It was never revenue, so there is no credit
note and no tax to give back: the money is booked in onto `payments_to_return`, and out again with
the promise, in one commit. By which of its payments the processor has taken it, it may not have
said: then it is asked before. What it will not make lies on `payments_to_return`, until a person
has given it back at the processor itself.

A bank may ask for what came second as well. Until that is decided the refund is called off, if it
was not made: it has failed as `charge_disputed`, and is promised again once the claim is won. Lost,
it has gone back by the bank: `made_there` is the claim then.

A refund that was made may fail afterwards, ours or one that was made at the processor. Its credit
note stands, and so does what followed it: the tenant is owed the money. It is booked in onto
`payments_to_return` and lies there as a refund of its own that could not be made (`came_back_of`
names the one that failed), until a person has given it back at the processor. What goes back there
of the same payment and comes to the same amount is that, and is credited no second time.
"""

from dataclasses import field
from datetime import datetime
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import (
    PaymentIntentId,
    RefundId,
    SubscriptionId,
    SubscriptionInvoiceId,
)
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.platform_credit import (
    DISPUTED,
    PROCESSOR,
    ReversalEntry,
    must_be_refundable,
)
from common.domain.processor_units import to_processor
from common.domain.refund import BANK_ASKS, RefundStatus
from common.domain.subscription_invoice import SubscriptionInvoice
from common.domain.subscription_payment import SubscriptionPayment
from common.domain.webhook import WebhookContradictsBooks

TO_RETURN: Final = "payments_to_return"
PAID_TWICE: Final = "It was paid twice"
NOT_SAID: Final = "payment_unknown_there"
"""Why a surplus has failed of which the processor knows no payment that could be given back."""
CAME_BACK: Final = "The refund failed after it was made"
CAME, PROMISED, NOT_MADE, MADE_THERE = 0, 1, 2, 3
"""The parts of the first entries of what came second; of what came back there are the last two.
What comes in and goes out again after that follows in turn."""


@dataclass(frozen=True, kw_only=True)
class SubscriptionRefundFact(Fact):
    """Something that happened to a refund of an invoice of the platform."""

    subject: "SubscriptionRefund" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class SubscriptionRefundRequested(SubscriptionRefundFact):
    """It is promised; the processor is asked for it from now on."""

    name = "subscription_refund.requested"


@dataclass(frozen=True, kw_only=True)
class SubscriptionRefundSucceeded(SubscriptionRefundFact):
    """The money went back."""

    name = "subscription_refund.succeeded"


@dataclass(frozen=True, kw_only=True)
class SubscriptionRefundFailed(SubscriptionRefundFact):
    """The processor has refused it; the reason is its code."""

    name = "subscription_refund.failed"


@dataclass(frozen=True, kw_only=True)
class SubscriptionRefundCameBack(SubscriptionRefundFact):
    """A refund has failed after it was made: its money lies here until somebody has given it back
    at the processor. The reason is the processor's code."""

    name = "subscription_refund.came_back"


@dataclass(kw_only=True)
class SubscriptionRefund(Aggregate):
    """See the module. `made_there` is the processor's id of the refund by which somebody has given
    a surplus back there, or what came back; or of the claim by which a bank has got it."""

    kind: ClassVar[str] = "subscription_refund"
    id: RefundId
    subscription_id: SubscriptionId
    invoice_id: SubscriptionInvoiceId
    processor_payment_id: str | None
    amount: Money
    reason: str
    requested_at: datetime
    status: RefundStatus = RefundStatus.PENDING
    failure_code: str | None = None
    settled_at: datetime | None = None
    surplus_id: PaymentIntentId | None = None
    made_there: str | None = None
    came_back_of: str | None = None

    @classmethod
    def request(
        cls,
        invoice: SubscriptionInvoice,
        payment: SubscriptionPayment,
        amount: Money,
        promised: Money,
        of_period: Money,
        moment: Moment,
        *,
        id: RefundId,
        reason: str,
    ) -> SubscriptionRefundRequested:
        """Promise to give so much back, beside what is `promised` and not made yet, and beside what
        banks ask for and have got, of what is left `of_period` beside its credits: nobody is paid
        twice.

        Refuses: AmountNotPositive, AmountNotInMinorUnits, CurrenciesDiffer, RefundExceedsPayment.
        """
        to_processor(amount)
        must_be_refundable(invoice, amount, promised + invoice.withheld + invoice.lost, of_period)
        refund = cls(
            id=id,
            subscription_id=invoice.subscription_id,
            invoice_id=invoice.id,
            processor_payment_id=payment.processor_payment_id,
            amount=amount,
            reason=reason,
            requested_at=moment.now,
        )
        return SubscriptionRefundRequested(
            subject=refund, sequence=refund.next_sequence(), reason=reason
        )

    @classmethod
    def of_surplus(
        cls, second: SubscriptionPayment, moment: Moment
    ) -> tuple[SubscriptionRefundRequested, tuple[ReversalEntry, ...]]:
        """Promise all of a charge back that came second; and how that it came, and goes, is booked.

        Raises ValueError for one that pays its invoice, or may.
        """
        if second.goes_back_as is None:
            raise ValueError(f"{second.id} is {second.status}")
        refund = cls(
            id=second.goes_back_as,
            subscription_id=second.subscription_id,
            invoice_id=second.invoice_id,
            processor_payment_id=second.processor_payment_id,
            amount=second.amount,
            reason=PAID_TWICE,
            requested_at=moment.now,
            surplus_id=second.id,
        )
        fact = SubscriptionRefundRequested(
            subject=refund, sequence=refund.next_sequence(), reason=PAID_TWICE
        )
        came = refund._entry(CAME, PROCESSOR, TO_RETURN)
        return fact, (came, refund._entry(PROMISED, TO_RETURN, PROCESSOR))

    @classmethod
    def came_back(
        cls,
        failed: str,
        invoice: SubscriptionInvoice,
        processor_payment_id: str,
        amount: Money,
        failure_code: str,
        moment: Moment,
    ) -> tuple[SubscriptionRefundCameBack, tuple[ReversalEntry, ...]]:
        """The money of a refund that has `failed` after it was made is the tenant's, and lies here;
        and how that is booked."""
        refund = cls(
            id=moment.new_id(RefundId),
            subscription_id=invoice.subscription_id,
            invoice_id=invoice.id,
            processor_payment_id=processor_payment_id,
            amount=amount,
            reason=CAME_BACK,
            requested_at=moment.now,
            status=RefundStatus.FAILED,
            failure_code=failure_code,
            settled_at=moment.now,
            came_back_of=failed,
        )
        fact = SubscriptionRefundCameBack(
            subject=refund, sequence=refund.next_sequence(), reason=failure_code
        )
        return fact, refund.settled_as()

    @property
    def is_pending(self) -> bool:
        return self.status is RefundStatus.PENDING

    @property
    def has_gone(self) -> bool:
        """Whether its money is not here any more: by us, at the processor, or by a bank."""
        return self.status is RefundStatus.SUCCEEDED

    @property
    def is_called_off(self) -> bool:
        """Whether it was not made because a bank asks for the money."""
        return self.status is RefundStatus.FAILED and self.failure_code == BANK_ASKS

    @property
    def source(self) -> str:
        """What is booked of money that came second, or came back, is booked under this."""
        surplus, failed = self.surplus_id, self.came_back_of
        return f"surplus:{surplus}" if surplus else f"came_back:{failed}"

    @property
    def first_part(self) -> int:
        """The part of the first entry under that."""
        return CAME if self.surplus_id is not None else NOT_MADE

    @property
    def was_made_by_us(self) -> bool:
        """Whether the processor has made it as we have asked, and nobody beside us."""
        return self.status is RefundStatus.SUCCEEDED and self.made_there is None

    def contest(
        self, part: int, moment: Moment
    ) -> tuple[SubscriptionRefundFact, tuple[ReversalEntry, ...]] | None:
        """A bank asks for the money: call off what is promised; None where nothing is."""
        if not self.is_pending:
            return None
        self.status, self.failure_code = RefundStatus.FAILED, BANK_ASKS
        self.settled_at = moment.now
        fact = SubscriptionRefundFailed(
            subject=self, sequence=self.next_sequence(), reason=BANK_ASKS
        )
        return fact, (self._entry(part, PROCESSOR, TO_RETURN),)

    def promise_again(
        self, part: int
    ) -> tuple[SubscriptionRefundFact, tuple[ReversalEntry, ...]] | None:
        """No bank asks for it any more; None where none had kept it here."""
        if not self.is_called_off or self.surplus_id is None:
            return None
        self.status, self.failure_code, self.settled_at = RefundStatus.PENDING, None, None
        fact = SubscriptionRefundRequested(
            subject=self, sequence=self.next_sequence(), reason=self.reason
        )
        return fact, (self._entry(part, TO_RETURN, PROCESSOR),)

    def lost_to(
        self, processor_dispute_id: str, part: int, moment: Moment
    ) -> tuple[SubscriptionRefundFact, tuple[ReversalEntry, ...]]:
        """A bank has got what lay here: it has gone back by that."""
        self.status, self.failure_code = RefundStatus.SUCCEEDED, None
        self.made_there, self.settled_at = processor_dispute_id, moment.now
        fact = SubscriptionRefundSucceeded(subject=self, sequence=self.next_sequence())
        return fact, (self._entry(part, TO_RETURN, DISPUTED),)

    def made_after_all(
        self, part: int, moment: Moment
    ) -> tuple[SubscriptionRefundFact, tuple[ReversalEntry, ...]]:
        """The processor had made it when it was called off."""
        self.status, self.failure_code = RefundStatus.SUCCEEDED, None
        self.settled_at = moment.now
        fact = SubscriptionRefundSucceeded(subject=self, sequence=self.next_sequence())
        return fact, (self._entry(part, TO_RETURN, PROCESSOR),)

    def settled_as(self, part: int = NOT_MADE) -> tuple[ReversalEntry, ...]:
        """How it is booked that a surplus could not go back, or a refund came back: it lies where
        it is to be returned."""
        lies = self.surplus_id is not None or self.came_back_of is not None
        is_left = lies and self.status is RefundStatus.FAILED
        return (self._entry(part, PROCESSOR, TO_RETURN),) if is_left else ()

    def made_at_the_processor(
        self, processor_refund_id: str, amount: Money, moment: Moment, part: int = MADE_THERE
    ) -> tuple[SubscriptionRefundFact, tuple[ReversalEntry, ...]] | None:
        """Somebody has given it back at the processor itself, before us or where we could not; None
        where that is known. Refuses: WebhookContradictsBooks, for a part of it, and for more."""
        if self.made_there == processor_refund_id:
            return None
        if amount != self.amount or self.status is RefundStatus.SUCCEEDED:
            raise WebhookContradictsBooks("All of this money goes back, and once.")
        was_left = self.settled_as() != ()
        self.status, self.failure_code = RefundStatus.SUCCEEDED, None
        self.made_there, self.settled_at = processor_refund_id, moment.now
        fact = SubscriptionRefundSucceeded(subject=self, sequence=self.next_sequence())
        return fact, (self._entry(part, TO_RETURN, PROCESSOR),) if was_left else ()

    def _entry(self, part: int, debit: str, credit: str) -> ReversalEntry:
        return ReversalEntry(
            source=self.source, part=part, debit=debit, credit=credit, amount=self.amount
        )

    def settle(
        self, failure_code: str | None, moment: Moment, processor_payment_id: str | None = None
    ) -> SubscriptionRefundFact:
        """It was made, of this payment of the processor's where that was not known, or was refused
        for this. Raises ValueError where that is known."""
        if not self.is_pending:
            raise ValueError(f"{self.id} is {self.status}")
        self.settled_at = moment.now
        self.processor_payment_id = self.processor_payment_id or processor_payment_id
        if failure_code is None:
            self.status = RefundStatus.SUCCEEDED
            return SubscriptionRefundSucceeded(subject=self, sequence=self.next_sequence())
        self.status, self.failure_code = RefundStatus.FAILED, failure_code
        return SubscriptionRefundFailed(
            subject=self, sequence=self.next_sequence(), reason=failure_code
        )

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        made_there = {"madeThere": self.made_there} if self.made_there else {}
        came_back = {"cameBackOf": self.came_back_of} if self.came_back_of else {}
        return {
            **({**came_back, **made_there} if self.came_back_of else {}),
            **({"surplusOf": self.surplus_id, **made_there} if self.surplus_id else {}),
            "id": self.id,
            "invoiceId": self.invoice_id,
            "amountMicro": self.amount.amount_micro,
            "currency": str(self.amount.currency),
            "status": self.status.value,
            "failureCode": self.failure_code,
        }
