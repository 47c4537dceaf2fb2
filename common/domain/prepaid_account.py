"""An account of prepaid credits: what it has, what is held of it, and everything that moved it.

Balance, lots and ledger change together under the account's lock (CRD-1). The balance is what is
left on all lots, until the moment that somebody writes their expiry down; what can be spent is what
the clock leaves of that, less what is held. Spending never takes more, so no balance is ever below
nothing. What was spent and then taken back by a refund is no negative balance but a debt, which the
next purchase pays.

Where somebody wants to be told, it is `low` while less can be spent than that, and is told so when
it becomes so: once, until it has had more in between.

Every movement is an entry: numbered on its account without a gap, naming the lots that it took
from, with what it did to the balance, to what is held and to the debt.
"""

from collections.abc import Iterable
from dataclasses import field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import (
    CreditAccountId,
    CreditEntryId,
    CreditHoldId,
    CreditLotId,
)
from common.domain.moment import Moment
from common.domain.prepaid_hold import CreditHold, HoldStatus
from common.domain.prepaid_lot import CreditLot, CreditSource, LotShare
from common.domain.prepaid_terms import CREDITS_MICRO_MAX
from common.domain.refusal import Conflict, Missing, Unfunded, Unmet

MAIN: Final = "main"
"""The account that every tenant has."""


class CreditAccountUnknown(Missing):
    code = "CREDIT_ACCOUNT_UNKNOWN"
    title = "There is no such account of credits"


class InsufficientCredits(Unfunded):
    code = "INSUFFICIENT_CREDITS"
    title = "There are not enough credits"


class CreditBalanceLimit(Unmet):
    code = "CREDIT_BALANCE_LIMIT"
    title = "The account would hold more credits than it may"


class CreditsOutOfRange(Conflict):
    code = "CREDITS_OUT_OF_RANGE"
    title = "The account would hold more credits than can be kept exactly"


class EntryKind(StrEnum):
    """What a movement was."""

    GRANT = "grant"
    SPEND = "spend"
    USAGE = "usage"
    EXPIRE = "expire"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    TRANSFER_OUT = "transfer_out"
    TRANSFER_IN = "transfer_in"
    CLAW_BACK = "claw_back"
    GIVE_BACK = "give_back"
    DEBT_PAID = "debt_paid"
    DEBT_WAIVED = "debt_waived"
    REDEEM = "redeem"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditEntry:
    """One movement, in micro credits: of the balance, of what is held, and of the debt.

    `metered_micro` is what was used, which is more than what was deducted where a part was free.
    `balance_micro` is what it left. `service` says who spent it, `reference` for what of theirs.
    """

    id: CreditEntryId
    account_id: CreditAccountId
    sequence: int
    kind: EntryKind
    amount_micro: int
    held_micro: int
    balance_micro: int
    occurred_at: datetime
    debt_micro: int = 0
    metered_micro: int = 0
    shares: tuple[LotShare, ...] = ()
    service: str | None = None
    reference: str | None = None
    reason: str | None = None
    hold_id: CreditHoldId | None = None
    counterpart: CreditAccountId | None = None


@dataclass(frozen=True, kw_only=True)
class CreditsMoved(Fact):
    """Credits of an account moved; `entries` are all that it came to, in their order."""

    subject: "CreditAccount" = field(repr=False, compare=False)
    entries: tuple[CreditEntry, ...]

    @property
    def entry(self) -> CreditEntry:
        """The movement that was asked for, behind what had to be written down before it."""
        return self.entries[-1]


@dataclass(frozen=True, kw_only=True)
class CreditsLow(CreditsMoved):
    """Less can be spent than somebody wanted to be told of; nothing moved by that."""

    name = "credits.low"
    available_micro: int


@dataclass(frozen=True, kw_only=True)
class CreditsWatched(CreditsMoved):
    """Somebody wants to be told when less can be spent than that."""

    name = "credits.watched"


@dataclass(kw_only=True)
class CreditAccount(Aggregate):
    """See the module. `lots` are those with something left, `holds` those that are open.

    `fresh` entries, `changed` holds and `opened` lots are what is to be written. Of the free
    allowance so much has been used in `free_month`. `has_become_low` is what is still to be told.
    """

    kind: ClassVar[str] = "credit_account"
    id: CreditAccountId
    name: str
    opened_at: datetime
    balance_micro: int = 0
    held_micro: int = 0
    debt_micro: int = 0
    last_entry: int = 0
    free_month: date | None = None
    free_used_micro: int = 0
    low_below_micro: int | None = None
    is_low: bool = False
    has_become_low: bool = False
    lots: tuple[CreditLot, ...] = ()
    holds: tuple[CreditHold, ...] = ()
    fresh: tuple[CreditEntry, ...] = ()
    opened: tuple[CreditLotId, ...] = ()
    changed: tuple[CreditHold, ...] = ()
    told_up_to: int = 0

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "name": self.name,
            "balanceMicro": self.balance_micro,
            "heldMicro": self.held_micro,
            "debtMicro": self.debt_micro,
            "lastEntry": self.last_entry,
        }

    def lot(self, lot_id: CreditLotId) -> CreditLot:
        """One of its lots."""
        return next(lot for lot in self.lots if lot.id == lot_id)

    def available_micro(self, now: datetime) -> int:
        """What can be spent: of lots that have not expired, less what holds still hold."""
        return sum(lot.free_micro(now) for lot in self.as_of(now).lots)

    def must_have(self, micro: int, now: datetime) -> None:
        """Refuses: InsufficientCredits, with what is there."""
        available = self.available_micro(now)
        if micro > available:
            raise InsufficientCredits(
                account=self.name,
                availableMicro=available,
                heldMicro=self.as_of(now).held_micro,
                askedMicro=micro,
            )

    def must_have_room(self, micro: int, maximum_micro: int) -> None:
        """Refuses: CreditBalanceLimit."""
        if self.balance_micro + micro > maximum_micro:
            raise CreditBalanceLimit(
                account=self.name, balanceMicro=self.balance_micro, maximumMicro=maximum_micro
            )

    def opens(self, lot: CreditLot) -> None:
        """Begin a lot; an entry brings its credits. Where it is one of its lots, nothing."""
        if all(known.id != lot.id for known in self.lots):
            self.lots = (*self.lots, lot)
            self.opened = (*self.opened, lot.id)

    def move(
        self, kind: EntryKind, shares: Iterable[LotShare], moment: Moment, **more: Any
    ) -> CreditEntry:
        """Move credits of lots, and number the entry. Refuses: CreditsOutOfRange."""
        shares = tuple(shares)
        by_lot = {share.lot_id: share for share in shares}
        self.lots = tuple(
            lot.after(by_lot[lot.id]) if lot.id in by_lot else lot for lot in self.lots
        )
        amount = sum(share.amount_micro for share in shares)
        held = sum(share.held_micro for share in shares)
        self.balance_micro += amount
        self.held_micro += held
        self.debt_micro += more.get("debt_micro", 0)
        if self.balance_micro > CREDITS_MICRO_MAX:
            raise CreditsOutOfRange(account=self.name)
        self.last_entry += 1
        entry = CreditEntry(
            id=moment.new_id(CreditEntryId),
            account_id=self.id,
            sequence=self.last_entry,
            kind=kind,
            amount_micro=amount,
            held_micro=held,
            balance_micro=self.balance_micro,
            occurred_at=moment.now,
            shares=shares,
            **more,
        )
        self.fresh = (*self.fresh, entry)
        return entry

    def pay_debt(self, came: Iterable[tuple[CreditLot, int]], moment: Moment) -> None:
        """Let what has come of purchases pay what is owed; gifts and renewals pay nothing."""
        owed, paid = self.debt_micro, []
        for lot, part in came:
            if owed and lot.source is CreditSource.PURCHASE:
                paid.append(LotShare(lot_id=lot.id, amount_micro=-min(owed, part)))
                owed -= min(owed, part)
        if paid:
            settled = owed - self.debt_micro
            self.move(EntryKind.DEBT_PAID, paid, moment, debt_micro=settled)

    def change(self, hold: CreditHold) -> None:
        """Keep a hold as it has become."""
        others = tuple(each for each in self.holds if each.id != hold.id)
        self.holds = (*others, hold) if hold.status is HoldStatus.OPEN else others
        self.changed = (*self.changed, hold)

    def end_holds(self, moment: Moment) -> None:
        """Write down the holds that have ended by themselves."""
        over = sorted((h for h in self.holds if h.is_over(moment.now)), key=lambda hold: hold.id)
        for hold in over:
            self.release(hold, HoldStatus.EXPIRED, moment)

    def release(self, hold: CreditHold, status: HoldStatus, moment: Moment) -> None:
        """End a hold, and free what it holds."""
        self.move(
            EntryKind.RELEASE,
            hold.let_go,
            moment,
            hold_id=hold.id,
            service=hold.service,
            reference=hold.reference,
        )
        self.change(hold.ended(status, moment.now))

    def watch(self, below_micro: int | None, now: datetime) -> None:
        """Be low from now on while less than that can be spent; None is never low."""
        self.low_below_micro = below_micro
        was_low, self.is_low = self.is_low, False
        if below_micro is not None:
            self.is_low = self.available_micro(now) < below_micro
        self.has_become_low = self.is_low and (not was_low or self.has_become_low)

    def watched(self, below_micro: int | None, moment: Moment) -> CreditsWatched:
        """Tell from now on when less than that can be spent."""
        self.end_holds(moment)
        self.watch(below_micro, moment.now)
        watched: CreditsWatched = self.told(CreditsWatched)
        return watched

    def low(self, moment: Moment) -> CreditsLow | None:
        """What is to be told once the account has become low; None where it has not."""
        if not self.has_become_low:
            return None
        self.has_become_low = False
        return CreditsLow(
            subject=self,
            sequence=self.next_sequence(),
            entries=(),
            available_micro=self.available_micro(moment.now),
        )

    def told(self, fact: type[CreditsMoved], **more: Any) -> Any:
        """The fact of all that was moved since the account was taken, or told of before."""
        untold = self.untold
        self.told_up_to = self.last_entry
        if untold:
            self.watch(self.low_below_micro, untold[-1].occurred_at)
        return fact(subject=self, sequence=self.next_sequence(), entries=untold, **more)

    @property
    def untold(self) -> tuple[CreditEntry, ...]:
        """What was moved, and is told of by no fact yet."""
        return tuple(each for each in self.fresh if each.sequence > self.told_up_to)

    def as_of(self, now: datetime) -> "CreditAccount":
        """The account as it is once the holds that have ended are written down."""
        freed: dict[str, int] = {}
        for hold in self.holds:
            for share in hold.shares if hold.is_over(now) else ():
                freed[share.lot_id] = freed.get(share.lot_id, 0) + share.held_micro
        lots = tuple(
            replace(lot, held_micro=lot.held_micro - freed.get(lot.id, 0)) for lot in self.lots
        )
        return replace(self, lots=lots, held_micro=self.held_micro - sum(freed.values()))
