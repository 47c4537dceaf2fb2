"""What a cell has kept of all tenants together, and deletes when it has had its time (AUD-3).

By the database's clock, as that has set the times, and no clock of ours can be early. Behind this
the database lets no event go that is not published, or younger (`events_are_kept_for_30_days`).
"""

from typing import Final

from common.ports.transactions import DatabaseUnavailable
from common.postgres.connection import ConnectionLost, Statement
from common.postgres.pool import Pool

# An event stays as long as one of its aggregate before it has to, or the trail would be held
# against events with a hole (`every_fact_has_its_event`). Two at once share what is old.
FORGET_EVENTS: Final = """
DELETE FROM billing_central.outbox AS event
USING (
  SELECT id
  FROM billing_central.outbox
  WHERE published_at < now() - interval '30 days'
  ORDER BY published_at, id
  LIMIT $1
  FOR UPDATE SKIP LOCKED
) AS old
WHERE event.id = old.id
  AND NOT EXISTS (
    SELECT
    FROM billing_central.outbox AS earlier
    WHERE earlier.tenant_id = event.tenant_id
      AND earlier.ordering_key = event.ordering_key
      AND earlier.sequence < event.sequence
      AND (earlier.published_at IS NULL OR earlier.published_at >= now() - interval '30 days'))
RETURNING event.id
"""
FORGET_COUNTERS: Final = """
DELETE FROM billing_central.rate_counters AS counter
USING (
  SELECT bucket, window_start
  FROM billing_central.rate_counters
  WHERE window_start < now() - interval '2 days'
  ORDER BY window_start
  LIMIT $1
  FOR UPDATE SKIP LOCKED
) AS old
WHERE counter.bucket = old.bucket
  AND counter.window_start = old.window_start
RETURNING counter.window_start
"""
BEGIN: Final = Statement("BEGIN")
COMMIT: Final = Statement("COMMIT")


class OldRows:
    """See the module."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def forget_events(self, limit: int) -> int:
        return self._run(Statement(FORGET_EVENTS, (limit,)))

    def forget_counters(self, limit: int) -> int:
        return self._run(Statement(FORGET_COUNTERS, (limit,)))

    def _run(self, statement: Statement) -> int:
        with self._pool.connection() as connection:
            try:
                return len(connection.run([BEGIN, statement, COMMIT])[1])
            except ConnectionLost as lost:
                raise DatabaseUnavailable("what is old cannot be reached") from lost
