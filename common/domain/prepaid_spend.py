"""Spending credits: at once, or by way of a hold where the cost is not known yet (CRD-1, CRD-8).

Where a plan is unlimited nothing is deducted, and the free allowance of a month is used up before
anything is. Both are metered: what was used is written down with a deduction of nothing, or of the
rest. The allowance is the tenant's, and so only its main account has it; its month is that of UTC.
"""

from datetime import date, datetime, timedelta

from common.domain.dataclass import dataclass
from common.domain.identifiers import CreditHoldId
from common.domain.moment import Moment
from common.domain.prepaid_account import MAIN, CreditAccount, CreditsMoved, EntryKind
from common.domain.prepaid_hold import CaptureExceedsHold, CreditHold, HoldStatus
from common.domain.prepaid_lot import LotShare, spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What credits are spent for: how many, by which service, for what of its own."""

    credits_micro: int
    service: str
    reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class CreditsDeducted(CreditsMoved):
    """Credits were spent, or metered without a deduction."""

    name = "credits.deducted"


@dataclass(frozen=True, kw_only=True)
class CreditsHeld(CreditsMoved):
    """Credits were set aside."""

    name = "credits.held"
    hold: CreditHold


@dataclass(frozen=True, kw_only=True)
class CreditsCaptured(CreditsMoved):
    """A hold was spent, wholly or in part; the rest of it is free again."""

    name = "credits.captured"
    hold: CreditHold


@dataclass(frozen=True, kw_only=True)
class CreditsReleased(CreditsMoved):
    """Holds were given up, or have ended by themselves."""

    name = "credits.released"


def deduct(account: CreditAccount, use: Use, moment: Moment) -> CreditsDeducted:
    """Spend credits, once what is free is used up. Refuses: InsufficientCredits."""
    account.end_holds(moment)
    free = _use_allowance(account, use.credits_micro, moment)
    paid = use.credits_micro - free
    account.must_have(paid, moment.now)
    account.move(
        EntryKind.SPEND if paid else EntryKind.USAGE,
        [
            LotShare(lot_id=lot.id, amount_micro=-part)
            for lot, part in spread(account.lots, paid, moment.now)
        ],
        moment,
        metered_micro=use.credits_micro,
        service=use.service,
        reference=use.reference,
    )
    deducted: CreditsDeducted = account.told(CreditsDeducted)
    return deducted


def hold(
    account: CreditAccount, id: CreditHoldId, use: Use, lasts: timedelta, moment: Moment
) -> CreditsHeld:
    """Set credits aside for so long. Refuses: InsufficientCredits."""
    account.end_holds(moment)
    is_free = moment.settings.credits.unlimited
    wanted = 0 if is_free else use.credits_micro
    account.must_have(wanted, moment.now)
    shares = tuple(
        LotShare(lot_id=lot.id, held_micro=part)
        for lot, part in spread(account.lots, wanted, moment.now)
    )
    placed = CreditHold(
        id=id,
        account_id=account.id,
        amount_micro=use.credits_micro,
        is_free=is_free,
        service=use.service,
        reference=use.reference,
        placed_at=moment.now,
        expires_at=moment.now + lasts,
        shares=shares,
    )
    account.change(placed)
    account.move(
        EntryKind.HOLD,
        shares,
        moment,
        hold_id=id,
        service=use.service,
        reference=use.reference,
    )
    held: CreditsHeld = account.told(CreditsHeld, hold=placed)
    return held


def capture(
    account: CreditAccount, held: CreditHold, credits_micro: int, moment: Moment
) -> CreditsCaptured:
    """Spend what an operation came to, and free the rest. Refuses: HoldEnded, CaptureExceedsHold.

    What expired meanwhile is spent all the same: it was promised.
    """
    held.must_be_open(moment.now)
    if credits_micro > held.amount_micro:
        raise CaptureExceedsHold(heldMicro=held.amount_micro)
    account.end_holds(moment)
    account.move(
        EntryKind.CAPTURE,
        held.captured(credits_micro),
        moment,
        metered_micro=credits_micro,
        hold_id=held.id,
        service=held.service,
        reference=held.reference,
    )
    ended = held.ended(HoldStatus.CAPTURED, moment.now, credits_micro)
    account.change(ended)
    captured: CreditsCaptured = account.told(CreditsCaptured, hold=ended)
    return captured


def release(account: CreditAccount, held: CreditHold, moment: Moment) -> CreditsReleased:
    """Give a hold up. Refuses: HoldEnded."""
    held.must_be_open(moment.now)
    account.end_holds(moment)
    account.release(held, HoldStatus.RELEASED, moment)
    released: CreditsReleased = account.told(CreditsReleased)
    return released


def allowance_left(account: CreditAccount, moment: Moment) -> int | None:
    """What can still be used for nothing this month; None where that is everything."""
    terms = moment.settings.credits
    if terms.unlimited:
        return None
    if account.name != MAIN:
        return 0
    used = account.free_used_micro if account.free_month == _month(moment.now) else 0
    return max(terms.free_monthly_micro - used, 0)


def _use_allowance(account: CreditAccount, micro: int, moment: Moment) -> int:
    """Use what is free, and answer how much of an amount that is."""
    left = allowance_left(account, moment)
    if left is None:
        return micro
    free = min(left, micro)
    if free:
        this = _month(moment.now)
        used = account.free_used_micro if account.free_month == this else 0
        account.free_month, account.free_used_micro = this, used + free
    return free


def _month(now: datetime) -> date:
    """The first day of the calendar month, UTC."""
    return now.date().replace(day=1)
