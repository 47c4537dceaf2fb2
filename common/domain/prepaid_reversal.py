"""Giving credits back that were taken for a dispute which was then won (CRD-5, BEY-7).

The purchase is paid after all, so that everything is as if nothing had been taken back. What is
still owed for it is owed no more; what was taken comes back into the lot that it was granted in,
and so does what a later purchase has paid of the debt. What was waived does not: nobody paid for
it. The lot's expiry is what it was. Afterwards the purchase can be refunded as if for the first
time.

Which debt a payment or a waiver settles is the oldest: so what became of each can be told.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from common.domain.canonical import digest
from common.domain.dataclass import dataclass
from common.domain.identifiers import CreditLotId
from common.domain.moment import Moment
from common.domain.prepaid_account import CreditAccount, CreditsMoved, EntryKind
from common.domain.prepaid_claw_back import ClawBack
from common.domain.prepaid_lot import LotShare
from common.domain.refusal import Conflict, Missing

REVERSING: Final = "credits.reverse_claw_back"


class ClawBackUnknown(Missing):
    code = "CLAW_BACK_UNKNOWN"
    title = "No credits were taken back for this"


class ClawBackReversed(Conflict):
    code = "CLAW_BACK_REVERSED"
    title = "What was taken back for this has been given back already"


@dataclass(frozen=True, slots=True)
class DebtMove:
    """A movement of an account's debt; `source_key` is the claw-back's that made or ended it."""

    kind: EntryKind
    source_key: str | None
    micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """What came back: so many credits, and so much debt that is owed no more."""

    source_key: str
    returned_micro: int
    cancelled_micro: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class CreditsGivenBack(CreditsMoved):
    """What was taken back for a dispute came back, as that was won."""

    name = "credits.given_back"
    lot_id: CreditLotId
    reversal: Reversal


def reversal_sha256(tenant_id: UUID, source_key: str) -> bytes:
    """What is confirmed by whoever gives back what was taken."""
    return digest({"deed": REVERSING, "tenant": str(tenant_id), "sourceKey": source_key})


def give_back(
    account: CreditAccount,
    taken: ClawBack,
    moves: Sequence[DebtMove],
    reason: str,
    moment: Moment,
) -> CreditsGivenBack:
    """Give back what was taken. `account` is the one of the lot, `moves` are all of its debt's.

    Refuses: CreditsOutOfRange.
    """
    account.end_holds(moment)
    owed, paid = what_became_of(taken.source_key, moves)
    returned = taken.taken_micro + paid
    account.move(
        EntryKind.GIVE_BACK,
        [LotShare(lot_id=taken.lot_id, amount_micro=returned)] if returned else [],
        moment,
        debt_micro=-owed,
        reference=taken.source_key,
        reason=reason,
    )
    reversal = Reversal(
        source_key=taken.source_key,
        returned_micro=returned,
        cancelled_micro=owed,
        reason=reason,
    )
    given: CreditsGivenBack = account.told(
        CreditsGivenBack, lot_id=taken.lot_id, reversal=reversal, reason=reason
    )
    return given


def what_became_of(source_key: str, moves: Sequence[DebtMove]) -> tuple[int, int]:
    """How much of the debt that a claw-back made is still owed, and how much purchases have paid.

    `moves` are in their order: payments and waivers settle the oldest debt first.
    """
    owed: dict[str | None, int] = {}
    paid = 0
    for move in moves:
        if move.kind is EntryKind.CLAW_BACK:
            owed[move.source_key] = move.micro
        elif move.kind is EntryKind.GIVE_BACK:
            del owed[move.source_key]
        else:
            left = -move.micro
            for key in owed:
                part = min(left, owed[key])
                owed[key] -= part
                left -= part
                if key == source_key and move.kind is EntryKind.DEBT_PAID:
                    paid += part
    return owed.get(source_key, 0), paid
