"""One outbox for all tenants, or one in each tenant's schema?

    python -m tests.benchmarks.outbox_placement

Measured on a fresh server with 1,000 tenants: what an event costs to write, to find, to drain, and
what it costs to look when there is nothing. The tables are alike but for what a table of one tenant
can leave out (tenant, shard); neither has row security, which would cost both the same. No network.
"""

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from common.local.database import LocalDatabase, start_database
from common.ports.jobs import Turn
from common.postgres.connection import Connection, Statement
from common.postgres.drain import OutboxDrain
from common.postgres.outbox import shard_of
from common.postgres.pool import Pool
from common.postgres.sessions import connector
from tests.jobs.cell import Broker, Cell, Powers

TENANTS = 1_000
WRITES = 6_000
WAITING_PER_TENANT = 20
POLLS = 200
LATENCY_EVENTS = 60
EVENT = json.dumps({"data": {"lines": ["x" * 80] * 6, "balance": {"amountMicro": 1}}})

OWN_TABLE = """
CREATE SCHEMA {schema};
CREATE TABLE {schema}.outbox (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ordering_key text NOT NULL,
  sequence     bigint NOT NULL,
  event_id     text NOT NULL UNIQUE,
  event_type   text NOT NULL,
  event        text NOT NULL,
  recorded_at  timestamptz NOT NULL,
  published_at timestamptz,
  UNIQUE (ordering_key, sequence, event_type)
);
CREATE INDEX outbox_waiting ON {schema}.outbox (id) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON {schema}.outbox (published_at) WHERE published_at IS NOT NULL;
"""
OWN_COLUMNS = "ordering_key, sequence, event_id, event_type, event, recorded_at"
OWN_INSERT = f"""
INSERT INTO outbox ({OWN_COLUMNS})
SELECT {OWN_COLUMNS} FROM jsonb_populate_recordset(NULL::outbox, $1::jsonb)
"""
OWN_READ = "SELECT id, event FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT 50"
OWN_MARK = "UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY ($1::bigint[])"
CENTRAL_INSERT = f"""
INSERT INTO billing_central.outbox (tenant_id, shard, {OWN_COLUMNS})
SELECT tenant_id, shard, {OWN_COLUMNS}
FROM jsonb_populate_recordset(NULL::billing_central.outbox, $1::jsonb)
"""
ENTER = "SELECT set_config('search_path', $1, true)"
BEGIN, COMMIT = Statement("BEGIN"), Statement("COMMIT")
MEMORY = "SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts"


class Bench:
    """A server with both ways of keeping events."""

    def __init__(self, server: LocalDatabase, folder: Path) -> None:
        self.cell = Cell.build(server, folder)
        self.number = 0

    def build_own_tables(self) -> float:
        """A schema and a table for every tenant; answers how many bytes that took."""
        before = self._size()
        session = self.cell.connect()
        for tenant in range(TENANTS):
            session.run("BEGIN")
            for sql in OWN_TABLE.format(schema=schema(tenant)).split(";\n"):
                if sql.strip():
                    session.run(sql)
            session.run("COMMIT")
        session.close()
        return self._size() - before

    def connection(self) -> Connection:
        return connector(self.cell.dsn("postgres"), timeout_seconds=60)()

    def row(self, tenant: int) -> dict[str, Any]:
        self.number += 1
        key = f"fol_{tenant}"
        return {
            "tenant_id": str(uuid_of(tenant)),
            "shard": shard_of(key),
            "ordering_key": key,
            "sequence": self.number,
            "event_id": f"evt_{self.number}",
            "event_type": "melmastoon.billing.charge.posted.v1",
            "event": EVENT,
            "recorded_at": "2026-03-01T12:00:00Z",
        }

    def write(self, connection: Connection, tenant: int, insert: str, rows: int = 1) -> None:
        """A transaction as a command ends: enter the tenant, write, commit; one round trip."""
        text = json.dumps([self.row(tenant) for _ in range(rows)])
        path = schema(tenant)
        connection.run(
            [BEGIN, Statement(ENTER, (path,)), Statement(insert, (text,)), COMMIT], scope=path
        )

    def writes_per_second(self, insert: str) -> float:
        connection = self.connection()
        started = time.perf_counter()
        for number in range(WRITES):
            self.write(connection, number % TENANTS, insert)
        return WRITES / (time.perf_counter() - started)

    def fill(self, insert: str) -> None:
        connection = self.connection()
        for tenant in range(TENANTS):
            self.write(connection, tenant, insert, WAITING_PER_TENANT)
        connection.run([Statement("ANALYZE")])

    def empty(self) -> None:
        self.cell.sql("TRUNCATE billing_central.outbox")
        session = self.cell.connect()
        for tenant in range(TENANTS):
            session.run(f"TRUNCATE {schema(tenant)}.outbox")
        session.close()

    def drain_central(self) -> tuple[float, float, int]:
        """Rows a second, milliseconds of an idle poll, bytes of the backend."""
        pool = Pool(connector(self.cell.dsn("postgres")), size=1)
        self.cell.pools.append(pool)
        outbox = OutboxDrain(pool, "bench")
        total, elapsed = 0, time.perf_counter()
        while True:
            batch = outbox.take(Turn())
            if outbox.settle(batch, [None] * len(batch.events)).idle:
                break
            total += len(batch.events)
        rate = total / (time.perf_counter() - elapsed)
        outbox.take(Turn())
        poll = seconds(lambda: [outbox.take(Turn()) for _ in range(POLLS)]) / POLLS
        outbox.give_back()
        with pool.connection() as connection:
            memory = connection.run([BEGIN, Statement(MEMORY), COMMIT])[1][0][0]
        return rate, poll * 1000, memory

    def drain_own(self) -> tuple[float, float, float, int]:
        """Rows a second, milliseconds of the first and of a later idle poll, bytes."""
        connection = self.connection()
        total, elapsed = 0, time.perf_counter()
        while found := self._drain_each(connection):
            total += found
        rate = total / (time.perf_counter() - elapsed)
        fresh = self.connection()
        first = seconds(lambda: self._drain_each(fresh))
        later = seconds(lambda: [self._drain_each(fresh) for _ in range(10)]) / 10
        memory = fresh.run([BEGIN, Statement(MEMORY), COMMIT])[1][0][0]
        return rate, first * 1000, later * 1000, memory

    def _drain_each(self, connection: Connection, together: int = 100) -> int:
        """Once round all tenants, a hundred of them in each round trip."""
        total = 0
        for first in range(0, TENANTS, together):
            names = [schema(tenant) for tenant in range(first, first + together)]
            reads = [Statement(qualified(OWN_READ, name)) for name in names]
            found = connection.run([BEGIN, *reads, COMMIT])[1:-1]
            marks = [
                Statement(qualified(OWN_MARK, name), (array(rows),))
                for name, rows in zip(names, found, strict=True)
                if rows
            ]
            if marks:
                connection.run([BEGIN, *marks, COMMIT])
            total += sum(map(len, found))
        return total

    def milliseconds_to_publication(self) -> list[float]:
        """From the commit to the broker, with the drainer at its idle pace."""
        outbox, came, stop = self.cell.drain(), Arrivals(), threading.Event()
        watch = threading.Thread(target=keep_watch, args=(outbox, came, stop))
        watch.start()
        connection, waited = self.connection(), []
        for number in range(LATENCY_EVENTS):
            self.write(connection, number, CENTRAL_INSERT)
            committed = time.perf_counter()
            waited.append((came.next() - committed) * 1000)
            stop.wait(0.013 * (number % 7))  # fall into the drainer's pause at any point of it
        stop.set()
        watch.join()
        return waited

    def _size(self) -> float:
        return float(self.cell.sql("SELECT pg_database_size(current_database())")[0][0])


class Arrivals(Broker):
    """A broker that tells when the next event came."""

    def __init__(self) -> None:
        super().__init__()
        self._came = threading.Semaphore(0)
        self._at = 0.0

    def publish(self, messages: Sequence[Any]) -> Sequence[str | None]:
        self._at = time.perf_counter()
        for _ in messages:
            self._came.release()
        return [None] * len(messages)

    def next(self) -> float:
        if not self._came.acquire(timeout=30):
            raise TimeoutError("no event came")
        return self._at


def keep_watch(outbox: OutboxDrain, broker: Broker, stop: threading.Event) -> None:
    from common.runtime.job import POLL_SECONDS

    powers = Powers(outbox, broker)
    while not stop.is_set():
        batch = powers.outbox.take(Turn())
        results = powers.publisher.publish(batch.events) if batch.events else []  # type: ignore[arg-type] # it only counts them
        if powers.outbox.settle(batch, results).idle:
            stop.wait(POLL_SECONDS)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def schema(tenant: int) -> str:
    return f"bench_{tenant:04}"


def uuid_of(tenant: int) -> str:
    return f"00000000-0000-4000-8000-{tenant + 1:012}"


def qualified(sql: str, name: str) -> str:
    return sql.replace(" outbox ", f" {name}.outbox ")


def array(rows: Sequence[Sequence[Any]]) -> str:
    return "{" + ",".join(str(row[0]) for row in rows) + "}"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="billing-bench-") as folder:
        server = start_database(Path(folder))
        try:
            measure(Bench(server, Path(folder)))
        finally:
            server.stop()


def measure(bench: Bench) -> None:
    size = bench.build_own_tables()
    own_writes, central_writes = [], []
    for _ in range(2):  # by turns, so that what disturbs one disturbs the other
        central_writes.append(bench.writes_per_second(CENTRAL_INSERT))
        own_writes.append(bench.writes_per_second(OWN_INSERT))
    bench.empty()
    bench.fill(CENTRAL_INSERT)
    central = bench.drain_central()
    bench.empty()
    bench.fill(OWN_INSERT)
    own = bench.drain_own()
    latency = bench.milliseconds_to_publication()
    lines = [
        ("", "one table", f"{TENANTS:,} tables"),
        ("events written a second, one at a time", max(central_writes), max(own_writes)),
        ("events drained a second, one drainer", central[0], own[0]),
        ("idle poll, ms (first of a connection)", central[1], own[1]),
        ("idle poll, ms (later)", central[1], own[2]),
        ("memory of the draining backend, MiB", central[2] / 2**20, own[3] / 2**20),
        ("disk of the empty tables, MiB", 0.1, size / 2**20),
    ]
    for name, one, many in lines:
        texts = [each if isinstance(each, str) else f"{each:,.1f}" for each in (one, many)]
        sys.stdout.write(f"{name:42}{texts[0]:>14}{texts[1]:>14}\n")
    sys.stdout.write(
        f"\ncommit to broker, one table, idle pace: median {statistics.median(latency):.0f} ms,"
        f" longest {max(latency):.0f} ms of {len(latency)}\n"
    )


if __name__ == "__main__":
    main()
