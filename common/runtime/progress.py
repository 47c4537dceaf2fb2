"""What a run of a job is told, how far it has come, and when it has to end (JOB-1, JOB-2)."""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, field
from datetime import date
from typing import Final
from uuid import UUID

from common.domain.dataclass import dataclass

PROGRESS_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a run is told: its share of the tasks, and what a person may ask of it.

    `once` ends a watch as soon as nothing waits; `dry_run` finds what is due and does nothing.
    """

    task: int = 0
    tasks: int = 1
    once: bool = False
    as_of: date | None = None
    tenants: tuple[UUID, ...] = ()
    dry_run: bool = False


@dataclass(slots=True)
class Progress:
    """How far a run has come.

    `due` items were found, `done` are done, `failed` ones failed at their last attempt; when time
    was up or somebody stopped the run, there may be others `left`. `preview` is what a dry run says
    of what would be done.
    """

    job: str
    outcome: str = "working"
    due: int = 0
    done: int = 0
    failed: int = 0
    left: bool = False
    seconds: float = 0.0
    task: int = 0
    tasks: int = 1
    dry_run: bool = False
    preview: list[dict[str, object]] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 only when all was done."""
        return 1 if self.failed or self.left else 0

    def as_json(self) -> dict[str, object]:
        """The summary, under the names of the wire."""
        fields = asdict(self)
        fields["dryRun"] = fields.pop("dry_run")
        if not self.preview:
            del fields["preview"]
        fields["seconds"] = round(self.seconds, 3)
        return fields


@dataclass(slots=True)
class Watch:
    """The clock of one run, and who is told how far it has come."""

    progress: Progress
    tell: Callable[[Progress], None]
    timeout_seconds: float
    started: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)

    @property
    def time_is_up(self) -> bool:
        return self.elapsed() >= self.timeout_seconds

    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def look(self) -> None:
        """Tell the progress, every now and then."""
        if time.monotonic() - self.told >= PROGRESS_SECONDS:
            self.told = time.monotonic()
            self.progress.seconds = self.elapsed()
            self.tell(self.progress)

    def over(self, stop: threading.Event) -> str:
        """Why a run has to end with something left, if it has to."""
        if not stop.is_set() and not self.time_is_up:
            return ""
        self.progress.left = True
        return "stopped" if stop.is_set() else "time_is_up"

    def ended(self, outcome: str) -> Progress:
        self.progress.outcome = outcome
        self.progress.seconds = self.elapsed()
        return self.progress
