"""What the house is told about purchases of credits, and about accounts that fill themselves up."""

from typing import TYPE_CHECKING, Any, Final

from common.contracts.event import EventData
from common.contracts.fields import Amount, Instant
from common.contracts.references import AutoTopUpRef, CreditAccountRef, PaymentIntentRef

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.auto_top_up import TopUpFact
    from common.domain.credit_purchase import PurchaseFact


class _Purchase(EventData):
    purchase_id: PaymentIntentRef
    account_id: CreditAccountRef
    account: str
    credits_micro: int
    amount: Amount
    origin: str

    @classmethod
    def shared(cls, fact: "PurchaseFact") -> dict[str, Any]:
        purchase = fact.subject
        return {
            "purchase_id": purchase.id,
            "account_id": purchase.account_id,
            "account": purchase.account,
            "credits_micro": purchase.credits_micro,
            "amount": purchase.amount,
            "origin": purchase.origin.value,
        }


class CreditPurchaseConfirmedV1(_Purchase):
    """The processor is asked for it from now on."""

    fact = "credit_purchase.confirmed"

    @classmethod
    def of(cls, fact: "PurchaseFact") -> "CreditPurchaseConfirmedV1":
        return cls(**cls.shared(fact))


class CreditPurchaseTakenBackV1(_Purchase):
    """The processor was not asked after all."""

    fact = "credit_purchase.taken_back"

    @classmethod
    def of(cls, fact: "PurchaseFact") -> "CreditPurchaseTakenBackV1":
        return cls(**cls.shared(fact))


class CreditPurchaseActionRequiredV1(_Purchase):
    """The bank asks the buyer to confirm it."""

    fact = "credit_purchase.action_required"

    @classmethod
    def of(cls, fact: "PurchaseFact") -> "CreditPurchaseActionRequiredV1":
        return cls(**cls.shared(fact))


class CreditPurchaseCanceledV1(_Purchase):
    """It was called off at the processor; no money was taken."""

    fact = "credit_purchase.canceled"

    @classmethod
    def of(cls, fact: "PurchaseFact") -> "CreditPurchaseCanceledV1":
        return cls(**cls.shared(fact))


class CreditPurchaseSucceededV1(_Purchase):
    """The money was taken; `credits.granted` tells of the credits."""

    fact = "credit_purchase.succeeded"

    @classmethod
    def of(cls, fact: "PurchaseFact") -> "CreditPurchaseSucceededV1":
        return cls(**cls.shared(fact))


class CreditPurchaseFailedV1(_Purchase):
    """No money was taken."""

    fact = "credit_purchase.failed"
    failure_code: str

    @classmethod
    def of(cls, fact: "PurchaseFact") -> "CreditPurchaseFailedV1":
        return cls(**cls.shared(fact), failure_code=fact.subject.failure_code or "declined")


class CreditPurchaseGrantRepairedV1(_Purchase):
    """It was paid and its credits were not there: the reconciliation has granted them."""

    fact = "credit_purchase.grant_repaired"

    @classmethod
    def of(cls, fact: "PurchaseFact") -> "CreditPurchaseGrantRepairedV1":
        return cls(**cls.shared(fact))


class _TopUp(EventData):
    auto_top_up_id: AutoTopUpRef
    account_id: CreditAccountRef
    account: str
    enabled: bool
    threshold_micro: int
    credits_micro: int
    monthly_cap_micro: int
    failures: int
    next_attempt_at: Instant | None

    @classmethod
    def shared(cls, fact: "TopUpFact") -> dict[str, Any]:
        top_up = fact.subject
        return {
            "auto_top_up_id": top_up.id,
            "account_id": top_up.account_id,
            "account": top_up.account,
            "enabled": top_up.is_on,
            "threshold_micro": top_up.terms.threshold_micro,
            "credits_micro": top_up.terms.credits_micro,
            "monthly_cap_micro": top_up.terms.monthly_cap_micro,
            "failures": top_up.failures,
            "next_attempt_at": top_up.next_attempt_at,
        }


class AutoTopUpSetV1(_TopUp):
    """How an account fills itself up was set."""

    fact = "auto_top_up.set"

    @classmethod
    def of(cls, fact: "TopUpFact") -> "AutoTopUpSetV1":
        return cls(**cls.shared(fact))


class AutoTopUpStartedV1(_TopUp):
    """The account was low, and credits are bought for it."""

    fact = "auto_top_up.started"

    @classmethod
    def of(cls, fact: "TopUpFact") -> "AutoTopUpStartedV1":
        return cls(**cls.shared(fact))


class AutoTopUpPaidV1(_TopUp):
    """It was paid after it had failed."""

    fact = "auto_top_up.paid"

    @classmethod
    def of(cls, fact: "TopUpFact") -> "AutoTopUpPaidV1":
        return cls(**cls.shared(fact))


class AutoTopUpFailedV1(_TopUp):
    """The account could not be filled up; `nextAttemptAt` is null where it is not tried again."""

    fact = "auto_top_up.failed"
    failure_code: str

    @classmethod
    def of(cls, fact: "TopUpFact") -> "AutoTopUpFailedV1":
        return cls(**cls.shared(fact), failure_code=fact.reason or "declined")


PURCHASE_EVENTS: Final = (
    CreditPurchaseConfirmedV1,
    CreditPurchaseTakenBackV1,
    CreditPurchaseActionRequiredV1,
    CreditPurchaseSucceededV1,
    CreditPurchaseFailedV1,
    CreditPurchaseCanceledV1,
    CreditPurchaseGrantRepairedV1,
    AutoTopUpSetV1,
    AutoTopUpStartedV1,
    AutoTopUpPaidV1,
    AutoTopUpFailedV1,
)
