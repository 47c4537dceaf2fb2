"""The service acting by itself: for an event that came in, or because a schedule said so."""

from typing import Self
from uuid import UUID

from common.domain.dataclass import dataclass
from common.ports.identity import Actor


@dataclass(frozen=True, slots=True)
class SystemActor(Actor):
    """Nobody in person. Works at every property of its tenant, and holds no scope of a person."""

    @classmethod
    def named(cls, name: str, tenant_id: UUID) -> Self:
        """The actor of a consumer or a job: `system:<name>`."""
        return cls(f"system:{name}", tenant_id, frozenset(), frozenset(), "service")

    def holds(self, property_id: UUID) -> bool:
        return True
