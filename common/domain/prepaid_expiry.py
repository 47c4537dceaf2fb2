"""Credits expire: by the clock at once, and in the ledger when the day's job comes by (CRD-4).

What a hold holds of a lot that expires stays until the hold ends, as it is promised. A warning is
told seven days and one day before, once each; of credits that are granted for less, the first one
is left out.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.moment import Moment
from common.domain.prepaid_account import CreditAccount, CreditsMoved, EntryKind
from common.domain.prepaid_lot import CreditLot, LotShare, in_turn
from common.domain.prepaid_spend import CreditsReleased

WARNED_DAYS_BEFORE: Final = (7, 1)


@dataclass(frozen=True, kw_only=True)
class CreditsExpired(CreditsMoved):
    """Credits that nobody spent in time are gone."""

    name = "credits.expired"


@dataclass(frozen=True, kw_only=True)
class CreditsExpiring(CreditsMoved):
    """Credits expire within so many days; nothing moved by that."""

    name = "credits.expiring"
    lot: CreditLot
    days_before: int


def expire(account: CreditAccount, moment: Moment) -> CreditsExpired | CreditsReleased | None:
    """Write down what has expired, and the holds that have ended; None where nothing has."""
    account.end_holds(moment)
    gone = [
        LotShare(lot_id=lot.id, amount_micro=lot.held_micro - lot.left_micro)
        for lot in in_turn(account.lots)
        if lot.is_expired(moment.now) and lot.left_micro > lot.held_micro
    ]
    if gone:
        account.move(EntryKind.EXPIRE, gone, moment)
        expired: CreditsExpired = account.told(CreditsExpired)
        return expired
    released: CreditsReleased | None = account.told(CreditsReleased) if account.fresh else None
    return released


def warn(
    account: CreditAccount, told: Collection[tuple[str, int]], moment: Moment
) -> list[CreditsExpiring]:
    """What is to be told about lots that expire soon; `told` are lots and days that were told."""
    warnings = []
    for lot in in_turn(account.lots):
        days = _days_before(lot.expires_at, moment.now)
        if days and lot.left_micro and (lot.id, days) not in told:
            warnings.append(_warning(account, lot, days))
    return warnings


def _warning(account: CreditAccount, lot: CreditLot, days: int) -> CreditsExpiring:
    return CreditsExpiring(
        subject=account,
        sequence=account.next_sequence(),
        entries=(),
        lot=lot,
        days_before=days,
    )


def _days_before(expires_at: datetime | None, now: datetime) -> int | None:
    """Which of the warnings it is time for."""
    if expires_at is None or expires_at <= now:
        return None
    return min(
        (d for d in WARNED_DAYS_BEFORE if expires_at - now <= timedelta(days=d)), default=None
    )
