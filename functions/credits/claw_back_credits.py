"""Take credits back whose purchase was refunded or disputed, exact to the lot.

What was spent of them is owed from then on. Each refund or dispute takes back once: `sourceKey`
names it. The caller confirms exactly this: `common.domain.prepaid_claw_back` has the document whose
SHA-256 the confirmation bears.
"""

from typing import Annotated

from pydantic import Field

from common.contracts.fields import CreditsMicro, FreeText, Token
from common.contracts.prepaid import ClawBackAnswer, TakenBackFor
from common.contracts.shapes import Request
from common.domain.prepaid_claw_back import (
    ClawBackExceedsGrant,
    CreditsTakenBackAlready,
    GrantUnknown,
    claw_back_sha256,
)
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.granting import take_back_once
from common.runtime.declaration import RateLimit, http_function


class ClawBackCredits(Request):
    """How much of what was granted for `grantKey` is taken back, for which refund or dispute."""

    grant_key: Annotated[Token, Field(examples=["purchase:pin_01K9ZQ0M8Y"])]
    source_key: TakenBackFor
    credits_micro: CreditsMicro
    reason: FreeText


def what_is_confirmed(request: ClawBackCredits, actor: Actor) -> str:
    """So many credits of this grant, for this refund or dispute."""
    return claw_back_sha256(
        actor.tenant_id, request.grant_key, request.source_key, request.credits_micro
    ).hex()


@http_function(
    "POST",
    "/credits/claw-backs",
    scope="platform.subscription.write",
    status=201,
    step_up=True,
    context=what_is_confirmed,
    moves_money=True,
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(GrantUnknown, CreditsTakenBackAlready, ClawBackExceedsGrant),
)
def claw_back_credits(request: ClawBackCredits, tx: Transaction) -> ClawBackAnswer:
    """Take credits of a grant back, and answer what was still there and what is owed now.

    Refuses: GrantUnknown, CreditsTakenBackAlready, ClawBackExceedsGrant.
    """
    taken = take_back_once(
        tx, request.grant_key, request.source_key, request.credits_micro, request.reason
    )
    if taken is None:
        raise CreditsTakenBackAlready(sourceKey=request.source_key)
    return ClawBackAnswer.of(taken)
