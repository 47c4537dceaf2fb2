"""How the runner opens and ends transactions: the port below every use case.

One transaction may carry several commands of one tenant (concurrent charges are batched); each has
its own actor, its own idempotency key and its own answer, and a command that is refused leaves
nothing behind while the others go on.
"""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from common.domain.dataclass import dataclass
from common.domain.refusal import Conflict, Forbidden, Refusal, Unmet
from common.ports.identity import Actor, StepUp
from common.ports.quotes import Quotes
from common.ports.transaction import Transaction


class TryAgain(Exception):
    """The database asks for the transaction to be run again from its beginning."""


class OutcomeUnknown(Exception):
    """The connection broke while the commit was under way: it may have taken effect or not."""


class DatabaseUnavailable(Exception):
    """No connection to the database could be had in time."""


class DatabaseAway(DatabaseUnavailable):
    """Nobody gets one: whoever asks behind this one would wait as long, and in vain as well."""


class CrossTenantRow(Exception):
    """A row of another tenant was read: the last guard, behind role, policy and search path."""


class TenantUnknown(Exception):
    """The directory knows no such tenant."""


class SettingsMissing(TenantUnknown):
    """The tenant has its home here, and nobody has told yet who it is."""


class CommandInProgress(Conflict):
    area = "GENERAL"
    code = "IDEMPOTENCY_IN_PROGRESS"
    title = "The same command is still running"


class KeyReused(Unmet):
    area = "GENERAL"
    code = "IDEMPOTENCY_KEY_REUSED"
    title = "This idempotency key was used for another request"


class IdConflict(Conflict):
    area = "GENERAL"
    code = "ID_CONFLICT"
    title = "Something else has this id already"


class EventTakenAlready(Conflict):
    """The event has had its effect, however long ago: its consumer has nothing left to do."""

    area = "GENERAL"
    code = "EVENT_TAKEN_ALREADY"
    title = "The event has had its effect already"


class StepUpReplayed(Forbidden):
    area = "IAM"
    code = "STEP_UP_REPLAY"
    title = "This step-up token has been used already"


class VersionStale(Conflict):
    area = "GENERAL"
    code = "VERSION_STALE"
    title = "The resource has changed since it was read"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a command answered: enough to answer it again, byte for byte.

    `property_ids` are those of what it was about, as far as its actor worked there.
    """

    fingerprint: bytes
    status: int
    headers: dict[str, str]
    body: str
    property_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a command the same: SHA-256 over tenant, actor, function and client's key.

    `conflict` is the refusal of another request under the same key.
    """

    hash: bytes
    function: str
    fingerprint: bytes
    conflict: type[Refusal] = KeyReused

    @property
    def of_intention(self) -> "Key":
        """What it is known by that the command is going to be performed; its answer comes later."""
        return replace(self, hash=sha256(self.hash + b"is intended").digest())


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `quota` uses of a bucket in a window of seconds; `units` are asked for now."""

    bucket: str
    quota: int
    window_seconds: int
    units: int = 1


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a limit granted: `granted` units, `remaining` after it, until its window ends."""

    granted: int
    remaining: int
    resets_in_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a transaction begins with, all of it in the first round trip.

    One that `serves_recovery` writes also while the database only reads for all others.
    """

    tenant_id: UUID
    reads_only: bool = False
    serves_recovery: bool = False
    keys: tuple[bytes, ...] = ()
    limits: tuple[Limit, ...] = ()
    step_ups: tuple[StepUp, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who runs a command, under which trace, and for which event if it was one that asked.

    `expects` is the version that a kind of aggregate must still have (If-Match). `origins` are the
    HMACs of the address that was called from, under keys of the tenant, the one in use first.
    `quotes` signs quotes, for a function that needs it.
    """

    actor: Actor
    step_up: StepUp | None = None
    traceparent: str = ""
    event_id: str | None = None
    consumer: str | None = None
    expects: tuple[str, int] | None = None
    origins: tuple[bytes, ...] = ()
    quotes: Quotes | None = None


class Command(Transaction, Protocol):
    """A transaction as the runner sees it for one command."""

    @property
    def caller(self) -> Caller:
        """Who calls; a version that they expected is not expected any more once it was compared."""

    def has_taken_event(self) -> bool:
        """Whether the caller's event took effect in an earlier transaction."""

    def remember(self, key: Key, answer: StoredAnswer) -> None:
        """Store the answer under the key, in the same commit."""

    def finish(self) -> None:
        """Add what the command wrote to what the transaction will write."""


class Opened(Protocol):
    """An open transaction."""

    @property
    def now(self) -> datetime: ...
    @property
    def answers(self) -> dict[bytes, StoredAnswer]:
        """Answers that were stored earlier, by key hash."""

    @property
    def busy(self) -> frozenset[bytes]:
        """Keys whose command is still running in another transaction."""

    @property
    def used(self) -> frozenset[str]:
        """The ids of the opening's step-up tokens that were used before."""

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        """What each limit of the opening granted, in order."""

    def command(self, caller: Caller) -> Command:
        """Begin a command within the transaction."""

    def commit(self) -> None:
        """Write everything and commit, in one round trip.

        Raises TryAgain, OutcomeUnknown, or the refusal that a violated constraint stands for.
        """


class Transactions(Protocol):
    """Where transactions come from."""

    def open(self, opening: Opening) -> AbstractContextManager[Opened]:
        """Begin one; leaving the context without a commit rolls back.

        Raises TenantUnknown, DatabaseUnavailable.
        """
