"""A tenant's books as the nightly job has them checked: every invariant, nothing written.

The questions take as long as the books are large, which no guest's request may wait for: they have
connections of their own, whose limits are those of a job.
"""

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from common.ports.transactions import DatabaseUnavailable
from common.postgres.connection import ConnectionLost
from common.postgres.invariants import look
from common.postgres.pool import Pool

QUESTION_SECONDS_MAX: Final = 600


class PostgresBooks:
    """The books of the tenants of the cells that `pool_of` finds."""

    def __init__(self, pool_of: Callable[[UUID], Pool]) -> None:
        self._pool_of = pool_of

    def broken(self, tenant_id: UUID) -> Mapping[str, int]:
        """How many rows break each invariant that does not hold. Raises DatabaseUnavailable."""
        with self._pool_of(tenant_id).connection() as connection:
            try:
                found = look(connection, tenant_id, seconds_max=QUESTION_SECONDS_MAX)
            except ConnectionLost as lost:
                raise DatabaseUnavailable("the books cannot be reached") from lost
        return {each.name: each.count for each in found.broken}
