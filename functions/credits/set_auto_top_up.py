"""Set how an account of credits fills itself up, or that it only tells when it is low.

Below the threshold `credits.low` is told, once until there was more again, whether or not it is
`enabled`; and where it is, credits are bought by the job that looks for low accounts. What has
failed before counts no more once it is set anew.
"""

from common.contracts.fields import CreditsMicro, Word
from common.contracts.purchases import AutoTopUpView
from common.contracts.references import StoredMethodRef
from common.contracts.shapes import Request
from common.domain.auto_top_up import AutoTopUp, MonthlyCapTooSmall, TopUpTerms
from common.domain.credit_purchase import CreditPurchaseTooLarge, CreditPurchaseTooSmall
from common.domain.prepaid_account import MAIN, CreditAccountUnknown, CreditBalanceLimit
from common.domain.stored_method import (
    PaymentMethodForStays,
    PaymentMethodRemoved,
    PaymentMethodUnknown,
)
from common.ports.transaction import Transaction
from common.procedures.moving import keep_moved
from common.runtime.declaration import RateLimit, http_function


class SetAutoTopUp(Request):
    """Below which balance, by how much, how much in a month at most, and from which method."""

    account: Word = MAIN
    enabled: bool = True
    threshold_micro: CreditsMicro
    credits_micro: CreditsMicro
    monthly_cap_micro: CreditsMicro
    payment_method_id: StoredMethodRef

    def terms(self) -> TopUpTerms:
        """As the rules read it."""
        return TopUpTerms(
            threshold_micro=self.threshold_micro,
            credits_micro=self.credits_micro,
            monthly_cap_micro=self.monthly_cap_micro,
        )


@http_function(
    "PUT",
    "/credits/auto-top-up",
    scope="billing.credits.write",
    etag="auto_top_up",
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(
        CreditAccountUnknown,
        PaymentMethodUnknown,
        PaymentMethodRemoved,
        PaymentMethodForStays,
        MonthlyCapTooSmall,
        CreditPurchaseTooSmall,
        CreditPurchaseTooLarge,
        CreditBalanceLimit,
    ),
)
def set_auto_top_up(request: SetAutoTopUp, tx: Transaction) -> AutoTopUpView:
    """Put these terms in the place of the account's, and answer them.

    Refuses: CreditAccountUnknown, PaymentMethodUnknown, PaymentMethodRemoved,
    PaymentMethodForStays, MonthlyCapTooSmall, CreditPurchaseTooSmall, CreditPurchaseTooLarge,
    CreditBalanceLimit.
    """
    tx.stored_methods.foresee(request.payment_method_id)
    account = tx.prepaid.take(request.account)
    method = tx.stored_methods.get(request.payment_method_id)
    known = tx.auto_top_ups.find(account.id)
    top_up = known or AutoTopUp.of(account, method, request.terms(), tx)
    changed = top_up.set(account, method, request.terms(), is_on=request.enabled, moment=tx)
    keep_moved(account.watched(request.threshold_micro, tx), tx)
    tx.auto_top_ups.keep(top_up)
    tx.tell(changed)
    return AutoTopUpView.of(top_up)
