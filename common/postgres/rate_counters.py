"""Counters of the rate limits, shared by all instances and exact.

They are counted in a small transaction of their own at the head of the first round trip: a request
that is refused later has still been counted, and no request holds a counter while it works. Nobody
waits for the disk for them (`synchronous_commit` off): a crash may forget a moment of counting.
"""

from collections.abc import Sequence
from typing import Final

from common.ports.transactions import Allowance, Limit
from common.postgres.connection import Row, Statement

_BEGIN = Statement("BEGIN READ WRITE", everywhere=True)
"""Also where the database only reads (`common.postgres.recovery`): they are none of the books."""
_WITHOUT_WAITING = Statement("SET LOCAL synchronous_commit = off", everywhere=True)
_COMMIT = Statement("COMMIT", everywhere=True)
CONSUME: Final = """
INSERT INTO billing_central.rate_counters AS counter (bucket, window_start, used)
VALUES ($1, to_timestamp(floor(extract(epoch FROM now()) / $2::int) * $2::int), $3::bigint)
ON CONFLICT (bucket, window_start) DO UPDATE
  SET used = counter.used + $3::bigint
RETURNING used, extract(epoch FROM window_start - now())::float8 + $2::int
"""


def consume(limits: Sequence[Limit]) -> list[Statement]:
    """Statements that ask each limit for its units; none for no limits."""
    if not limits:
        return []
    asks = [
        Statement(CONSUME, (limit.bucket, limit.window_seconds, limit.units), everywhere=True)
        for limit in sorted(limits, key=lambda limit: limit.bucket)
    ]
    return [_BEGIN, _WITHOUT_WAITING, *asks, _COMMIT]


def granted(limits: Sequence[Limit], results: Sequence[list[Row]]) -> tuple[Allowance, ...]:
    """What each limit granted, in the order of the limits.

    `used` above the quota says that the last of the units asked for were refused.
    """
    if not limits:
        return ()
    by_bucket = {}
    ordered = sorted(limits, key=lambda limit: limit.bucket)
    for limit, rows in zip(ordered, results[2:-1], strict=True):
        used, resets_in_seconds = rows[0]
        over = max(0, used - limit.quota)
        by_bucket[limit.bucket] = Allowance(
            granted=max(0, limit.units - over),
            remaining=max(0, limit.quota - used),
            resets_in_seconds=resets_in_seconds,
        )
    return tuple(by_bucket[limit.bucket] for limit in limits)
