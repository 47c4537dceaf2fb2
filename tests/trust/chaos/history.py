"""What the clients sent and heard, what was struck and what arrived: a file of JSON lines.

A command is written before it is sent and its answer after it was read, so that whatever dies in
between, the file says what a client could know. Nothing in it was asked of the service afterwards.
"""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

RETRIABLE = frozenset(
    {
        "MELMASTOON.GENERAL.IDEMPOTENCY_IN_PROGRESS",
        "MELMASTOON.GENERAL.RATE_LIMITED",
        "MELMASTOON.GENERAL.TEMPORARILY_UNAVAILABLE",
        "MELMASTOON.IAM.TOKEN_KEYS_UNAVAILABLE",
    }
)
"""Codes that mean: send the same request again."""


WEBHOOK = "take_stripe_event"
"""What the processor tells: its sender is no client and has no key, and nobody keeps an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a client wants. `key` is its Idempotency-Key, and stands in the command's own text.

    `amount_micro` is what is charged before its tax, what is voided of that, or what is paid; of
    credits that are granted, moved or spent, it is micro credits.
    """

    key: str
    function: str
    tenant: str
    actor: str
    folio: str
    path: str
    body: dict[str, Any]
    amount_micro: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """An attempt, under a trace of its own."""

    key: str
    attempt: int
    trace: str
    at: float


@dataclass(frozen=True, slots=True)
class Answered:
    """What an attempt was answered."""

    key: str
    attempt: int
    status: int
    replayed: bool
    body: str
    at: float

    @property
    def acknowledges(self) -> bool:
        return self.status < 300

    @property
    def code(self) -> str:
        """The problem's code; "" where the answer is no problem, or not even JSON."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return ""
        return str(document.get("code", "")) if isinstance(document, dict) else ""

    @property
    def asks_again(self) -> bool:
        return self.code in RETRIABLE


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nobody answered an attempt."""

    key: str
    attempt: int
    trouble: str
    at: float


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault: what kind, and whom it hit."""

    kind: str
    whom: str
    at: float


@dataclass(frozen=True, slots=True)
class Risen:
    """A process that was struck listens again."""

    whom: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """A connection that was cut, and where."""

    place: str
    at: float


@dataclass(frozen=True, slots=True)
class LostCommit:
    """A commit of which its sender heard nothing; `audits` are the entries that it would write."""

    how: str
    audits: list[str]
    at: float


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event at the broker, in the order of coming."""

    ordering_key: str
    sequence: int
    event_id: str


Record: TypeAlias = (
    Command | Sent | Answered | Unanswered | Struck | Risen | Cut | LostCommit | Arrived
)
KINDS: dict[str, type[Record]] = {
    kind.__name__: kind
    for kind in (Command, Sent, Answered, Unanswered, Struck, Risen, Cut, LostCommit, Arrived)
}


class History:
    """The file while it is written, by many threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w", encoding="utf-8")
        self._changed = threading.Condition()
        self._attempts: Counter[str] = Counter()
        self._acknowledged: set[str] = set()
        self._cuts = 0

    def tell(self, record: Record) -> None:
        """Write a record; it is in the file when this returns."""
        line = json.dumps({"what": type(record).__name__, **asdict(record)})
        with self._changed:
            self._file.write(line + "\n")
            self._file.flush()
            self._cuts += isinstance(record, Cut)
            if isinstance(record, Answered) and record.acknowledges:
                self._acknowledged.add(record.key)
            self._changed.notify_all()

    def send(self, key: str, trace_of: str) -> Sent:
        """Write down the next attempt of a command; its trace is `trace_of` and its number."""
        with self._changed:
            self._attempts[key] += 1
            attempt = self._attempts[key]
        sent = Sent(key, attempt, f"{trace_of}{attempt:08x}", time.monotonic())
        self.tell(sent)
        return sent

    @property
    def acknowledged(self) -> int:
        with self._changed:
            return len(self._acknowledged)

    @property
    def cuts(self) -> int:
        with self._changed:
            return self._cuts

    def wait_for(self, acknowledged: int, cuts: int, seconds: float) -> bool:
        """Wait until so much has happened, at most so long; whether it has."""
        with self._changed:
            return self._changed.wait_for(
                lambda: len(self._acknowledged) >= acknowledged and self._cuts >= cuts, seconds
            )

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> list[Record]:
    """The records of a file."""
    records: list[Record] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        records.append(KINDS[document.pop("what")](**document))
    return records


@dataclass
class Story:
    """A history, sorted by command."""

    commands: dict[str, Command] = field(default_factory=dict)
    sent: dict[str, list[Sent]] = field(default_factory=dict)
    answers: dict[str, list[Answered]] = field(default_factory=dict)
    lost: list[LostCommit] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)
    risen: list[Risen] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    told_of: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What the processor has told of a payment: the keys of that."""

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Story":
        story = cls()
        for record in records:
            story._take(record)
        return story

    def _take(self, record: Record) -> None:
        match record:
            case Command():
                self.commands[record.key] = record
                self.sent[record.key], self.answers[record.key] = [], []
                if record.function == WEBHOOK:
                    about = record.body["data"]["object"]["metadata"]
                    self.told_of[about["paymentIntentId"]].append(record.key)
            case Sent():
                self.sent[record.key].append(record)
            case Answered():
                self.answers[record.key].append(record)
            case LostCommit():
                self.lost.append(record)
            case Struck():
                self.struck.append(record)
            case Risen():
                self.risen.append(record)
            case Cut():
                self.cuts.append(record)
            case Arrived():
                self.arrived.append(record)
            case Unanswered():
                pass

    def acknowledged(self, key: str) -> list[Answered]:
        """The answers that say that it is done, in their order."""
        return [answer for answer in self.answers[key] if answer.acknowledges]

    def refused(self, key: str) -> list[Answered]:
        """The answers that say that it will not be done."""
        return [
            answer
            for answer in self.answers[key]
            if not answer.acknowledges and not answer.asks_again
        ]

    def is_open(self, key: str) -> bool:
        """Whether its client knows neither that it is done nor that it is refused."""
        return not self.acknowledged(key) and not self.refused(key)
