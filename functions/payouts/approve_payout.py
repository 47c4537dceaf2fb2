"""Approve a large payout, as a second person with a fresh second factor.

The caller confirms exactly this payout: `common.domain.payout` has the document whose SHA-256 the
confirmation bears.
"""

from common.contracts.fields import Payable
from common.contracts.payouts import PayoutView
from common.contracts.references import PayoutRef
from common.contracts.shapes import Request
from common.domain.payout import (
    APPROVING,
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


class ApprovePayout(Request):
    """The payout in the path, with the amount that the approver was shown."""

    payout_id: PayoutRef
    amount: Payable


def what_is_confirmed(request: ApprovePayout, actor: Actor) -> str:
    """That this amount is paid out by this payout."""
    return decision_sha256(APPROVING, actor.tenant_id, request.payout_id, request.amount).hex()


@http_function(
    "POST",
    "/payouts/{payout_id}/approve",
    scope="platform.payout.approve",
    step_up=True,
    context=what_is_confirmed,
    moves_money=True,
    etag="payout",
    limits=(RateLimit(quota=10, window_seconds=60),),
    refusals=(PayoutUnknown, PayoutNotAwaiting, PayoutSamePerson),
)
def approve_payout(request: ApprovePayout, tx: Transaction) -> PayoutView:
    """Let a payout be made, and answer it.

    Refuses: PayoutUnknown, PayoutNotAwaiting, PayoutSamePerson.
    """
    payout = take_to_decide(request.payout_id, request.amount, tx)
    approved = payout.approve(confirmed(tx))
    tx.payouts.keep(payout)
    tx.tell(approved)
    return PayoutView.of(payout)
