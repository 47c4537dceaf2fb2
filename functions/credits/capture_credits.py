"""Spend what an operation came to out of what was set aside for it; the rest is free again."""

from common.contracts.fields import CreditsMicro
from common.contracts.prepaid import HoldAnswer
from common.contracts.references import CreditHoldRef
from common.contracts.shapes import Request
from common.domain.prepaid_hold import CaptureExceedsHold, HoldEnded, HoldUnknown
from common.domain.prepaid_spend import capture
from common.ports.transaction import Transaction
from common.procedures.moving import keep_moved
from common.runtime.declaration import http_function


class CaptureCredits(Request):
    """What the operation came to, at most what is held."""

    hold_id: CreditHoldRef
    credits_micro: CreditsMicro


@http_function(
    "POST",
    "/credits/holds/{hold_id}/capture",
    scope="billing.credits.write",
    moves_money=True,
    etag="credit_account",
    refusals=(HoldUnknown, HoldEnded, CaptureExceedsHold),
)
def capture_credits(request: CaptureCredits, tx: Transaction) -> HoldAnswer:
    """Spend out of a hold once, free the rest of it, and answer what is left.

    Refuses: HoldUnknown, HoldEnded, CaptureExceedsHold.
    """
    account, held = tx.prepaid.take_hold(request.hold_id)
    captured = capture(account, held, request.credits_micro, tx)
    keep_moved(captured, tx)
    return HoldAnswer.holding(captured, tx)
