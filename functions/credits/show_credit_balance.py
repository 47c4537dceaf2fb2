"""Show what an account of prepaid credits has, as the clock has it."""

from common.contracts.fields import Word
from common.contracts.prepaid import CreditBalance
from common.contracts.shapes import Request
from common.domain.prepaid_account import MAIN, CreditAccountUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowCreditBalance(Request):
    """Which account; the main one is always there."""

    account: Word = MAIN


@http_function(
    "GET",
    "/credits/balance",
    scope="billing.credits.read",
    etag="credit_account",
    refusals=(CreditAccountUnknown,),
)
def show_credit_balance(request: ShowCreditBalance, tx: Transaction) -> CreditBalance:
    """Answer what can be spent, what is held and owed, and what expires next.

    Refuses: CreditAccountUnknown.
    """
    return CreditBalance.of(tx.prepaid.get(request.account), tx)
