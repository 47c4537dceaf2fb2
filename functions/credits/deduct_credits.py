"""Spend prepaid credits, all that is asked for or nothing, however many spend at once.

What a plan has for nothing is metered and not deducted; of the rest the answer's entry names the
lots that it was taken from.
"""

from common.contracts.prepaid import MovedAnswer, UseRequest
from common.domain.prepaid_account import CreditAccountUnknown, InsufficientCredits
from common.domain.prepaid_spend import deduct
from common.ports.transaction import Transaction
from common.procedures.moving import keep_moved
from common.runtime.declaration import http_function


class DeductCredits(UseRequest):
    """How many credits are spent, by which service, and for what of its own."""


@http_function(
    "POST",
    "/credits/deduct",
    scope="billing.credits.write",
    status=201,
    moves_money=True,
    etag="credit_account",
    refusals=(CreditAccountUnknown, InsufficientCredits),
)
def deduct_credits(request: DeductCredits, tx: Transaction) -> MovedAnswer:
    """Spend credits, and answer what is left.

    Refuses: CreditAccountUnknown, InsufficientCredits.
    """
    account = tx.prepaid.take(request.account)
    deducted = deduct(account, request.use(), tx)
    keep_moved(deducted, tx)
    return MovedAnswer.of(deducted, tx)
