"""A cash session: a drawer in somebody's hands, from the counted float to the closing.

It is open, pending (counted once, and waiting for a second person), closed, and acknowledged where
a third person had to explain a difference. What should be in the drawer is never kept: it is the
sum of the session's account in the ledger, read when the drawer is counted; from then on no cash
moves until the session is closed or returned to open (CASH-2).

How a session is closed stands in `cash_close`; here is what it is, and how cash moves in it.
"""

from collections.abc import Iterable
from dataclasses import field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.cash_count import Count
from common.domain.cash_drawer import CashDrawer
from common.domain.cash_movement import CashMovement, MovementKind
from common.domain.dataclass import dataclass
from common.domain.identifiers import (
    CashDrawerId,
    CashMovementId,
    CashSessionId,
    PropertyId,
)
from common.domain.ledger import Entry
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.refusal import Conflict, Missing
from common.domain.settings import Settings

STUCK_AFTER: Final = timedelta(hours=6)


class SessionUnknown(Missing):
    code = "CASH_SESSION_UNKNOWN"
    title = "There is no such cash session"


class SessionNotOpen(Conflict):
    code = "CASH_SESSION_NOT_OPEN"
    title = "The cash session is not open: no cash moves in it, and it is not counted again"


class SessionStatus(StrEnum):
    """Where a session stands. Cash moves in an open one only."""

    OPEN = "open"
    PENDING = "pending_close"
    CLOSED = "closed"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """Who did it and when, and the fresh confirmation that proves it (SEC-4)."""

    by: str
    at: datetime
    token_id: str
    assertion_hash: str
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A count, confirmed by who made it, and what should have been in the drawer at that moment.

    `sha256` is what was confirmed, and what the second person has to confirm as well.
    """

    confirmed: Confirmed
    count: Count
    sha256: bytes
    expected: tuple[Money, ...]

    @property
    def results(self) -> tuple["Result", ...]:
        """Each currency that was counted or should have been there, by code."""
        counted = {each.currency for each in self.count.amounts}
        due = {each.currency: each for each in self.expected}
        return tuple(
            Result(due.get(currency, Money.zero(currency)), self.count.of(currency))
            for currency in sorted(counted | due.keys())
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What should have been there of a currency, and what was."""

    expected: Money
    counted: Money

    @property
    def variance(self) -> Money:
        """Over when it is more than nothing, short when it is less."""
        return self.counted - self.expected


@dataclass(frozen=True, kw_only=True)
class SessionFact(Fact):
    """Something that happened to a session."""

    subject: "CashSession" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class CashMoved(SessionFact):
    """Cash that moved, with its entries."""

    name = "cash_drawer.cash_moved"
    movements: tuple[CashMovement, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(movement.entry for movement in self.movements)


@dataclass(frozen=True, kw_only=True)
class SessionOpened(CashMoved):
    name = "cash_drawer.opened"


@dataclass(kw_only=True)
class CashSession(Aggregate):
    """See the module.

    `counts` says how often it was counted, `counted` holds the count that waits or that it was
    closed by, `pending_since` when the first of the counts that wait was made. `discrepancy` is
    what waits for somebody to acknowledge it; `stuck_at` when the house was told that it waits too
    long.
    """

    kind: ClassVar[str] = "cash_session"
    id: CashSessionId
    drawer_id: CashDrawerId
    property_id: PropertyId
    business_date: date
    opened_by: str
    opened_at: datetime
    status: SessionStatus = SessionStatus.OPEN
    counts: int = 0
    counted: Counted | None = None
    pending_since: datetime | None = None
    stuck_at: datetime | None = None
    co_signed: Confirmed | None = None
    discrepancy: bool = False
    acknowledged: Confirmed | None = None
    explanation: str | None = None

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "drawerId": self.drawer_id,
            "propertyId": str(self.property_id),
            "status": self.status,
            "counts": self.counts,
            "countSha256": self.counted.sha256.hex() if self.counted else None,
            "closedBy": self.counted.confirmed.by if self.counted else None,
            "coSigner": self.co_signed.by if self.co_signed else None,
            "variances": self._variances(),
            "discrepancy": self.discrepancy,
            "acknowledgedBy": self.acknowledged.by if self.acknowledged else None,
        }

    def _variances(self) -> list[dict[str, object]]:
        """What is over or short; while the count waits nobody works that out, not even by hash."""
        results = self.results if self.co_signed else ()
        variances = [each.variance for each in results]
        return [{"currency": str(v.currency), "micro": v.amount_micro} for v in variances]

    @classmethod
    def open(
        cls, drawer: CashDrawer, opening: Count, by: str, moment: Moment, id: CashSessionId
    ) -> SessionOpened:
        """Open a drawer with a counted float, which comes out of the safe.

        Refuses: DrawerFrozen, PropertyUnknown.
        """
        drawer.must_be_active()
        house = moment.settings.property(drawer.property_id)
        session = cls(
            id=id,
            drawer_id=drawer.id,
            property_id=drawer.property_id,
            business_date=house.business_date(moment.now),
            opened_by=by,
            opened_at=moment.now,
        )
        movements = session.movements(MovementKind.FLOAT, opening.amounts, moment)
        return SessionOpened(subject=session, sequence=session.next_sequence(), movements=movements)

    def move(
        self, id: CashMovementId, kind: MovementKind, amount: Money, reason: str, moment: Moment
    ) -> CashMoved:
        """Put cash in, take it out or drop it into the safe.

        Refuses: SessionNotOpen, AmountNotPositive.
        """
        self.must_be_open()
        movement = CashMovement(
            id=id,
            session_id=self.id,
            kind=kind,
            amount=amount,
            business_date=self.today(moment),
            reason=reason,
        )
        return CashMoved(
            subject=self, sequence=self.next_sequence(), reason=reason, movements=(movement,)
        )

    def must_be_open(self) -> None:
        """Refuses: SessionNotOpen."""
        if self.status is not SessionStatus.OPEN:
            raise SessionNotOpen(cashSessionId=self.id)

    @property
    def results(self) -> tuple[Result, ...]:
        """What was counted against what should have been there; nothing before it was counted."""
        return self.counted.results if self.counted else ()

    def hides(self, settings: Settings) -> bool:
        """Whether nobody may see yet what should be in the drawer, or what it came from."""
        settled = (SessionStatus.CLOSED, SessionStatus.ACKNOWLEDGED)
        return settings.blind_count and self.status not in settled

    def is_stuck(self, now: datetime) -> bool:
        """Whether it has waited for its second person longer than a shift lasts (CASH-8)."""
        return self.pending_since is not None and now - self.pending_since >= STUCK_AFTER

    def today(self, moment: Moment) -> date:
        """The property's business date."""
        return moment.settings.property(self.property_id).business_date(moment.now)

    def movements(
        self, kind: MovementKind, amounts: Iterable[Money], moment: Moment
    ) -> tuple[CashMovement, ...]:
        """A movement of a kind for each amount that is more than nothing."""
        return tuple(
            CashMovement(
                id=moment.new_id(CashMovementId),
                session_id=self.id,
                kind=kind,
                amount=amount,
                business_date=self.today(moment),
            )
            for amount in amounts
            if not amount.is_zero
        )
