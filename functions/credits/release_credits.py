"""Give up what was set aside: the operation came to nothing."""

from common.contracts.prepaid import MovedAnswer
from common.contracts.references import CreditHoldRef
from common.contracts.shapes import Request
from common.domain.prepaid_hold import HoldEnded, HoldUnknown
from common.domain.prepaid_spend import release
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ReleaseCredits(Request):
    """The hold in the path."""

    hold_id: CreditHoldRef


@http_function(
    "POST",
    "/credits/holds/{hold_id}/release",
    scope="billing.credits.write",
    moves_money=True,
    etag="credit_account",
    refusals=(HoldUnknown, HoldEnded),
)
def release_credits(request: ReleaseCredits, tx: Transaction) -> MovedAnswer:
    """Free all of a hold once, and answer what can be spent.

    Refuses: HoldUnknown, HoldEnded.
    """
    account, held = tx.prepaid.take_hold(request.hold_id)
    released = release(account, held, tx)
    tx.prepaid.keep(account)
    tx.tell(released)
    return MovedAnswer.of(released, tx)
