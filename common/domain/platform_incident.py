"""An incident of the platform: while it is declared, nobody is suspended for not paying (SUB-7).

Who declares one says why. One is on at a time, over all tenants; its trail stands in the office of
whoever declared it, and that office ends it.
"""

from dataclasses import field
from datetime import datetime
from typing import ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.moment import Moment
from common.domain.platform_identifiers import PlatformIncidentId
from common.domain.refusal import Conflict, Missing


class PlatformIncidentOn(Conflict):
    code = "PLATFORM_INCIDENT_ON"
    title = "An incident of the platform is declared already"


class PlatformIncidentUnknown(Missing):
    code = "PLATFORM_INCIDENT_UNKNOWN"
    title = "This office has declared no such incident"


class PlatformIncidentOver(Conflict):
    code = "PLATFORM_INCIDENT_OVER"
    title = "The incident has been ended already"


@dataclass(frozen=True, kw_only=True)
class PlatformIncidentFact(Fact):
    """Something that happened to an incident."""

    subject: "PlatformIncident" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class PlatformIncidentDeclared(PlatformIncidentFact):
    name = "platform_incident.declared"


@dataclass(frozen=True, kw_only=True)
class PlatformIncidentEnded(PlatformIncidentFact):
    name = "platform_incident.ended"


@dataclass(kw_only=True)
class PlatformIncident(Aggregate):
    """See the module."""

    kind: ClassVar[str] = "platform_incident"
    id: PlatformIncidentId
    reason: str
    declared_at: datetime
    ended_at: datetime | None = None

    @classmethod
    def declare(
        cls, incident_id: PlatformIncidentId, reason: str, moment: Moment
    ) -> PlatformIncidentDeclared:
        """Nobody is suspended from now on."""
        incident = cls(id=incident_id, reason=reason, declared_at=moment.now)
        sequence = incident.next_sequence()
        return PlatformIncidentDeclared(subject=incident, sequence=sequence, reason=reason)

    def end(self, reason: str, moment: Moment) -> PlatformIncidentEnded:
        """It is over: who should have been suspended is charged first. Refuses:
        PlatformIncidentOver."""
        if self.ended_at is not None:
            raise PlatformIncidentOver()
        self.ended_at = moment.now
        return PlatformIncidentEnded(subject=self, sequence=self.next_sequence(), reason=reason)

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "reason": self.reason,
            "declaredAt": self.declared_at.isoformat(),
            "endedAt": self.ended_at and self.ended_at.isoformat(),
        }
