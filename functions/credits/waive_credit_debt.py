"""Let an account off what it owes for credits that were spent and then taken back.

The caller confirms exactly this: `common.domain.prepaid_claw_back` has the document whose SHA-256
the confirmation bears.
"""

from common.contracts.fields import CreditsMicro, FreeText, Word
from common.contracts.prepaid import MovedAnswer
from common.contracts.shapes import Request
from common.domain.prepaid_account import MAIN, CreditAccountUnknown
from common.domain.prepaid_claw_back import WaiverExceedsDebt, waive, waiver_sha256
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.runtime.declaration import RateLimit, http_function


class WaiveCreditDebt(Request):
    """How much of which account's debt is waived, and why."""

    account: Word = MAIN
    credits_micro: CreditsMicro
    reason: FreeText


def what_is_confirmed(request: WaiveCreditDebt, actor: Actor) -> str:
    """So much of this account's debt."""
    return waiver_sha256(actor.tenant_id, request.account, request.credits_micro).hex()


@http_function(
    "POST",
    "/credits/debt/waive",
    scope="platform.subscription.write",
    status=201,
    step_up=True,
    context=what_is_confirmed,
    moves_money=True,
    etag="credit_account",
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(CreditAccountUnknown, WaiverExceedsDebt),
)
def waive_credit_debt(request: WaiveCreditDebt, tx: Transaction) -> MovedAnswer:
    """Waive a debt, or a part of it, and answer what is still owed.

    Refuses: CreditAccountUnknown, WaiverExceedsDebt.
    """
    account = tx.prepaid.take(request.account)
    waived = waive(account, request.credits_micro, request.reason, tx)
    tx.prepaid.keep(account)
    tx.tell(waived)
    return MovedAnswer.of(waived, tx)
