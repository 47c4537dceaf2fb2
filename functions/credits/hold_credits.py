"""Set credits aside before an operation whose cost nobody knows yet."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from common.contracts.prepaid import HoldAnswer, UseRequest
from common.contracts.references import CreditHoldRef
from common.domain.identifiers import CreditHoldId
from common.domain.prepaid_account import CreditAccountUnknown, InsufficientCredits
from common.domain.prepaid_spend import hold
from common.ports.transaction import Transaction
from common.procedures.moving import keep_moved
from common.runtime.declaration import http_function


class HoldCredits(UseRequest):
    """How many credits are set aside, by which service, and for how long at most."""

    id: CreditHoldRef | None = None
    lasts_seconds: Annotated[int, Field(ge=60, le=86_400)] = 3_600


@http_function(
    "POST",
    "/credits/holds",
    scope="billing.credits.write",
    status=201,
    moves_money=True,
    creates=True,
    etag="credit_account",
    refusals=(CreditAccountUnknown, InsufficientCredits),
)
def hold_credits(request: HoldCredits, tx: Transaction) -> HoldAnswer:
    """Set credits aside, and answer the hold that captures or releases them.

    Refuses: CreditAccountUnknown, InsufficientCredits.
    """
    account = tx.prepaid.take(request.account)
    hold_id = request.id or tx.new_id(CreditHoldId)
    held = hold(account, hold_id, request.use(), timedelta(seconds=request.lasts_seconds), tx)
    keep_moved(held, tx)
    return HoldAnswer.holding(held, tx)
