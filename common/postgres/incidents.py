"""The audit trail of an actor's refused attempts, which come in swarms: none may be lost."""

from common.domain.incident import ActorRecord
from common.postgres.stores import Desk
from common.postgres.trails import continued, head_of, line_for


class Incidents:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take(self, sub: str) -> ActorRecord:
        line = line_for(self._desk.tenant_id, ActorRecord.kind, sub)
        _, head = self._desk.batch(line, head_of(ActorRecord.kind, sub))
        return continued(ActorRecord(id=sub), head)
