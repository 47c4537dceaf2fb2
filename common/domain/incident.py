"""What was refused and must not be forgotten: another tenant was named, a step-up token came back.

Such an attempt changes nothing, and so leaves no trace of its own; it is written down afterwards,
in the audit trail of the actor who made it.
"""

from typing import Any, ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass


@dataclass(frozen=True, kw_only=True)
class AttemptRefused(Fact):
    """`code` is the refusal's full code."""

    name = "security.attempt_refused"
    code: str


@dataclass(kw_only=True)
class ActorRecord(Aggregate):
    """The trail of what an actor was refused."""

    kind: ClassVar[str] = "actor"

    def state(self) -> dict[str, Any]:
        return {"id": self.id, "incidents": self.version}

    def refused(self, code: str) -> AttemptRefused:
        return AttemptRefused(subject=self, sequence=self.next_sequence(), reason=code, code=code)
