"""The audit trail of an actor's refused attempts. Its head is its newest entry."""

from typing import Final

from common.domain.incident import ActorRecord
from common.postgres.stores import Desk

HEAD: Final = """
SELECT tenant_id, sequence, hash, digest_after
FROM audit_entries
WHERE aggregate_kind = 'actor' AND aggregate_id = $1
ORDER BY sequence DESC
LIMIT 1
"""


class Incidents:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take(self, sub: str) -> ActorRecord:
        rows = self._desk.rows(HEAD, sub)
        record = ActorRecord(id=sub)
        if rows:
            _, record.version, trail, digest = rows[0]
            record.trail, record.state_digest = bytes(trail), bytes(digest)
        return record
