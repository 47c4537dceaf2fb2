"""The head of an audit trail, for what keeps none on a row of its own.

A folio carries its head; an invoice, the settings and an actor's incidents are never updated, so
their head is the newest entry itself. Two who add at once both claim the next number, and the
unique constraint on it lets the second begin again; where many may come at once, they stand in
line.
"""

from typing import Final, TypeVar
from uuid import UUID

from common.domain.aggregate import Aggregate
from common.postgres.connection import Row, Statement

A = TypeVar("A", bound=Aggregate)

HEAD: Final = """
SELECT tenant_id, sequence, hash, digest_after
FROM audit_entries
WHERE aggregate_kind = $1 AND aggregate_id = $2
ORDER BY sequence DESC
LIMIT 1
"""

STAND_IN_LINE: Final = """
SELECT current_setting('app.tenant_id')::uuid, pg_advisory_xact_lock(hashtextextended($1, 0))
"""


def line_for(tenant_id: UUID, kind: str, aggregate_id: str) -> Statement:
    """Wait until nobody else adds to a trail; to be asked before its head is."""
    return Statement(STAND_IN_LINE, (f"{tenant_id}/{kind}/{aggregate_id}",))


def head_of(kind: str, aggregate_id: str) -> Statement:
    """The question for the newest entry of a trail."""
    return Statement(HEAD, (kind, aggregate_id))


def continued(aggregate: A, rows: list[Row]) -> A:
    """The aggregate, with its trail going on where it ended."""
    if rows:
        _, aggregate.version, trail, digest = rows[0]
        aggregate.trail, aggregate.state_digest = bytes(trail), bytes(digest)
    return aggregate
