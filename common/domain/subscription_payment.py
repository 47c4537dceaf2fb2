"""A charge of an invoice of the platform to a tenant's stored payment method (SUB-6, GW-3, GW-5).

It is a payment as any other at the processor (`processor_payment`), for an invoice and on no folio.
Nobody is there who asks for it: a job writes down that it is asked for, and another one asks, under
an id that is reckoned from the invoice and the number of the trial. So whoever charges an invoice a
first time, wherever and however often, charges it under one key; a later trial has another, since
the processor answers a key that was declined with that decline for ever. An invoice has one charge
under way at a time, and is paid by one: the database says so.

What the processor collects itself, by a subscription and an invoice of its own, is written down as
a charge that was taken: it has no method of ours, and pays once by the id of that invoice.

Where two of them were taken for one invoice (a bank's confirmation that comes late, the processor's
own collecting beside ours), the first pays it. The second is written down as `refunded`: it pays
nothing, and all of it goes back by itself (`subscription_refund`), whatever is told of it later.
"""

from dataclasses import field
from typing import ClassVar, Final, Self

from common.domain.aggregate import Fact
from common.domain.charge_ids import charge_id
from common.domain.dataclass import dataclass
from common.domain.identifiers import (
    RefundId,
    StoredMethodId,
    SubscriptionId,
    SubscriptionInvoiceId,
)
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.processor_payment import NEVER_ARRIVED, Heard, PaymentStatus, ProcessorPayment
from common.domain.processor_units import to_processor
from common.domain.stored_method import StoredMethod
from common.domain.subscription_invoice import PlatformEntry, SubscriptionInvoice

BAD_DEBT: Final = "bad_debt"
PAID_PART: Final = 50
GIVEN_UP_PART: Final = 51
"""Where the entries of its payment, and of giving it up, stand among those of an invoice."""


@dataclass(frozen=True, kw_only=True)
class SubscriptionPaymentFact(Fact):
    """Something that happened to a charge of an invoice."""

    subject: "SubscriptionPayment" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class SubscriptionPaymentStarted(SubscriptionPaymentFact):
    """The processor is asked for it from now on."""

    name = "subscription_payment.started"


@dataclass(frozen=True, kw_only=True)
class SubscriptionPaymentActionRequired(SubscriptionPaymentFact):
    """The bank asks the tenant to confirm it (3-D Secure)."""

    name = "subscription_payment.action_required"


@dataclass(frozen=True, kw_only=True)
class SubscriptionPaymentSucceeded(SubscriptionPaymentFact):
    """The money was taken: the invoice is paid."""

    name = "subscription_payment.succeeded"


@dataclass(frozen=True, kw_only=True)
class SubscriptionPaymentFailed(SubscriptionPaymentFact):
    """No money was taken; the reason is the processor's code."""

    name = "subscription_payment.failed"


@dataclass(frozen=True, kw_only=True)
class SubscriptionPaymentSuperseded(SubscriptionPaymentFact):
    """It waits for its bank, and is called off at the processor: another one takes its place."""

    name = "subscription_payment.superseded"


@dataclass(frozen=True, kw_only=True)
class SubscriptionPaymentCanceled(SubscriptionPaymentFact):
    name = "subscription_payment.canceled"


@dataclass(frozen=True, kw_only=True)
class SubscriptionPaymentSentBack(SubscriptionPaymentFact):
    """The money was taken for an invoice that is paid already: all of it goes back."""

    name = "subscription_payment.sent_back"


_S = PaymentStatus
_FACTS: Final[dict[PaymentStatus, type[SubscriptionPaymentFact]]] = {
    _S.REQUIRES_ACTION: SubscriptionPaymentActionRequired,
    _S.SUCCEEDED: SubscriptionPaymentSucceeded,
    _S.FAILED: SubscriptionPaymentFailed,
    _S.CANCELED: SubscriptionPaymentCanceled,
}


@dataclass(kw_only=True)
class SubscriptionPayment(ProcessorPayment):
    """See the module. `trial` counts the charges of its invoice from one.

    One that waits for its tenant at the bank is superseded where another one is to take its place:
    it is called off at the processor first, whose word counts. A tenant who was faster has paid.
    """

    kind: ClassVar[str] = "subscription_payment"
    subscription_id: SubscriptionId
    invoice_id: SubscriptionInvoiceId
    trial: int
    method_id: StoredMethodId | None = None
    is_superseded: bool = False
    processor_invoice_id: str | None = None
    goes_back_as: RefundId | None = None

    @classmethod
    def start(
        cls, invoice: SubscriptionInvoice, trial: int, method: StoredMethod, moment: Moment
    ) -> SubscriptionPaymentStarted:
        """Charge what is left of an invoice, from now on.

        Refuses: PaymentMethodRemoved, PaymentMethodForStays, AmountNotInMinorUnits.
        """
        method.must_pay_the_platform()
        to_processor(invoice.left)
        payment = cls(
            id=charge_id(invoice.id, trial),
            subscription_id=invoice.subscription_id,
            invoice_id=invoice.id,
            trial=trial,
            customer_id=method.customer_id,
            method_id=method.id,
            amount=invoice.left,
            created_at=moment.now,
            changed_at=moment.now,
        )
        payment._ask(moment)
        return SubscriptionPaymentStarted(subject=payment, sequence=payment.next_sequence())

    @classmethod
    def taken_there(
        cls,
        invoice: SubscriptionInvoice,
        trial: int,
        processor_invoice_id: str,
        processor_payment_id: str | None,
        received: Money,
        moment: Moment,
    ) -> Self:
        """What the processor has taken for an invoice by one of its own, unasked by us: it `pays`,
        or is `second`. By which of its payments, the processor does not always say."""
        return cls(
            id=charge_id(invoice.id, trial),
            subscription_id=invoice.subscription_id,
            invoice_id=invoice.id,
            trial=trial,
            customer_id=None,
            amount=received,
            created_at=moment.now,
            changed_at=moment.now,
            confirmed_at=moment.now,
            status=PaymentStatus.SUCCEEDED,
            processor_payment_id=processor_payment_id,
            processor_invoice_id=processor_invoice_id,
        )

    def pays(self) -> SubscriptionPaymentSucceeded:
        """What was taken there pays the invoice."""
        return SubscriptionPaymentSucceeded(subject=self, sequence=self.next_sequence())

    def may_hear(self, heard: Heard) -> bool:
        """Whether what the processor says is news; of what goes back nothing is any more."""
        return self.status is not PaymentStatus.REFUNDED and super().may_hear(heard)

    def come_second(
        self, heard: Heard, invoice: SubscriptionInvoice, moment: Moment
    ) -> SubscriptionPaymentSentBack:
        """It was taken, for an invoice that another one has paid. Raises ValueError for what is no
        news, or where none has."""
        self._move(heard, moment)
        return self.second(invoice, moment)

    def second(self, invoice: SubscriptionInvoice, moment: Moment) -> SubscriptionPaymentSentBack:
        """It was taken for an invoice that another one has paid, and goes back. Raises ValueError
        where none has."""
        if invoice.status != "paid" or self.status is not PaymentStatus.SUCCEEDED:
            raise ValueError(f"{self.id} is {self.status} and pays {invoice.id}")
        self.status, self.goes_back_as = PaymentStatus.REFUNDED, moment.new_id(RefundId)
        return SubscriptionPaymentSentBack(subject=self, sequence=self.next_sequence())

    def hear(self, heard: Heard, moment: Moment) -> SubscriptionPaymentFact:
        """Move on to what the processor says. Raises ValueError for what is no news."""
        self._move(heard, moment)
        fact = _FACTS[self.status]
        return fact(subject=self, sequence=self.next_sequence(), reason=self.failure_code)

    @property
    def is_to_be_called_off(self) -> bool:
        """Whether it is superseded and still waits."""
        return self.is_superseded and self.status is PaymentStatus.REQUIRES_ACTION

    def supersede(self, reason: str) -> SubscriptionPaymentSuperseded | None:
        """Let another one take its place; None where it does not wait, or is superseded."""
        if self.status is not PaymentStatus.REQUIRES_ACTION or self.is_superseded:
            return None
        self.is_superseded = True
        return SubscriptionPaymentSuperseded(
            subject=self, sequence=self.next_sequence(), reason=reason
        )

    def give_up(self, moment: Moment) -> SubscriptionPaymentFailed | None:
        """Nothing of it has reached the processor; None while something still might."""
        if not self._fail_unheard_of(moment):
            return None
        return SubscriptionPaymentFailed(
            subject=self, sequence=self.next_sequence(), reason=NEVER_ARRIVED
        )

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        superseded = {"isSuperseded": True} if self.is_superseded else {}
        theirs = self.processor_invoice_id
        return {
            **superseded,
            **({"goesBackAs": self.goes_back_as} if self.goes_back_as else {}),
            **({"processorInvoiceId": theirs} if theirs else {}),
            "id": self.id,
            "invoiceId": self.invoice_id,
            "trial": self.trial,
            "paymentMethodId": self.method_id,
            "amountMicro": self.amount.amount_micro,
            "currency": str(self.amount.currency),
            "status": self.status.value,
            "failureCode": self.failure_code,
            "processorPaymentId": self.processor_payment_id,
        }

    def entry(self, invoice: SubscriptionInvoice) -> PlatformEntry:
        """How it is booked: the processor holds what the tenant owed. What was given up before is
        owed no more: it was a loss, and is none."""
        owed = "receivable" if invoice.given_up_at is None else BAD_DEBT
        return PlatformEntry(debit="processor_clearing", credit=owed, amount=self.amount)


def given_up(invoice: SubscriptionInvoice) -> PlatformEntry:
    """How an invoice is booked that nobody will pay any more."""
    return PlatformEntry(debit=BAD_DEBT, credit="receivable", amount=invoice.left)
