"""Draining the outbox: what was committed is published, by several drainers, in order, fairly.

A shard is worked on by the drainer that holds its lease. A round reads some events of its shards in
one short transaction, the caller publishes them outside of any, and a second short transaction
marks what the broker has. So nothing is lost by a crash: what was published and not marked is
published again.

Whatever the broker acknowledged is marked, also by a drainer whose lease has run out meanwhile (a
process that was stopped and goes on): the mark is the truth. What such a drainer may not do is read
on: reading asks for its lease, and each lease has a fence that grows with every holder. The worst
that it does is to publish its last batch a second time.

Fair (EVT-6): a round takes a few events of a few tenants of each shard and goes on with the tenants
behind them, so that nobody waits longer than it takes to go round once, however much another has.
Tenants are found by skipping through the index of waiting events; published ones cost nothing.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Final
from uuid import UUID

from common.domain.dataclass import dataclass
from common.ports.jobs import Batch, Step, Turn, WaitingEvent
from common.ports.transactions import DatabaseUnavailable
from common.postgres.connection import ConnectionLost, Row, ServerRefused, Statement
from common.postgres.outbox import SHARDS
from common.postgres.pool import Pool

LEASE_SECONDS: Final = 30
EVENTS_PER_TENANT: Final = 50
TENANTS_PER_SHARD: Final = 4
BATCH_MAX: Final = SHARDS * TENANTS_PER_SHARD * EVENTS_PER_TENANT
RESTING_KEYS_MAX: Final = 500
FIRST_REST_SECONDS: Final = 0.2
LONGEST_REST_SECONDS: Final = 30.0
OUTAGE_KEYS: Final = 20
OUTAGE_SECONDS_MAX: Final = 5.0
START: Final = UUID(int=0)

TAKE_FREE: Final = """
UPDATE billing_central.outbox_leases AS lease
SET holder = $1,
    fence = lease.fence + 1,
    leased_until = clock_timestamp() + make_interval(secs => $3)
FROM (
  SELECT shard
  FROM billing_central.outbox_leases
  WHERE shard = ANY ($2::smallint[])
    AND leased_until <= clock_timestamp()
  ORDER BY shard
  FOR UPDATE SKIP LOCKED
) AS free
WHERE lease.shard = free.shard
"""
KEEP: Final = """
UPDATE billing_central.outbox_leases
SET leased_until = clock_timestamp() + make_interval(secs => $3)
WHERE holder = $1
  AND shard = ANY ($2::smallint[])
  AND leased_until > clock_timestamp()
"""
GIVE_BACK: Final = """
UPDATE billing_central.outbox_leases
SET leased_until = '-infinity'
WHERE holder = $1
"""
# Statistics never know how many events wait just now: few did when they were taken, a million may
# after an outage. A plan that sorts them is right for the few and hopeless for the many; the one
# that walks along outbox_waiting is right for both.
WALK_THE_INDEX: Final = """
SELECT set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true)
"""
# $1 holder, $2 shards, $3 the tenant served last in each, $4 tenants, $5 events of each tenant,
# $6 keys that rest. A shard that is held has at least one row, a tenant without an event to
# publish has one with nulls.
READ: Final = """
WITH RECURSIVE turns AS (
  SELECT lease.shard, lease.fence, 1 AS place, next.tenant_id
  FROM unnest($2::smallint[], $3::uuid[]) AS mine (shard, served)
  JOIN billing_central.outbox_leases AS lease ON lease.shard = mine.shard
  LEFT JOIN LATERAL (
    SELECT waiting.tenant_id
    FROM billing_central.outbox AS waiting
    WHERE waiting.published_at IS NULL
      AND waiting.shard = mine.shard
      AND waiting.tenant_id > mine.served
    ORDER BY waiting.tenant_id
    LIMIT 1
  ) AS next ON true
  WHERE lease.holder = $1
    AND lease.leased_until > clock_timestamp()
  UNION ALL
  SELECT turns.shard, turns.fence, turns.place + 1, next.tenant_id
  FROM turns
  CROSS JOIN LATERAL (
    SELECT waiting.tenant_id
    FROM billing_central.outbox AS waiting
    WHERE waiting.published_at IS NULL
      AND waiting.shard = turns.shard
      AND waiting.tenant_id > turns.tenant_id
    ORDER BY waiting.tenant_id
    LIMIT 1
  ) AS next
  WHERE turns.place < $4
)
SELECT turns.shard, turns.fence, turns.tenant_id,
       event.id, event.ordering_key, event.event_id, event.event
FROM turns
LEFT JOIN LATERAL (
  SELECT waiting.id, waiting.ordering_key, waiting.event_id, waiting.event
  FROM billing_central.outbox AS waiting
  WHERE waiting.published_at IS NULL
    AND waiting.shard = turns.shard
    AND waiting.tenant_id = turns.tenant_id
    AND concat(waiting.tenant_id, ' ', waiting.ordering_key) <> ALL ($6::text[])
  ORDER BY waiting.id
  LIMIT $5
) AS event ON true
ORDER BY event.id
"""
MARK_PUBLISHED: Final = """
UPDATE billing_central.outbox
SET published_at = statement_timestamp()
WHERE id = ANY ($1::bigint[])
  AND published_at IS NULL
"""
BEGIN: Final = Statement("BEGIN")
COMMIT: Final = Statement("COMMIT")


@dataclass(frozen=True, slots=True)
class _Rest:
    """A key that the broker did not take: how often, and until when it is left alone."""

    attempts: int
    until: float


@dataclass(slots=True)
class _Hand:
    """The shards in hand: the fence of each lease, and the tenant that was served last."""

    fences: dict[int, int] = field(default_factory=dict)
    served: dict[int, UUID] = field(default_factory=dict)
    kept_at: float = float("-inf")

    def lose(self, held: dict[int, int]) -> None:
        """Only what is held stays in hand."""
        self.fences = held
        self.served = {shard: self.served[shard] for shard in held if shard in self.served}

    @property
    def came_round(self) -> bool:
        """Whether the next round begins with the first tenant of every shard."""
        return all(served == START for served in self.served.values())


class OutboxDrain:
    """One drainer, under a name that no other has had. Raises DatabaseUnavailable."""

    def __init__(
        self,
        pool: Pool,
        holder: str,
        *,
        lease_seconds: int = LEASE_SECONDS,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._holder = holder
        self._lease_seconds = lease_seconds
        self._elapsed = elapsed
        self._hand = _Hand()
        self._resting: OrderedDict[tuple[int, UUID, str], _Rest] = OrderedDict()
        self._outage: _Rest | None = None

    @property
    def held(self) -> dict[int, int]:
        """The shards in hand with the fence of each, as they were read last."""
        return dict(self._hand.fences)

    def take(self, turn: Turn) -> Batch:
        """The next events, in order; none while the broker takes nothing at all."""
        now = self._elapsed()
        if self._outage is not None and now < self._outage.until:
            return Batch(turn=turn)
        shards = [shard for shard in range(SHARDS) if shard % turn.tasks == turn.task]
        from_the_start = self._hand.came_round
        leases = self._leases(shards, now, turn)
        rows = self._run([*leases, Statement(WALK_THE_INDEX), self._reading(shards, now)])[-1]
        self._go_on(rows)
        if from_the_start and self._hand.came_round and all(row[3] is None for row in rows):
            self._all_gone(now)
        return Batch(
            events=tuple(_event(row) for row in rows if row[3] is not None),
            turn=turn,
            finished=turn.is_over and not self._hand.fences,
        )

    def settle(self, batch: Batch, results: Sequence[str | None]) -> Step:
        """Mark what was acknowledged; leave the rest waiting, and a key that failed in peace."""
        outcomes = list(zip(batch.events, results, strict=True))
        acknowledged = [event.place for event, error in outcomes if error is None]
        failed = {_key(event) for event, error in outcomes if error is not None}
        statements = []
        if acknowledged:
            places = "{" + ",".join(map(str, acknowledged)) + "}"
            statements.append(Statement(MARK_PUBLISHED, (places,)))
        if batch.turn.is_over:
            statements.append(Statement(GIVE_BACK, (self._holder,)))
        if statements:
            self._run(statements)
        if batch.events:
            self._learn({_key(event) for event in batch.events}, failed, bool(acknowledged))
        return Step(
            done=len(acknowledged),
            failed=len(self._resting) + (self._outage is not None),
            idle=(
                batch.turn.is_over
                or self._outage is not None
                or (not batch.events and self._hand.came_round)
            ),
            finished=batch.finished,
        )

    def give_back(self) -> None:
        """Let go of every lease. One that cannot be given back runs out by itself."""
        self._hand = _Hand()
        try:
            self._run([Statement(GIVE_BACK, (self._holder,))])
        except (DatabaseUnavailable, ServerRefused):
            return

    def _leases(self, shards: list[int], now: float, turn: Turn) -> list[Statement]:
        """Renew what is held when a third of its time is over; take what is free."""
        statements = []
        parameters = (self._holder, _array(shards), self._lease_seconds)
        if not turn.is_over and now - self._hand.kept_at > self._lease_seconds / 3:
            statements.append(Statement(KEEP, parameters))
            self._hand.kept_at = now
        if len(self._hand.fences) < len(shards) or turn.is_over:
            statements.append(Statement(TAKE_FREE, parameters))
        return statements

    def _reading(self, shards: list[int], now: float) -> Statement:
        resting = [
            f"{tenant_id} {key}"
            for (_, tenant_id, key), rest in self._resting.items()
            if rest.until > now
        ]
        return Statement(
            READ,
            (
                self._holder,
                _array(shards),
                _array([self._hand.served.get(shard, START) for shard in shards]),
                TENANTS_PER_SHARD,
                EVENTS_PER_TENANT,
                _array(resting),
            ),
        )

    def _go_on(self, rows: Sequence[Row]) -> None:
        """Remember where each shard's next round begins: behind the last tenant, or in front."""
        self._hand.lose({row[0]: row[1] for row in rows})
        for key in [key for key in self._resting if key[0] not in self._hand.fences]:
            del self._resting[key]  # another drainer's, now
        tenants: dict[int, set[UUID]] = {shard: set() for shard in self._hand.fences}
        for row in rows:
            if row[2] is not None:
                tenants[row[0]].add(row[2])
        for shard, found in tenants.items():
            self._hand.served[shard] = max(found) if len(found) == TENANTS_PER_SHARD else START

    def _all_gone(self, now: float) -> None:
        """Nothing that is due waits any more: what had failed was published by somebody else."""
        self._outage = None
        for key in [key for key, rest in self._resting.items() if rest.until <= now]:
            del self._resting[key]

    def _learn(
        self, keys: set[tuple[int, UUID, str]], failed: set[tuple[int, UUID, str]], some: bool
    ) -> None:
        """Let failed keys rest, the longer the more often; many and nothing else: an outage."""
        now = self._elapsed()
        if not some and len(failed) >= OUTAGE_KEYS:
            self._outage = _longer(self._outage, now, OUTAGE_SECONDS_MAX)
            return
        self._outage = None
        for key in keys - failed:
            self._resting.pop(key, None)
        for key in failed:
            self._resting[key] = _longer(self._resting.pop(key, None), now, LONGEST_REST_SECONDS)
            if len(self._resting) > RESTING_KEYS_MAX:
                self._resting.popitem(last=False)

    def _run(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Run statements in a transaction of their own."""
        with self._pool.connection() as connection:
            try:
                return connection.run([BEGIN, *statements, COMMIT])[1:-1]
            except ConnectionLost as lost:
                raise DatabaseUnavailable("the outbox cannot be reached") from lost


def _longer(rest: _Rest | None, now: float, seconds_max: float) -> _Rest:
    attempts = rest.attempts + 1 if rest else 1
    seconds = min(FIRST_REST_SECONDS * 2 ** min(attempts - 1, 16), seconds_max)
    return _Rest(attempts, now + seconds)


def _key(event: WaitingEvent) -> tuple[int, UUID, str]:
    return event.shard, event.tenant_id, event.ordering_key


def _event(row: Row) -> WaitingEvent:
    return WaitingEvent(
        place=row[3],
        shard=row[0],
        tenant_id=row[2],
        ordering_key=row[4],
        event_id=row[5],
        event=row[6],
    )


def _array(values: Sequence[object]) -> str:
    """An array as PostgreSQL reads it."""
    return "{" + ",".join(_quoted(str(value)) for value in values) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
