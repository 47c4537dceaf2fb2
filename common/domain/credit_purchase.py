"""A purchase of prepaid credits: a payment of its own, which is on no folio (CRD-3, CRD-6, GW-3).

It is a payment intent that is for credits: it has an intent's id, states and moves, is written down
before the processor is asked under that id, and is charged once however often it is asked for. It
is made and confirmed in one deed, because a tenant who buys names the payment method with it.

The price is fixed when it is written down: so many credits to a unit of the currency in which the
platform sells them, rounded half up to the minor unit, once. Its limits are asked before any money
moves, under the account's lock, and count what is still under way: so purchases at once do not
pass the maximum together. Once money was taken nobody asks again: what was paid for is granted,
whatever the limits say by then, under the key `purchase:<id>`, in the transaction that writes down
that it was paid. So there is no moment at which one is known without the other.
"""

from dataclasses import field
from enum import StrEnum
from typing import ClassVar, Final

from common.domain.aggregate import Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import (
    CreditAccountId,
    CreditLotId,
    CustomerId,
    PaymentIntentId,
    StoredMethodId,
)
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money
from common.domain.prepaid_account import CreditAccount
from common.domain.prepaid_grant import CreditGrant
from common.domain.prepaid_lot import CreditSource
from common.domain.prepaid_terms import CREDIT_MICRO, CreditTerms
from common.domain.processor_payment import (
    NEVER_ARRIVED,
    Heard,
    PaymentStatus,
    ProcessorPayment,
)
from common.domain.processor_units import must_be_taken
from common.domain.refusal import Missing, Unmet
from common.domain.stored_method import StoredMethod

REASON: Final = "Bought by card"


class CreditPurchaseUnknown(Missing):
    code = "CREDIT_PURCHASE_UNKNOWN"
    title = "There is no such purchase of credits"


class CreditPurchaseTooSmall(Unmet):
    code = "CREDIT_PURCHASE_TOO_SMALL"
    title = "Fewer credits than that are not sold"


class CreditPurchaseTooLarge(Unmet):
    code = "CREDIT_PURCHASE_TOO_LARGE"
    title = "More credits than that are not sold at once"


class PurchaseOrigin(StrEnum):
    """Who wanted it: somebody who asked, or an account that was low."""

    ASKED = "asked"
    TOP_UP = "top_up"


@dataclass(frozen=True, kw_only=True)
class PurchaseFact(Fact):
    """Something that happened to a purchase of credits."""

    subject: "CreditPurchase" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class PurchaseConfirmed(PurchaseFact):
    """The processor is asked for it from now on."""

    name = "credit_purchase.confirmed"


@dataclass(frozen=True, kw_only=True)
class PurchaseTakenBack(PurchaseFact):
    """The processor was not asked after all: nobody was let through to it."""

    name = "credit_purchase.taken_back"


@dataclass(frozen=True, kw_only=True)
class PurchaseActionRequired(PurchaseFact):
    """The bank asks the buyer to confirm it (3-D Secure)."""

    name = "credit_purchase.action_required"


@dataclass(frozen=True, kw_only=True)
class PurchaseSucceeded(PurchaseFact):
    """The money was taken, and the credits are granted."""

    name = "credit_purchase.succeeded"


@dataclass(frozen=True, kw_only=True)
class PurchaseGrantRepaired(PurchaseFact):
    """It was paid and its credits were not there: they are granted now, and somebody looks why."""

    name = "credit_purchase.grant_repaired"


@dataclass(frozen=True, kw_only=True)
class PurchaseFailed(PurchaseFact):
    """No money was taken; `subject.failure_code` says why."""

    name = "credit_purchase.failed"


@dataclass(frozen=True, kw_only=True)
class PurchaseCanceled(PurchaseFact):
    name = "credit_purchase.canceled"


_S = PaymentStatus
_FACTS: Final[dict[PaymentStatus, type[PurchaseFact]]] = {
    _S.REQUIRES_ACTION: PurchaseActionRequired,
    _S.SUCCEEDED: PurchaseSucceeded,
    _S.FAILED: PurchaseFailed,
    _S.CANCELED: PurchaseCanceled,
}


def price_of(credits_micro: int, terms: CreditTerms) -> Money:
    """What so many micro credits cost: whole minor units, rounded half up.

    Refuses: AmountNotPositive, AmountOutOfRange.
    """
    unit = Money(1_000_000, terms.currency)
    price = unit.times(credits_micro, terms.per_currency_unit * CREDIT_MICRO)
    if price.amount_micro <= 0:
        raise AmountNotPositive()
    return price


def must_be_sold(credits_micro: int, terms: CreditTerms) -> None:
    """Refuses: CreditPurchaseTooSmall, CreditPurchaseTooLarge."""
    if credits_micro < terms.minimum_purchase_micro:
        raise CreditPurchaseTooSmall(minimumMicro=terms.minimum_purchase_micro)
    if credits_micro > terms.maximum_purchase_micro:
        raise CreditPurchaseTooLarge(maximumMicro=terms.maximum_purchase_micro)


@dataclass(kw_only=True)
class CreditPurchase(ProcessorPayment):
    """See the module. `amount` is the price."""

    kind: ClassVar[str] = "credit_purchase"
    customer_id: CustomerId
    account_id: CreditAccountId
    account: str
    method_id: StoredMethodId
    origin: PurchaseOrigin
    credits_micro: int

    @classmethod
    def wanted(
        cls,
        account: CreditAccount,
        method: StoredMethod,
        credits_micro: int,
        *,
        id: PaymentIntentId,
        origin: PurchaseOrigin,
        moment: Moment,
    ) -> "CreditPurchase":
        """What is wanted of the account, at today's price; nothing is asked of anybody yet.

        Refuses: CreditPurchaseTooSmall, CreditPurchaseTooLarge, AmountNotPositive,
        AmountNotInMinorUnits, AmountOutOfRange.
        """
        terms = moment.settings.credits
        must_be_sold(credits_micro, terms)
        amount = price_of(credits_micro, terms)
        must_be_taken(amount)
        return cls(
            id=id,
            account_id=account.id,
            account=account.name,
            customer_id=method.customer_id,
            method_id=method.id,
            origin=origin,
            credits_micro=credits_micro,
            amount=amount,
            created_at=moment.now,
            changed_at=moment.now,
        )

    def confirm(
        self, account: CreditAccount, method: StoredMethod, under_way_micro: int, moment: Moment
    ) -> PurchaseConfirmed | None:
        """Ask the processor for it from now on; None where it was asked for, and is not again.

        `under_way_micro` are the credits of the account's other purchases that may still be paid.
        Refuses: PaymentNotConfirmable, PaymentMethodRemoved, PaymentMethodForStays,
        CreditBalanceLimit.
        """
        self._must_be_confirmable()
        if not self.is_unasked:
            return None
        method.must_pay_the_platform()
        most = moment.settings.credits.maximum_balance_micro
        account.must_have_room(self.credits_micro + under_way_micro, most)
        self._ask(moment)
        return PurchaseConfirmed(subject=self, sequence=self.next_sequence())

    def is_wanted_again(self, account: str, method_id: StoredMethodId, credits_micro: int) -> bool:
        """Whether what is asked for under its id is this."""
        asked = (PurchaseOrigin.ASKED, account, method_id, credits_micro)
        return asked == (self.origin, self.account, self.method_id, self.credits_micro)

    def take_back(self, moment: Moment) -> PurchaseTakenBack | None:
        """Nobody asked the processor: it can be asked for again; None where somebody has heard."""
        if not self._unask(moment):
            return None
        return PurchaseTakenBack(subject=self, sequence=self.next_sequence())

    def hear(self, heard: Heard, moment: Moment) -> PurchaseFact:
        """Move on to what the processor says. Raises ValueError for what is no news."""
        self._move(heard, moment)
        fact = _FACTS[self.status]
        return fact(subject=self, sequence=self.next_sequence(), reason=self.failure_code)

    def give_up(self, moment: Moment) -> PurchaseFailed | None:
        """Nothing of it has reached the processor; None while something still might.

        A top-up is never given up: the job that asks what became of it asks for it as well.
        """
        if not self._fail_unheard_of(moment):
            return None
        return PurchaseFailed(subject=self, sequence=self.next_sequence(), reason=NEVER_ARRIVED)

    def repaired(self) -> PurchaseGrantRepaired:
        """Its credits were missing, and have been granted."""
        return PurchaseGrantRepaired(subject=self, sequence=self.next_sequence())

    def grant(self, lot_id: CreditLotId) -> CreditGrant:
        """What was paid for."""
        return CreditGrant(
            id=lot_id,
            source=CreditSource.PURCHASE,
            source_key=self.grant_key,
            credits_micro=self.credits_micro,
            reason=REASON,
        )

    def credits_for(self, money: Money) -> int:
        """How many micro credits so much of its price has bought, rounded down: no debt is made up.

        Refuses: CurrenciesDiffer.
        """
        if money >= self.amount:
            return self.credits_micro
        return self.credits_micro * money.amount_micro // self.amount.amount_micro

    @property
    def grant_key(self) -> str:
        """What its credits are granted for, once (CRD-3)."""
        return f"purchase:{self.id}"

    @property
    def waits(self) -> bool:
        """Whether something is still to become of it that nobody may bring."""
        return self.is_under_way

    @property
    def is_asked_for_by_a_job(self) -> bool:
        """Nobody is there who asked for a top-up: whoever settles it asks the processor for it."""
        return self.origin is PurchaseOrigin.TOP_UP

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "accountId": self.account_id,
            "origin": self.origin.value,
            "creditsMicro": self.credits_micro,
            "amountMicro": self.amount.amount_micro,
            "currency": str(self.amount.currency),
            "status": self.status.value,
            "failureCode": self.failure_code,
            "processorPaymentId": self.processor_payment_id,
        }
