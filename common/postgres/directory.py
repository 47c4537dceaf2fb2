"""Which database a tenant lives in (TEN-5): a cell is one PostgreSQL instance with its own jobs.

The directory stands in the main cell. An answer is kept for a minute; a tenant that is being moved
is refused for that long at most.
"""

import threading
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from common.ports.transactions import DatabaseUnavailable, TenantUnknown
from common.postgres.connection import ConnectionLost, ForeignReply, ServerRefused, Statement
from common.postgres.pool import Pool

MAIN_CELL: Final = "main"
KEPT_SECONDS: Final = 60.0
KEPT_MAX: Final = 10_000
ENTER: Final = "SELECT set_config('app.tenant_id', $1, true)"
FIND_CELL: Final = (
    "SELECT tenant_id, cell, status FROM billing_central.tenants WHERE tenant_id = $1"
)


class Directory:
    """Finds the pool of a tenant's cell."""

    def __init__(
        self, pools: dict[str, Pool], elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._pools = pools
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._cells: dict[UUID, tuple[str, float]] = {}

    def pool_of(self, tenant_id: UUID) -> Pool:
        """The pool of the tenant's cell. Raises TenantUnknown, DatabaseUnavailable."""
        if len(self._pools) == 1:
            return self._pools[MAIN_CELL]
        found = self._cells.get(tenant_id)
        if found is None or self._elapsed() - found[1] > KEPT_SECONDS:
            asked_at = self._elapsed()  # what is told may have changed while it is on its way
            found = (self._look_up(tenant_id), asked_at)
            with self._lock:
                if len(self._cells) >= KEPT_MAX:
                    self._cells.clear()
                self._cells[tenant_id] = found
        pool = self._pools.get(found[0])
        if pool is None:
            raise DatabaseUnavailable(f"cell {found[0]} is not configured here")
        return pool

    def _look_up(self, tenant_id: UUID) -> str:
        with self._pools[MAIN_CELL].connection() as connection:
            try:
                rows = connection.run(
                    [
                        Statement("BEGIN READ ONLY"),
                        Statement(ENTER, (str(tenant_id),)),
                        Statement(FIND_CELL, (tenant_id,)),
                        Statement("COMMIT"),
                    ]
                )[2]
            except (ConnectionLost, ServerRefused) as trouble:
                raise DatabaseUnavailable("the directory does not answer") from trouble
            if any(row[0] != tenant_id for row in rows):
                connection.broken = True
                raise ForeignReply()
        if not rows or rows[0][2] == "archived":
            raise TenantUnknown(str(tenant_id))
        _, cell, status = rows[0]
        if status != "active":
            raise DatabaseUnavailable(f"the tenant is {status}")
        return str(cell)
