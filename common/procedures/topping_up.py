"""An account that is low buys credits for itself: what a job decides, outside of any spending.

The account is locked first, as whoever spends locks it, and what fills it up behind it. A purchase
is only written down here; whoever settles purchases asks the processor for it.
"""

from common.domain.auto_top_up import AutoTopUp, TopUpFact, month_of
from common.domain.credit_purchase import (
    CreditPurchase,
    CreditPurchaseTooLarge,
    CreditPurchaseTooSmall,
    PurchaseOrigin,
)
from common.domain.identifiers import CreditAccountId, PaymentIntentId
from common.domain.prepaid_account import CreditAccount, CreditBalanceLimit
from common.domain.stored_method import PaymentMethodForStays, PaymentMethodRemoved
from common.ports.transaction import Transaction

_NOT_FOR_SALE = (
    CreditPurchaseTooSmall,
    CreditPurchaseTooLarge,
    CreditBalanceLimit,
    PaymentMethodRemoved,
    PaymentMethodForStays,
)


def start_top_up(account_id: CreditAccountId, tx: Transaction) -> None:
    """Buy credits for an account that is low, unless that is under way, or is not wanted any more.

    Beyond the month's cap it waits for the next month. Refuses: CreditAccountUnknown.
    """
    tx.auto_top_ups.foresee(account_id)
    tx.credit_purchases.foresee_of_account(account_id, month_of(tx.now))
    account = tx.prepaid.take_by_id(account_id)
    top_up = tx.auto_top_ups.find(account_id)
    if top_up is None or not top_up.is_due(account, tx):
        return
    if tx.credit_purchases.is_topping_up(account_id):
        return
    fact = _started(account, top_up, tx)
    tx.auto_top_ups.keep(top_up)
    tx.tell(fact)


def _started(account: CreditAccount, top_up: AutoTopUp, tx: Transaction) -> TopUpFact:
    if top_up.is_capped(tx.credit_purchases.topped_up(account.id, month_of(tx.now))):
        return top_up.wait_for_next_month(tx)
    method = tx.stored_methods.get(top_up.method_id)
    under_way = tx.credit_purchases.under_way(account.id)
    try:
        purchase = CreditPurchase.wanted(
            account,
            method,
            top_up.terms.credits_micro,
            id=tx.new_id(PaymentIntentId),
            origin=PurchaseOrigin.TOP_UP,
            moment=tx,
        )
        confirmed = purchase.confirm(account, method, under_way, tx)
    except _NOT_FOR_SALE as refused:
        return top_up.failed(refused.code.lower(), tx)
    tx.credit_purchases.keep(purchase)
    if confirmed is not None:
        tx.tell(confirmed)
    return top_up.start()
