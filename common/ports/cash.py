"""What a use case may do with cash drawers and their sessions."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from common.domain.cash import CashSession
    from common.domain.cash_drawer import CashDrawer
    from common.domain.cash_movement import CashMovement
    from common.domain.cash_report import Flow
    from common.domain.identifiers import CashDrawerId, CashSessionId, PropertyId
    from common.domain.money import Money
    from common.ports.paging import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class CashDrawerFilter:
    """Which drawers a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    active: bool | None = None


class CashDrawers(Protocol):
    """Cash drawers. Another tenant's or property's drawer is unknown here."""

    def take(self, drawer_id: CashDrawerId) -> CashDrawer:
        """Lock a drawer. Refuses: DrawerUnknown."""

    def page(self, which: CashDrawerFilter, limit: int, cursor: str | None) -> Page[CashDrawer]:
        """Drawers in the order of their making."""

    def keep(self, drawer: CashDrawer) -> None:
        """Write the drawer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashSessionFilter:
    """Which sessions a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    drawer_id: CashDrawerId | None = None
    status: str | None = None
    business_date: date | None = None


class CashSessions(Protocol):
    """Cash sessions and what moved in them. Another tenant's or property's is unknown here.

    Sums are what should be in the drawer by the ledger, an amount for each currency that ever
    moved in it.
    """

    def take(self, session_id: CashSessionId) -> CashSession:
        """Lock a session: no cash moves in it meanwhile. Refuses: SessionUnknown."""

    def take_with_sums(self, session_id: CashSessionId) -> tuple[CashSession, tuple[Money, ...]]:
        """Lock a session and read its sums. Refuses: SessionUnknown."""

    def take_to_pay(self, property_id: PropertyId, session_id: CashSessionId | None) -> CashSession:
        """Keep the named open session of a property open, or the actor's only one, for a payment.

        Refuses: NoOpenCashSession.
        """

    def get_whole(
        self, session_id: CashSessionId
    ) -> tuple[CashSession, tuple[Money, ...], Sequence[CashMovement]]:
        """Read a session with its sums and movements. Refuses: SessionUnknown."""

    def page(self, which: CashSessionFilter, limit: int, cursor: str | None) -> Page[CashSession]:
        """Sessions in the order of their opening."""

    def sums(self, session_ids: Sequence[CashSessionId]) -> dict[CashSessionId, tuple[Money, ...]]:
        """The sums of several sessions."""

    def of_day(
        self, property_id: PropertyId, business_date: date
    ) -> tuple[Sequence[CashSession], Sequence[Flow]]:
        """The sessions of a property's business date, and what moved in those that are closed."""

    def pending_since(self, moment: datetime, limit: int) -> Sequence[CashSessionId]:
        """Sessions that have waited since then, and of which nobody was told; oldest first."""

    def keep(self, session: CashSession) -> None:
        """Write the session."""

    def keep_movements(self, movements: Sequence[CashMovement]) -> None:
        """Write movements, once."""
