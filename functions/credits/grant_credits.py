"""Grant credits by hand: a gift, an amends, or what was paid for outside of this service.

Each grant says what it is for, and is made once for that: who grants a purchase names the payment,
and whatever else learns of the same payment finds it granted. The caller confirms exactly this
grant: `common.domain.prepaid_grant` has the document whose SHA-256 the confirmation bears.
"""

from typing import Annotated

from pydantic import Field

from common.contracts.fields import (
    CreditsMicro,
    FreeText,
    Instant,
    Token,
    Word,
)
from common.contracts.prepaid import GrantAnswer
from common.contracts.references import CreditLotRef
from common.contracts.shapes import Request
from common.domain.prepaid_account import MAIN, CreditBalanceLimit, CreditsOutOfRange
from common.domain.prepaid_grant import (
    CreditGrant,
    CreditsGrantedAlready,
    GrantExpired,
    GrantKeyInvalid,
    grant_sha256,
)
from common.domain.prepaid_lot import CreditSource
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.granting import grant_once
from common.runtime.declaration import RateLimit, http_function


class GrantCredits(Request):
    """How many credits are granted, of which source and why.

    `sourceKey` says for what: `purchase:<payment>`, `renewal:<subscription>:<period start>`,
    `trial:<account>`. A gift needs none: it is granted for itself.
    """

    id: CreditLotRef
    account: Word = MAIN
    source: CreditSource = CreditSource.PROMOTION
    source_key: Annotated[Token, Field(examples=["purchase:pin_01K9ZQ0M8Y"])] | None = None
    credits_micro: CreditsMicro
    expires_at: Instant | None = None
    reason: FreeText

    def wanted(self) -> CreditGrant:
        """As the rules read it. Refuses: GrantKeyInvalid."""
        return CreditGrant(
            id=self.id,
            source=self.source,
            source_key=self.source_key or f"grant:{self.id}",
            credits_micro=self.credits_micro,
            reason=self.reason,
            expires_at=self.expires_at,
        )


def what_is_confirmed(request: GrantCredits, actor: Actor) -> str:
    """These credits, to this account, for this. Refuses: GrantKeyInvalid."""
    return grant_sha256(actor.tenant_id, request.account, request.wanted()).hex()


@http_function(
    "POST",
    "/credits/grants",
    scope="platform.subscription.write",
    status=201,
    step_up=True,
    context=what_is_confirmed,
    moves_money=True,
    creates=True,
    etag="credit_account",
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(
        GrantKeyInvalid,
        CreditsGrantedAlready,
        GrantExpired,
        CreditBalanceLimit,
        CreditsOutOfRange,
    ),
)
def grant_credits(request: GrantCredits, tx: Transaction) -> GrantAnswer:
    """Grant credits once for what they are for, and answer what the account has.

    Refuses: GrantKeyInvalid, CreditsGrantedAlready, GrantExpired, CreditBalanceLimit,
    CreditsOutOfRange.
    """
    wanted = request.wanted()
    granted = grant_once(tx, request.account, wanted)
    if granted is None:
        raise CreditsGrantedAlready(sourceKey=wanted.source_key)
    return GrantAnswer.granting(granted, tx)
