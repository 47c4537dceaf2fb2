"""Give back credits that were taken for a dispute, as that was won: as if nothing had been taken.

The caller confirms exactly this: `common.domain.prepaid_reversal` has the document whose SHA-256
the confirmation bears.
"""

from common.contracts.fields import FreeText
from common.contracts.prepaid import ReversalAnswer, TakenBackFor
from common.contracts.shapes import Request
from common.domain.prepaid_account import CreditsOutOfRange
from common.domain.prepaid_reversal import (
    ClawBackReversed,
    ClawBackUnknown,
    give_back,
    reversal_sha256,
)
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.runtime.declaration import RateLimit, http_function


class ReverseClawBack(Request):
    """For which dispute (or refund) credits were taken back, and why they come back."""

    source_key: TakenBackFor
    reason: FreeText


def what_is_confirmed(request: ReverseClawBack, actor: Actor) -> str:
    """What was taken for this dispute comes back."""
    return reversal_sha256(actor.tenant_id, request.source_key).hex()


@http_function(
    "POST",
    "/credits/claw-backs/reverse",
    scope="platform.subscription.write",
    status=201,
    step_up=True,
    context=what_is_confirmed,
    moves_money=True,
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(ClawBackUnknown, ClawBackReversed, CreditsOutOfRange),
)
def reverse_claw_back(request: ReverseClawBack, tx: Transaction) -> ReversalAnswer:
    """Give credits back once that were taken back, and answer what the account has.

    Refuses: ClawBackUnknown, ClawBackReversed, CreditsOutOfRange.
    """
    account, taken, moves = tx.prepaid.take_claw_back(request.source_key)
    given = give_back(account, taken, moves, request.reason, tx)
    tx.prepaid.keep(account)
    tx.prepaid.keep_reversal(given.reversal)
    tx.tell(given)
    return ReversalAnswer.reversing(given, tx)
