"""The audit trail of an actor's refused attempts."""

from common.domain.incident import ActorRecord
from common.postgres.stores import Desk
from common.postgres.trails import continued, head_of


class Incidents:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take(self, sub: str) -> ActorRecord:
        (head,) = self._desk.batch(head_of(ActorRecord.kind, sub))
        return continued(ActorRecord(id=sub), head)
