"""The powers of one use case, on PostgreSQL: its stores, its facts, its answer.

What a command keeps, posts and tells stays with it until it is finished; a refused command is
simply dropped, and nothing of it reaches the database. Aggregates that another command of the same
transaction has already changed are taken as that command left them. A store is loaded when it is
first used: a function that posts charges never loads the invoices.
"""

import copy
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from ulid import ULID

from common.contracts.events import event_of
from common.domain.aggregate import Aggregate, Fact
from common.domain.identifiers import Identifier
from common.domain.settings import Settings
from common.ports.identity import Actor, StepUp
from common.ports.quotes import Quotes
from common.ports.transactions import Caller, Key, StoredAnswer, VersionStale
from common.postgres import ranks
from common.postgres.audit import audit_row
from common.postgres.connection import Row, Statement
from common.postgres.outbox import INSERT_EVENT, event_row
from common.postgres.reading_ahead import Names, ReadingAhead
from common.postgres.session import Insert, Session, Write

Id = TypeVar("Id", bound=Identifier)
A = TypeVar("A", bound=Aggregate)

INSERT_ANSWER = Insert.into(
    ranks.ANSWERS,
    "idempotency_keys",
    "key_hash, function, fingerprint, status, headers, body, property_ids, recorded_at",
)
INSERT_INBOX = Insert.into(ranks.ANSWERS, "inbox", "consumer, event_id, recorded_at")
TAKEN_EVENT = "SELECT tenant_id FROM inbox WHERE consumer = $1 AND event_id = $2"
INSERT_STEP_UP = Insert.into(
    ranks.STEP_UP,
    "billing_central.step_up_uses",
    "issuer, token_id, actor, scope, assertion_hash, context, expires_at, recorded_at",
)
INSERT_AUDIT = Insert.into(
    ranks.AUDIT,
    "audit_entries",
    "id, aggregate_kind, aggregate_id, sequence, action, actor, auth_strength, step_up_token_id,"
    " assertion_hash, reason, detail, digest_before, digest_after, trace_id, occurred_at,"
    " recorded_at, previous_hash, hash",
)


class CommandDesk:
    """One command within a transaction: what it writes is collected, and flushed at its end."""

    def __init__(self, session: Session, caller: Caller) -> None:
        self._session = session
        self._caller = caller
        self._ahead = ReadingAhead(session.batch)
        self._inserts: list[tuple[Insert, list[dict[str, Any]]]] = []
        self._writes: dict[object, Write] = {}
        self._kept: dict[tuple[str, str], tuple[Aggregate, Callable[[], None]]] = {}
        self._property_ids: set[UUID] = set()
        if caller.step_up is not None:
            self.insert(INSERT_STEP_UP, [_step_up_row(caller.step_up, self.now)])
        if caller.event_id is not None:
            self.insert(
                INSERT_INBOX,
                [
                    {
                        "consumer": caller.consumer,
                        "event_id": caller.event_id,
                        "recorded_at": self.now,
                    }
                ],
            )

    # what a use case sees

    @property
    def now(self) -> datetime:
        return self._session.now

    @property
    def settings(self) -> Settings:
        return self._session.settings

    @property
    def actor(self) -> Actor:
        return self._caller.actor

    @property
    def step_up(self) -> StepUp | None:
        return self._caller.step_up

    @property
    def origins(self) -> tuple[bytes, ...]:
        return self._caller.origins

    @property
    def quotes(self) -> Quotes:
        if self._caller.quotes is None:
            raise LookupError("a function that quotes declares that it needs `quotes`")
        return self._caller.quotes

    def new_id(self, kind: type[Id]) -> Id:
        """A fresh identifier that sorts by the transaction's time."""
        return kind.of(str(ULID.from_datetime(self.now)))

    def new_salt(self) -> bytes:
        """32 unpredictable bytes."""
        return secrets.token_bytes(32)

    def tell(self, fact: Fact) -> None:
        """Chain the fact to its aggregate's trail and put its event into the outbox."""
        published = event_of(fact)
        self.insert(INSERT_AUDIT, [audit_row(fact, published, self._caller, self)])
        if published is not None:
            self.insert(INSERT_EVENT, [event_row(fact, published, self._caller, self)])

    # what the stores use

    @property
    def tenant_id(self) -> Any:
        return self._session.tenant_id

    @property
    def settings_version(self) -> int:
        return self._session.settings_version

    def rows(self, sql: str, *parameters: Any) -> list[Row]:
        """Read rows of this tenant."""
        return self._ahead.rows(Statement(sql, parameters))

    def batch(self, *statements: Statement) -> list[list[Row]]:
        """Read with several statements in one round trip."""
        return self._ahead.batch(statements)

    def foresee(self, sql: str, *parameters: Any, names: Names | None = None) -> None:
        """Read this along with what is read next; see `reading_ahead`."""
        self._ahead.foresee(Statement(sql, parameters), names)

    def know(self, subject: object) -> None:
        """What was foreseen of the subscription that stands is of this one."""
        self._ahead.know(subject)

    def insert(self, insert: Insert, rows: Iterable[dict[str, Any]]) -> None:
        """Collect rows."""
        self._inserts.append((insert, list(rows)))

    def write(self, key: object, write: Write) -> None:
        """Collect a statement."""
        self._writes[key] = write

    def loaded(self, aggregate: A) -> A:
        """The aggregate as this transaction knows it: as read, or as an earlier command left it."""
        known: A = self._session.loaded.setdefault((aggregate.kind, aggregate.id), aggregate)
        self._note_property(known)
        expects = self._caller.expects
        if expects is not None and expects[0] == known.kind:
            if known.version != expects[1]:
                raise VersionStale(version=known.version)
            self._caller = replace(self._caller, expects=None)
        return copy.copy(known)

    def keep(self, aggregate: Aggregate, write: Callable[[], None]) -> None:
        """Let `write` collect the aggregate's rows when the command is finished."""
        self._note_property(aggregate)
        self._kept[aggregate.kind, aggregate.id] = (aggregate, write)

    def _note_property(self, aggregate: Aggregate) -> None:
        """The command is about this property as well, if about one of its actor's at all."""
        property_id: UUID | None = getattr(aggregate, "property_id", None)
        if property_id is not None and self.actor.holds(property_id):
            self._property_ids.add(property_id)

    # what the runner uses

    @property
    def caller(self) -> Caller:
        """Who calls; a version that they expected is not expected any more once it was compared."""
        return self._caller

    def has_taken_event(self) -> bool:
        """Whether the event that asks was recorded with its effect before."""
        return bool(self.rows(TAKEN_EVENT, self._caller.consumer, self._caller.event_id))

    def remember(self, key: Key, answer: StoredAnswer) -> None:
        """Store the command's answer with its effect."""
        self.insert(
            INSERT_ANSWER,
            [
                {
                    "key_hash": key.hash,
                    "function": key.function,
                    "fingerprint": key.fingerprint,
                    "status": answer.status,
                    "headers": json.dumps(answer.headers),
                    "body": answer.body,
                    "property_ids": sorted(self._property_ids),
                    "recorded_at": self.now,
                }
            ],
        )

    def finish(self) -> None:
        """Hand what was collected to the transaction."""
        for name, (aggregate, write) in self._kept.items():
            write()
            self._session.loaded[name] = aggregate
        for insert, rows in self._inserts:
            self._session.insert(insert, rows)
        for key, statement in self._writes.items():
            self._session.write(key, statement)


def _step_up_row(step_up: StepUp, now: datetime) -> dict[str, Any]:
    return {
        "issuer": step_up.issuer,
        "token_id": step_up.token_id,
        "actor": step_up.actor,
        "scope": step_up.scope,
        "assertion_hash": step_up.assertion_hash,
        "context": step_up.context,
        "expires_at": step_up.expires_at,
        "recorded_at": now,
    }
