"""A cash drawer: a place at a property where cash is kept, open in one person's hands at a time.

A drawer holds no amount of its own. Cash is counted into a session, moves in it, and is counted out
of it; the drawer only says where, and whether a new session may begin: a frozen drawer opens none,
and lets the one that runs be closed (CASH-6).
"""

from dataclasses import field
from typing import ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import CashDrawerId, PropertyId
from common.domain.refusal import Conflict, Missing, Unmet


class DrawerUnknown(Missing):
    code = "CASH_DRAWER_UNKNOWN"
    title = "There is no such cash drawer"


class DrawerFrozen(Conflict):
    code = "CASH_DRAWER_FROZEN"
    title = "The drawer is frozen and opens no session"


class DrawerAlreadyOpen(Conflict):
    code = "CASH_DRAWER_OPEN"
    title = "The drawer has a session that is not closed"


class ReasonMissing(Unmet):
    code = "REASON_MISSING"
    title = "Freezing a drawer, and taking it into use again, needs a reason"


@dataclass(frozen=True, kw_only=True)
class DrawerFact(Fact):
    """Something that happened to a drawer; all of them stay in the house."""

    subject: "CashDrawer" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class DrawerCreated(DrawerFact):
    name = "cash_drawer.created"


@dataclass(frozen=True, kw_only=True)
class DrawerRenamed(DrawerFact):
    name = "cash_drawer.renamed"


@dataclass(frozen=True, kw_only=True)
class DrawerWasFrozen(DrawerFact):
    name = "cash_drawer.frozen"


@dataclass(frozen=True, kw_only=True)
class DrawerWasThawed(DrawerFact):
    name = "cash_drawer.thawed"


@dataclass(kw_only=True)
class CashDrawer(Aggregate):
    """See the module. `active` is false while it is frozen."""

    kind: ClassVar[str] = "cash_drawer"
    id: CashDrawerId
    property_id: PropertyId
    label: str
    active: bool = True

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "propertyId": str(self.property_id),
            "name": self.label,
            "active": self.active,
        }

    @classmethod
    def create(cls, *, id: CashDrawerId, property_id: PropertyId, label: str) -> DrawerCreated:
        """Put a drawer into use."""
        drawer = cls(id=id, property_id=property_id, label=label)
        return DrawerCreated(subject=drawer, sequence=drawer.next_sequence())

    def change(
        self, *, label: str | None, active: bool | None, reason: str | None
    ) -> tuple[DrawerFact, ...]:
        """Rename it, freeze it or take it into use again; what it is already is no change.

        Refuses: ReasonMissing.
        """
        facts: list[DrawerFact] = []
        if label is not None and label != self.label:
            self.label = label
            facts.append(DrawerRenamed(subject=self, sequence=self.next_sequence()))
        if active is not None and active != self.active:
            if reason is None:
                raise ReasonMissing()
            self.active = active
            told = DrawerWasThawed if active else DrawerWasFrozen
            facts.append(told(subject=self, sequence=self.next_sequence(), reason=reason))
        return tuple(facts)

    def must_be_active(self) -> None:
        """Refuses: DrawerFrozen."""
        if not self.active:
            raise DrawerFrozen(cashDrawerId=self.id)
