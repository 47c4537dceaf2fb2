"""Taking credits back when their purchase was refunded or disputed, exact to the lot (CRD-5).

What is left of those very credits is taken, in whichever of the tenant's accounts it lies. What was
spent of them, for a service, a bill or the debt of another purchase, or is promised to a hold,
becomes a debt of the account that they were granted to; the next purchase pays it, or a platform
actor waives it with a reason. What has expired was not used, and is neither. Each refund or dispute
takes back once, and all of them together no more than was granted. So a refund beside a dispute may
find nothing left to take; what it asked for is taken when that is won, out of what comes back.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from common.domain.canonical import digest
from common.domain.dataclass import dataclass
from common.domain.identifiers import CreditLotId
from common.domain.moment import Moment
from common.domain.prepaid_account import CreditAccount, CreditsMoved, EntryKind
from common.domain.prepaid_lot import CreditLot, LotShare
from common.domain.refusal import Conflict, Missing, Unmet

CLAWING_BACK: Final = "credits.claw_back"
WAIVING: Final = "credits.waive_debt"
KEPT: Final = "kept:"
"""How the key of a claw-back begins that keeps what refunds have asked for while a dispute had it;
the dispute's follows."""


class GrantUnknown(Missing):
    code = "CREDIT_GRANT_UNKNOWN"
    title = "No credits were granted for this"


class ClawBackExceedsGrant(Unmet):
    code = "CLAW_BACK_EXCEEDS_GRANT"
    title = "More would be taken back than was granted"


class CreditsTakenBackAlready(Conflict):
    code = "CREDITS_TAKEN_BACK_ALREADY"
    title = "Credits have been taken back for this already"


class WaiverExceedsDebt(Unmet):
    code = "WAIVER_EXCEEDS_DEBT"
    title = "The waiver is more than what is owed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClawBack:
    """What was taken back: of what was asked, so much was there, and so much is owed now."""

    source_key: str
    lot_id: CreditLotId
    asked_micro: int
    taken_micro: int
    debt_micro: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedCredits:
    """Credits of one grant: the lot that was granted, and what became of all of them.

    `spent_micro` was spent, and neither came back nor expired; `asked_micro` was asked back before,
    `owed_micro` of that made a debt.
    """

    root: CreditLot
    spent_micro: int
    asked_micro: int
    owed_micro: int


@dataclass(frozen=True, kw_only=True)
class CreditsClawedBack(CreditsMoved):
    """Credits of a refunded purchase were taken back: an account's part of it."""

    name = "credits.clawed_back"
    lot_id: CreditLotId
    source_key: str


@dataclass(frozen=True, kw_only=True)
class CreditDebtWaived(CreditsMoved):
    """Somebody let an account off what it owes."""

    name = "credits.debt_waived"


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A claw-back, and what each account that it touched tells of it."""

    claw_back: ClawBack
    facts: tuple[CreditsClawedBack, ...]


def claw_back_sha256(tenant_id: UUID, grant_key: str, source_key: str, micro: int) -> bytes:
    """What is confirmed by whoever takes credits back."""
    return digest(
        {
            "deed": CLAWING_BACK,
            "tenant": str(tenant_id),
            "grantKey": grant_key,
            "sourceKey": source_key,
            "creditsMicro": micro,
        }
    )


def waiver_sha256(tenant_id: UUID, account: str, micro: int) -> bytes:
    """What is confirmed by whoever waives a debt."""
    return digest(
        {
            "deed": WAIVING,
            "tenant": str(tenant_id),
            "account": account,
            "creditsMicro": micro,
        }
    )


def claw_back(
    accounts: Sequence[CreditAccount],
    granted: GrantedCredits,
    micro: int,
    source_key: str,
    reason: str,
    moment: Moment,
) -> TakenBack:
    """Take credits of a grant back. `accounts` are all that may have some of them.

    Refuses: ClawBackExceedsGrant.
    """
    root = granted.root
    if granted.asked_micro + micro > root.granted_micro:
        left = root.granted_micro - granted.asked_micro
        raise ClawBackExceedsGrant(leftMicro=left)
    for account in accounts:
        account.end_holds(moment)
    takes, missing = _takes(accounts, root.id, micro, moment)
    held = sum(lot.held_micro for a in accounts for lot in a.lots if lot.root_id == root.id)
    owed = min(missing, max(granted.spent_micro + held - granted.owed_micro, 0))
    facts = []
    for account, shares in takes:
        debt = owed if account.id == root.account_id else 0
        if shares or debt:
            account.move(
                EntryKind.CLAW_BACK,
                shares,
                moment,
                debt_micro=debt,
                reference=source_key,
                reason=reason,
            )
        if account.untold:
            facts.append(
                account.told(
                    CreditsClawedBack, lot_id=root.id, source_key=source_key, reason=reason
                )
            )
    done = ClawBack(
        source_key=source_key,
        lot_id=root.id,
        asked_micro=micro,
        taken_micro=micro - missing,
        debt_micro=owed,
        reason=reason,
    )
    return TakenBack(done, tuple(facts))


def without(granted: GrantedCredits, taken: ClawBack, returned_micro: int) -> GrantedCredits:
    """The credits of a grant once a claw-back was given back: so many have come into their lot.

    What purchases had paid of its debt was spent of theirs, and comes into this lot: of this one
    so much less was spent.
    """
    return replace(
        granted,
        spent_micro=granted.spent_micro - (returned_micro - taken.taken_micro),
        asked_micro=granted.asked_micro - taken.asked_micro,
        owed_micro=granted.owed_micro - taken.debt_micro,
    )


def waive(account: CreditAccount, micro: int, reason: str, moment: Moment) -> CreditDebtWaived:
    """Let an account off a debt. Refuses: WaiverExceedsDebt."""
    if micro > account.debt_micro:
        raise WaiverExceedsDebt(debtMicro=account.debt_micro)
    account.end_holds(moment)
    account.move(EntryKind.DEBT_WAIVED, (), moment, debt_micro=-micro, reason=reason)
    waived: CreditDebtWaived = account.told(CreditDebtWaived, reason=reason)
    return waived


def _takes(
    accounts: Sequence[CreditAccount], root_id: CreditLotId, micro: int, moment: Moment
) -> tuple[list[tuple[CreditAccount, list[LotShare]]], int]:
    """What is taken of each account, and what could not be found anywhere."""
    takes = []
    for account in accounts:
        shares = []
        for lot in account.lots:
            part = min(micro, lot.free_micro(moment.now)) if lot.root_id == root_id else 0
            if part > 0:
                shares.append(LotShare(lot_id=lot.id, amount_micro=-part))
                micro -= part
        takes.append((account, shares))
    return takes, micro
