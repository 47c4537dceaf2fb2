"""A cell to test jobs in: a database of its own, events that wait in it, and a broker that listens.

cell.tell(tenant, "fol_1", 3)
drain(cell.drain(), broker)
assert broker.sequences() == {...}
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pg8000.native

from common.local.database import LocalDatabase
from common.ports.jobs import Step, Turn
from common.ports.publishing import HELD_BACK, Message
from common.postgres.address import open_session
from common.postgres.drain import OutboxDrain
from common.postgres.migrations import Migrator, provision_tenant
from common.postgres.outbox import shard_of
from common.postgres.pool import Pool
from common.postgres.schemas import role_of
from common.postgres.sessions import connector
from common.postgres.tenants import register_tenant
from common.runtime.settings import ProcessSettings
from common.wiring import Wiring
from jobs.drain_outbox import drain_outbox, message_of

TOLD = """
INSERT INTO billing_central.outbox
  (tenant_id, shard, ordering_key, sequence, event_id, event_type, event, recorded_at)
SELECT CAST(:tenant AS uuid), CAST(:shard AS smallint), CAST(:key AS text), n,
       concat('evt_', :tenant, '_', :key, '_', n), 'melmastoon.billing.charge.posted.v1',
       json_build_object(
         'specversion', '1.0', 'id', concat('evt_', :tenant, '_', :key, '_', n),
         'type', 'melmastoon.billing.charge.posted.v1', 'source', concat('/billing/', :tenant),
         'subject', :key, 'time', '2026-03-01T12:00:00+00:00',
         'datacontenttype', 'application/json', 'tenantid', :tenant, 'sequence', n::text,
         'data', json_build_object('folioId', :key))::text,
       now()
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
"""
Key = tuple[UUID, str]


@dataclass
class Cell:
    """A migrated database, and what tests do in it behind the service's back."""

    server: LocalDatabase
    name: str
    folder: Path
    pools: list[Pool] = field(default_factory=list)

    @classmethod
    def build(cls, server: LocalDatabase, folder: Path) -> "Cell":
        cell = cls(server, f"cell_{uuid4().hex[:12]}", folder)
        server.create(cell.name)
        Migrator(cell.connect).up()
        return cell

    def close(self) -> None:
        for pool in self.pools:
            pool.close()
        self.server.drop(self.name)

    def dsn(self, user: str = "billing_job") -> str:
        return self.server.dsn(user, self.name)

    def connect(self, user: str = "postgres") -> pg8000.native.Connection:
        return open_session(self.dsn(user))

    def sql(self, sql: str, **parameters: Any) -> list[list[Any]]:
        """Run SQL as the administrator, whom no policy holds."""
        session = self.connect()
        try:
            return session.run(sql, **parameters) or []
        finally:
            session.close()

    def environment(self) -> dict[str, str]:
        """What a process of this cell finds in its environment."""
        return {
            "BILLING_STACK": "local",
            "BILLING_DATABASE": self.dsn(),
            "BILLING_LOCAL_FOLDER": str(self.folder),
            "BILLING_TOKEN_ISSUER": "https://identity.test",
        }

    def wiring(self) -> Wiring:
        wiring = Wiring(ProcessSettings.of(self.environment()))
        self.pools.append(wiring.pools["main"])
        return wiring

    def new_tenant(self) -> UUID:
        """A tenant with its schema, in the directory."""
        tenant = uuid4()
        session = self.connect()
        provision_tenant(session, tenant)
        register_tenant(session, tenant)
        session.close()
        return tenant

    def tell(self, tenant: UUID, key: str, count: int, first: int = 1) -> None:
        """Let so many events of an aggregate be committed."""
        session = self.connect()
        tell(session, tenant, key, count, first)
        session.close()

    def writer(self, tenant: UUID) -> pg8000.native.Connection:
        """A transaction that has begun as the tenant, as the functions begin theirs."""
        session = self.connect("billing_function")
        begin(session, tenant)
        return session

    def drain(self, holder: str = "", **options: Any) -> OutboxDrain:
        """A drainer under the job's login."""
        pool = Pool(connector(self.dsn()), size=2)
        self.pools.append(pool)
        return OutboxDrain(pool, holder or uuid4().hex, **options)

    def waiting(self) -> int:
        return int(
            self.sql("SELECT count(*) FROM billing_central.outbox WHERE published_at IS NULL")[0][0]
        )

    def let_leases_run_out(self) -> None:
        """Half a minute passes."""
        self.sql("UPDATE billing_central.outbox_leases SET leased_until = '-infinity'")


@dataclass
class Broker:
    """A broker that remembers what came, in order; some keys it refuses, or everything."""

    refuses: set[str] = field(default_factory=set)
    down: bool = False
    arrived: list[Message] = field(default_factory=list)
    offered: int = 0

    def publish(self, messages: Sequence[Message]) -> Sequence[str | None]:
        self.offered += len(messages)
        stopped: set[str] = set()
        answers: list[str | None] = []
        for message in messages:
            if message.ordering_key in stopped:
                answers.append(HELD_BACK)
            elif self.down or message.ordering_key.split("/")[1] in self.refuses:
                stopped.add(message.ordering_key)
                answers.append("Unavailable")
            else:
                self.arrived.append(message)
                answers.append(None)
        return answers

    def sequences(self) -> dict[Key, list[int]]:
        """The numbers of each aggregate's events, in the order of their coming."""
        return sequences(self.arrived)

    def most_arrivals(self) -> int:
        """How often the most frequent event came."""
        return max(Counter(message.event_id for message in self.arrived).values(), default=0)


@dataclass
class Powers:
    """The two powers that the drainer has."""

    outbox: OutboxDrain
    publisher: Broker


def sequences(messages: Sequence[Message]) -> dict[Key, list[int]]:
    found: dict[Key, list[int]] = defaultdict(list)
    for message in messages:
        tenant, key = message.ordering_key.split("/")
        found[UUID(tenant), key].append(int(message.attributes["ce-sequence"]))
    return dict(found)


def begin(session: pg8000.native.Connection, tenant: UUID) -> None:
    session.run("BEGIN")
    session.run(
        "SELECT set_config('role', :role, true), set_config('app.tenant_id', :tenant, true)",
        role=role_of(tenant),
        tenant=str(tenant),
    )


def tell(
    session: pg8000.native.Connection, tenant: UUID, key: str, count: int, first: int = 1
) -> None:
    session.run(
        TOLD,
        tenant=str(tenant),
        shard=shard_of(key),
        key=key,
        first=first,
        last=first + count - 1,
    )


def step(outbox: OutboxDrain, broker: Broker, turn: Turn | None = None) -> Step:
    """One step of the real job."""
    done: Step = drain_outbox(turn or Turn(), Powers(outbox, broker))
    return done


def drain(outbox: OutboxDrain, broker: Broker, steps_max: int = 2000) -> int:
    """Step until nothing waits that could be published; answers how many steps it took."""
    for number in range(1, steps_max + 1):
        if step(outbox, broker).idle:
            return number
    raise AssertionError(f"still at work after {steps_max} steps")


def key_in_shard(shard: int, number: int = 0) -> str:
    """The so-manieth key of a shard."""
    found = (f"fol_{n}" for n in range(10_000) if shard_of(f"fol_{n}") == shard)
    return [next(found) for _ in range(number + 1)][-1]


def as_message(event: dict[str, Any], key: Key) -> Message:
    """A message of an event that a test made up."""
    from common.ports.jobs import WaitingEvent

    return message_of(WaitingEvent(0, 0, key[0], key[1], event["id"], json.dumps(event)))
