"""Reject a large payout, as a second person, with a reason; its money is available again.

The caller confirms exactly this payout: `common.domain.payout` has the document whose SHA-256 the
confirmation bears.
"""

from common.contracts.fields import FreeText, Payable
from common.contracts.payouts import PayoutView
from common.contracts.references import PayoutRef
from common.contracts.shapes import Request
from common.domain.payout import (
    REJECTING,
    PayoutNotAwaiting,
    PayoutSamePerson,
    PayoutUnknown,
    decision_sha256,
)
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.confirming import confirmed
from common.procedures.paying_out import take_to_decide
from common.runtime.declaration import RateLimit, http_function


class RejectPayout(Request):
    """The payout in the path, with the amount that the approver was shown, and why not."""

    payout_id: PayoutRef
    amount: Payable
    reason: FreeText


def what_is_confirmed(request: RejectPayout, actor: Actor) -> str:
    """That this amount is not paid out by this payout."""
    return decision_sha256(REJECTING, actor.tenant_id, request.payout_id, request.amount).hex()


@http_function(
    "POST",
    "/payouts/{payout_id}/reject",
    scope="platform.payout.approve",
    step_up=True,
    context=what_is_confirmed,
    moves_money=True,
    etag="payout",
    limits=(RateLimit(quota=10, window_seconds=60),),
    refusals=(PayoutUnknown, PayoutNotAwaiting, PayoutSamePerson),
)
def reject_payout(request: RejectPayout, tx: Transaction) -> PayoutView:
    """Let a payout not be made, give its money back in the books, and answer it.

    Refuses: PayoutUnknown, PayoutNotAwaiting, PayoutSamePerson.
    """
    payout = take_to_decide(request.payout_id, request.amount, tx)
    rejected = payout.reject(confirmed(tx), request.reason, tx)
    tx.payouts.keep(payout)
    tx.ledger.post(rejected)
    tx.tell(rejected)
    return PayoutView.of(payout)
