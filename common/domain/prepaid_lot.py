"""Lots of prepaid credits: what was granted together, and is left of it in one account (CRD-2).

Credits are spent out of the lot that expires first; of those that expire at the same moment, out of
what cost nothing before what was paid for; then in the order of their granting. Expiry is a matter
of the clock: from its moment on a lot counts for nothing, whether or not anybody has swept it up.

What moves to another account goes on as the credits of the same grant: it bears the same expiry,
and can be taken back as exactly those credits (CRD-5).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.identifiers import CreditAccountId, CreditLotId

NEVER: Final = datetime.max.replace(tzinfo=UTC)


class CreditSource(StrEnum):
    """What credits were granted for."""

    PURCHASE = "purchase"
    RENEWAL = "renewal"
    PROMOTION = "promotion"
    REFUND = "refund"

    @property
    def priority(self) -> int:
        """Whose turn it is among credits that expire together: the smallest first."""
        return _PRIORITIES[self]


_PRIORITIES: Final = {
    CreditSource.PROMOTION: 0,
    CreditSource.REFUND: 10,
    CreditSource.RENEWAL: 20,
    CreditSource.PURCHASE: 30,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LotShare:
    """What a movement does to one lot, in micro credits: to what is left, and to what is held."""

    lot_id: CreditLotId
    amount_micro: int = 0
    held_micro: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLot:
    """Credits of one grant in one account. `root_id` is the lot that was granted.

    `held_micro` of what is left is set aside by holds. Only a root has a `source_key`: what the
    credits were granted for, which is granted once.
    """

    id: CreditLotId
    account_id: CreditAccountId
    root_id: CreditLotId
    source: CreditSource
    granted_at: datetime
    expires_at: datetime | None
    source_key: str | None = None
    granted_micro: int = 0
    left_micro: int = 0
    held_micro: int = 0

    def is_expired(self, now: datetime) -> bool:
        """Whether its credits count no more."""
        return self.expires_at is not None and self.expires_at <= now

    def free_micro(self, now: datetime) -> int:
        """What can be spent, held or moved of it."""
        return 0 if self.is_expired(now) else self.left_micro - self.held_micro

    def after(self, share: LotShare) -> "CreditLot":
        """The lot after a movement."""
        return replace(
            self,
            left_micro=self.left_micro + share.amount_micro,
            held_micro=self.held_micro + share.held_micro,
        )


def in_turn(lots: Iterable[CreditLot]) -> list[CreditLot]:
    """Lots in the order in which they are spent."""
    return sorted(lots, key=lambda lot: (lot.expires_at or NEVER, lot.source.priority, lot.id))


def spread(lots: Iterable[CreditLot], micro: int, now: datetime) -> list[tuple[CreditLot, int]]:
    """How many micro credits of which lots an amount takes; they have as much, or ValueError."""
    taken = []
    for lot in in_turn(lots):
        part = min(micro, lot.free_micro(now))
        if part > 0:
            taken.append((lot, part))
            micro -= part
    if micro > 0:
        raise ValueError(f"{micro} micro credits more than the lots have")
    return taken
