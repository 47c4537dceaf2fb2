"""What a job is given, and what it answers.

Most jobs do one item of one tenant after the other, each in its own transaction; they need a
`Round` to find what is due. A job that keeps watch instead, as the outbox's drainer does, takes one
step after the other, and each answers what it came to.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol
from uuid import UUID

from common.domain.dataclass import dataclass
from common.ports.dead_letters import OldLetters
from common.ports.forgetting import OldRows
from common.ports.powers import Powers
from common.ports.publishing import Publisher


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What is looked for: at most `limit` items that are due on `as_of` (None: right now)."""

    limit: int
    as_of: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Whose turn it is: this task of so many. When it is over, a successor may go on."""

    task: int = 0
    tasks: int = 1
    is_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a step came to.

    `done` items are done for good, `failed` ones failed at their last attempt and are still to be
    done. `idle`: there was nothing more to do. `finished`: somebody else does the work now.
    """

    done: int = 0
    failed: int = 0
    idle: bool = False
    finished: bool = False


class FoundWrong(Exception):
    """What an item's check found, by name: how often each. The item failed, nothing was changed."""

    def __init__(self, findings: Mapping[str, int]) -> None:
        super().__init__(", ".join(findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event that was committed and is not published yet; `event` is its CloudEvent in JSON."""

    place: int
    shard: int
    tenant_id: UUID
    ordering_key: str
    event_id: str
    event: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some events, those of an aggregate in the order of their facts."""

    events: tuple[WaitingEvent, ...] = ()
    turn: Turn = Turn()
    finished: bool = False


class Outbox(Protocol):
    """The events that wait, as their drainer sees them."""

    def take(self, turn: Turn) -> Batch:
        """The next events to publish, a fair share of every tenant's.

        Raises DatabaseUnavailable.
        """

    def settle(self, batch: Batch, results: Sequence[str | None]) -> Step:
        """Mark what the broker has acknowledged (None); what it has not waits for another attempt.

        Raises DatabaseUnavailable.
        """

    def give_back(self) -> None:
        """Let another drainer go on at once; never raises."""


class JobPowers(Powers, Protocol):
    """What a watching job may use."""

    @property
    def outbox(self) -> Outbox: ...
    @property
    def publisher(self) -> Publisher: ...
    @property
    def dead_letters(self) -> OldLetters: ...
    @property
    def old_rows(self) -> OldRows: ...
