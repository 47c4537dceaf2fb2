"""A hold: credits that are set aside before an operation whose cost nobody knows yet.

What is held cannot be spent, moved or held again. The operation then captures what it came to, at
most what is held, and the rest is free again; or it releases all of it. A hold ends by itself: from
that moment on it holds nothing, and the next movement on the account writes so down.

A hold is a promise. Until it ends it can be captured, also of a lot that has expired meanwhile.
Where nothing is deducted, nothing is set aside, and the capture is metered only (CRD-8).
"""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from common.domain.dataclass import dataclass
from common.domain.identifiers import CreditAccountId, CreditHoldId
from common.domain.prepaid_lot import LotShare
from common.domain.refusal import Conflict, Missing, Unmet


class HoldUnknown(Missing):
    code = "CREDIT_HOLD_UNKNOWN"
    title = "There is no such hold on credits"


class HoldEnded(Conflict):
    code = "CREDIT_HOLD_ENDED"
    title = "The hold has been captured, released, or has ended by itself"


class CaptureExceedsHold(Unmet):
    code = "CAPTURE_EXCEEDS_HOLD"
    title = "The capture is more than what is held"


class HoldStatus(StrEnum):
    """Where a hold stands. It leaves `open` once, and never comes back."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditHold:
    """One hold. `shares` are the lots that it holds of; none of them where it `is_free`."""

    id: CreditHoldId
    account_id: CreditAccountId
    amount_micro: int
    is_free: bool
    service: str
    reference: str | None
    placed_at: datetime
    expires_at: datetime
    shares: tuple[LotShare, ...] = ()
    status: HoldStatus = HoldStatus.OPEN
    captured_micro: int = 0
    ended_at: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended by itself, and nobody has written so down yet."""
        return self.status is HoldStatus.OPEN and self.expires_at <= now

    def must_be_open(self, now: datetime) -> None:
        """Refuses: HoldEnded."""
        if self.status is not HoldStatus.OPEN or self.is_over(now):
            ended = HoldStatus.EXPIRED if self.is_over(now) else self.status
            raise HoldEnded(holdStatus=ended.value)

    def ended(self, status: HoldStatus, now: datetime, captured_micro: int = 0) -> "CreditHold":
        """The hold, having ended."""
        return replace(self, status=status, ended_at=now, captured_micro=captured_micro)

    @property
    def let_go(self) -> tuple[LotShare, ...]:
        """What its end does to the lots that it holds of."""
        return tuple(replace(share, held_micro=-share.held_micro) for share in self.shares)

    def captured(self, micro: int) -> tuple[LotShare, ...]:
        """What capturing so much does to the lots that it holds of: taken in their turn."""
        shares = []
        for share in self.shares:
            part = 0 if self.is_free else min(micro, share.held_micro)
            micro -= part
            shares.append(replace(share, amount_micro=-part, held_micro=-share.held_micro))
        return tuple(shares)
