"""What night audits read and keep: stays with their plans, and the ends of business days."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from common.domain.folio import Folio
    from common.domain.identifiers import FolioId, PropertyId
    from common.domain.night_audit import DayReport, NightAudit
    from common.domain.stay_plan import StayPlan
    from common.ports.paging import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class NightAuditFilter:
    """Which ended days a list is asked for."""

    property_id: PropertyId | None = None
    business_date: date | None = None


class Stays(Protocol):
    """Stays and their plans; whoever changes one has taken its folio."""

    def foresee(self, folio_id: FolioId) -> None:
        """Read the stay of a folio along with what is read next, behind its lock."""

    def find(self, folio_id: FolioId) -> StayPlan | None:
        """The stay of a folio, if it has one."""

    def get(self, folio_id: FolioId) -> StayPlan:
        """The stay of a folio. Refuses: StayUnknown."""

    def take_folio(self, folio_id: FolioId) -> tuple[Folio, StayPlan | None]:
        """Lock a folio and read its stay, if it has one. Refuses: FolioUnknown."""

    def due(self, property_id: PropertyId, on: date, limit: int) -> Sequence[FolioId]:
        """The folios that the audit of a business date has still something to do with."""

    def plan(self, plan: StayPlan) -> None:
        """Write a stay down with what its nights are planned at."""

    def plan_anew(self, plan: StayPlan) -> None:
        """Write a stay's other plan; what has been charged stays."""

    def follow(self, plan: StayPlan) -> None:
        """Let the stay's folio be of its dates: its charges are taxed by them."""

    def keep(self, plan: StayPlan) -> None:
        """Write what became of a stay, and which of its nights were charged."""

    def take_reservation(self, property_id: PropertyId, reservation_id: str) -> bool:
        """Wait until nobody else plans or cancels a reservation; whether it was canceled."""

    def cancel_reservation(self, property_id: PropertyId, reservation_id: str) -> None:
        """Write down, once, that a reservation was canceled, whether there is a folio of it."""


class NightAudits(Protocol):
    """The ends of the properties' business days."""

    def last(self, property_id: PropertyId) -> date | None:
        """The last business date that was audited."""

    def keep_open(self, property_id: PropertyId, on: date) -> bool:
        """Keep a day from being ended until this transaction has; False where it has ended."""

    def take_to_end(self, property_id: PropertyId, on: date) -> bool:
        """Wait until nobody charges for a day any more; False where it has ended."""

    def report(self, property_id: PropertyId, on: date) -> DayReport:
        """What a business day has come to so far."""

    def page(self, which: NightAuditFilter, limit: int, cursor: str | None) -> Page[NightAudit]:
        """A page of the ended days of the actor's properties. Refuses: CursorInvalid."""

    def keep(self, audit: NightAudit) -> None:
        """Write the end of a day down, once."""
