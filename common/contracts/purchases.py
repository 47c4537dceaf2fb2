"""How purchases of credits, and accounts that fill themselves up, read on the wire."""

from pydantic import Field

from common.contracts.fields import Amount, Instant
from common.contracts.payments import NextActionView
from common.contracts.references import (
    AutoTopUpRef,
    CreditAccountRef,
    CustomerRef,
    PaymentIntentRef,
    StoredMethodRef,
)
from common.contracts.shapes import Outcome
from common.domain.auto_top_up import AutoTopUp
from common.domain.credit_purchase import CreditPurchase


class CreditPurchaseView(Outcome):
    """A purchase. Once it has `succeeded` its credits are there. `nextAction` is there where it is
    asked for, and waits for the buyer; `origin` is `top_up` where the account was low."""

    purchase_id: PaymentIntentRef
    account: str
    account_id: CreditAccountRef
    credits_micro: int
    amount: Amount
    status: str = Field(examples=["succeeded"])
    origin: str = Field(examples=["asked"])
    customer_id: CustomerRef
    payment_method_id: StoredMethodRef
    failure_code: str | None
    next_action: NextActionView | None
    created_at: Instant
    version: int

    @classmethod
    def of(
        cls, purchase: CreditPurchase, next_action: NextActionView | None = None
    ) -> "CreditPurchaseView":
        return cls(
            purchase_id=purchase.id,
            account=purchase.account,
            account_id=purchase.account_id,
            credits_micro=purchase.credits_micro,
            amount=purchase.amount,
            status=purchase.status.value,
            origin=purchase.origin.value,
            customer_id=purchase.customer_id,
            payment_method_id=purchase.method_id,
            failure_code=purchase.failure_code,
            next_action=next_action,
            created_at=purchase.created_at,
            version=purchase.version,
        )

    @property
    def moved_minor_units(self) -> int:
        return self.amount.amount_micro // self.amount.currency.minor_unit_micro


class AutoTopUpView(Outcome):
    """How an account fills itself up: below `thresholdMicro` by `creditsMicro`, and by at most
    `monthlyCapMicro` in a calendar month (UTC). `nextAttemptAt` is null where it is not tried any
    more: it is off, or has failed too often and is set anew."""

    auto_top_up_id: AutoTopUpRef
    account: str
    account_id: CreditAccountRef
    enabled: bool
    threshold_micro: int
    credits_micro: int
    monthly_cap_micro: int
    payment_method_id: StoredMethodRef
    failures: int
    next_attempt_at: Instant | None
    version: int

    @classmethod
    def of(cls, top_up: AutoTopUp) -> "AutoTopUpView":
        return cls(
            auto_top_up_id=top_up.id,
            account=top_up.account,
            account_id=top_up.account_id,
            enabled=top_up.is_on,
            threshold_micro=top_up.terms.threshold_micro,
            credits_micro=top_up.terms.credits_micro,
            monthly_cap_micro=top_up.terms.monthly_cap_micro,
            payment_method_id=top_up.method_id,
            failures=top_up.failures,
            next_attempt_at=top_up.next_attempt_at,
            version=top_up.version,
        )
