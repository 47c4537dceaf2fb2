"""The shell around every job: the loop, the bounds, the end of it, and the word about it (JOB-1).

A job that does items finds those that are due, tenant by tenant, and does each in a transaction of
its own: killed at any instruction and started again, it finds what is left. One that failed keeps
no other from being done, and is the reason for an exit code other than 0.

While a restored database only reads until it agrees with the world, a run refuses to begin, and one
that is running ends; only what brings that about serves on (OPS-3).

A job that keeps watch is asked for one step after the other. A step that breaks is tried again
after a pause, because the next minute's job would meet the same trouble.

Work is split over the tasks of an execution: tenants by their id, whatever else the job divides.
"""

import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from common.domain.dataclass import dataclass
from common.domain.refusal import Refusal
from common.ports.jobs import FoundWrong, JobPowers, Round, Step, Turn
from common.ports.telemetry import DUE, ITEMS, Telemetry, begun, measure
from common.ports.transactions import Caller, SettingsMissing, StoredAnswer
from common.runtime.declaration import JobDeclaration
from common.runtime.execute import Call, Runner
from common.runtime.logging import Log, Origin, Severity
from common.runtime.problems import full_code
from common.runtime.system import SystemActor
from common.runtime.trace import Trace
from common.runtime.watching import note_condition

POLL_SECONDS: Final = 0.1
PAUSE_SECONDS_MAX: Final = 10.0
PROGRESS_SECONDS: Final = 10.0
ITEMS_PER_ROUND: Final = 100
IN_RECOVERY: Final = "in_recovery"
_UNSTORED: Final = StoredAnswer(b"", 204, {}, "")


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
class _Watch:
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

    def ended(self, outcome: str) -> Progress:
        self.progress.outcome = outcome
        self.progress.seconds = self.elapsed()
        return self.progress


class JobShell:
    """Runs declared jobs. `tenants` answers the tenants of this cell, `watched` by a name
    those of them for whom a job has something to do, `recovering` since when the database only
    reads after a restore."""

    def __init__(
        self,
        *,
        runner: Runner,
        powers: JobPowers,
        tenants: Callable[[], Sequence[UUID]],
        watched: Mapping[str, Callable[[], Sequence[UUID]]] = MappingProxyType({}),
        recovering: Callable[[], datetime | None] = lambda: None,
        log: Log,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry
        self._runner = runner
        self._powers = powers
        self._tenants = tenants
        self._watched = watched
        self._recovering = recovering
        self._log = log

    def run(
        self,
        declaration: JobDeclaration,
        orders: Orders,
        *,
        stop: threading.Event,
        tell: Callable[[Progress], None],
    ) -> Progress:
        """Run a job to its end, or until `stop` is set; `tell` hears of its progress."""
        progress = Progress(
            declaration.name, task=orders.task, tasks=orders.tasks, dry_run=orders.dry_run
        )
        watch = _Watch(progress, tell, declaration.timeout_seconds)
        if declaration.keeps_watch:
            self._tell_condition()
            if self._began_to_recover(declaration, watch):
                return watch.ended(IN_RECOVERY)
            return watch.ended(self._keep_watch(declaration, orders, stop, watch))
        if self._refuses(declaration, watch):
            return watch.ended(IN_RECOVERY)
        outcome = self._do_items(declaration, orders, stop, watch)
        if self._telemetry is not None and not orders.tenants:
            self._telemetry.measured(DUE, progress.due, {"billing.job": declaration.name})
        return watch.ended(outcome)

    def _tell_condition(self) -> None:
        """What keeps watch is fired every minute: so levels are measured that often."""
        if self._telemetry is not None:
            note_condition(self._powers.condition.look(), self._telemetry.measured)

    def _refuses(self, declaration: JobDeclaration, watch: _Watch) -> bool:
        """Whether the database is being recovered, and this job is not what it takes."""
        if declaration.serves_recovery or self._recovering() is None:
            return False
        # no error: a person has begun it, and knows
        self._log.problem(
            _origin(declaration), code="DATABASE_IN_RECOVERY", severity=Severity.WARNING
        )
        watch.progress.left = True
        return True

    def _keep_watch(
        self, declaration: JobDeclaration, orders: Orders, stop: threading.Event, watch: _Watch
    ) -> str:
        """Step after step, until somebody else goes on, nothing waits (once), or time is up."""
        broken = 0
        try:
            while not stop.is_set():
                if watch.time_is_up:
                    watch.progress.left = orders.once
                    return "time_is_up"
                turn = Turn(
                    task=orders.task,
                    tasks=orders.tasks,
                    is_over=not orders.once and watch.elapsed() >= declaration.turn_seconds,
                )
                step = self._step(declaration, turn)
                broken = 0 if step else broken + 1
                self._count(watch.progress, step)
                if step is None and self._began_to_recover(declaration, watch):
                    return IN_RECOVERY
                if step is not None and step.finished:
                    return "handed_over"
                if orders.once and (step is None or step.idle):
                    return "done" if step else "broken"
                watch.look()
                if step is None:
                    stop.wait(min(POLL_SECONDS * 2**broken, PAUSE_SECONDS_MAX))
                elif step.idle:
                    stop.wait(POLL_SECONDS)
            return "stopped"
        finally:
            if declaration.leave is not None:
                declaration.leave(self._powers)

    def _began_to_recover(self, declaration: JobDeclaration, watch: _Watch) -> bool:
        """Whether it is so by now, if the database says so; a watch goes on without its word."""
        try:
            return self._refuses(declaration, watch)
        except Exception:  # noqa: BLE001 - what failed has been told already
            return False

    def _step(self, declaration: JobDeclaration, turn: Turn) -> Step | None:
        """One step; None when it broke."""
        try:
            step: Step = declaration.use_case(turn, self._powers)
        except Exception as error:  # noqa: BLE001 - the watch goes on whatever a step meets
            self._log.problem(_origin(declaration), code=type(error).__name__, error=error)
            return None
        return step

    def _count(self, progress: Progress, step: Step | None) -> None:
        if step is None:
            progress.failed = max(progress.failed, 1)
            return
        progress.done += step.done
        progress.failed = step.failed

    def _do_items(
        self, declaration: JobDeclaration, orders: Orders, stop: threading.Event, watch: _Watch
    ) -> str:
        """Tenant after tenant, item after item."""
        for tenant_id in _share(orders.tenants or self._tenants_of(declaration), orders):
            for item in self._due(declaration, orders, tenant_id, watch):
                if stop.is_set() or watch.time_is_up:
                    watch.progress.left = True
                    return "stopped" if stop.is_set() else "time_is_up"
                failed = watch.progress.failed
                if orders.dry_run:
                    self._preview(declaration, tenant_id, item, watch)
                else:
                    self._do(declaration, tenant_id, item, watch)
                watch.look()
                if watch.progress.failed > failed and self._began_to_recover(declaration, watch):
                    return IN_RECOVERY
        return "done"

    def _tenants_of(self, declaration: JobDeclaration) -> Sequence[UUID]:
        """All tenants, or those alone of which the job has something to do."""
        return self._watched.get(declaration.tenants, self._tenants)()

    def _due(
        self, declaration: JobDeclaration, orders: Orders, tenant_id: UUID, watch: _Watch
    ) -> Iterable[Any]:
        """The items of a tenant, each once; those that failed do not hide the ones behind them."""
        seen: set[Any] = set()
        before = watch.progress.failed if not orders.dry_run else 0
        while True:
            hidden = len(seen) if orders.dry_run else watch.progress.failed - before
            looked_for = Round(limit=ITEMS_PER_ROUND + hidden, as_of=orders.as_of)
            found = self._find(declaration, tenant_id, looked_for, watch)
            fresh = [item for item in found if item not in seen]
            if not fresh:
                return
            seen.update(fresh)
            watch.progress.due += len(fresh)
            yield from fresh

    def _find(
        self, declaration: JobDeclaration, tenant_id: UUID, looked_for: Round, watch: _Watch
    ) -> Sequence[Any]:
        try:
            call = _call(declaration, tenant_id, declaration.find, looked_for, reads_only=True)
            found: Sequence[Any] = self._runner.run(call).outcome
        except SettingsMissing:
            return ()  # a house of which nobody has told anything has nothing that could be due
        except Exception as error:  # noqa: BLE001 - one tenant's trouble is not the next one's
            self._failed(declaration, tenant_id, error, watch)
            return ()
        return found

    def _do(self, declaration: JobDeclaration, tenant_id: UUID, item: Any, watch: _Watch) -> None:
        trace, about = Trace.continued(None), {"billing.job": declaration.name}
        call = _call(declaration, tenant_id, declaration.use_case, item, trace=trace)
        name = f"job {declaration.name}"
        with begun(self._telemetry, trace.within, name, "internal") as noted:
            noted.attributes |= {**about, "billing.tenant.id": str(tenant_id)}
            try:
                self._runner.run(call)
            except Exception as error:  # noqa: BLE001 - one item's trouble is not the next one's
                noted.failed = type(error).__name__
                self._failed(declaration, tenant_id, error, watch)
            else:
                watch.progress.done += 1
            measure(ITEMS, 1, {**about, "billing.outcome": "failed" if noted.failed else "done"})

    def _preview(
        self, declaration: JobDeclaration, tenant_id: UUID, item: Any, watch: _Watch
    ) -> None:
        """What would be done with an item, where its job can say that."""
        if declaration.preview is None:
            return
        try:
            call = _call(declaration, tenant_id, declaration.preview, item, reads_only=True)
            watch.progress.preview += self._runner.run(call).outcome
        except Exception as error:  # noqa: BLE001 - one item's trouble is not the next one's
            self._failed(declaration, tenant_id, error, watch)

    def _failed(
        self, declaration: JobDeclaration, tenant_id: UUID, error: Exception, watch: _Watch
    ) -> None:
        watch.progress.failed += 1
        if isinstance(error, FoundWrong):
            for name, count in error.findings.items():
                self._log.finding(_origin(declaration, tenant_id), code=name, count=count)
            return
        code = full_code(error) if isinstance(error, Refusal) else type(error).__name__
        self._log.problem(_origin(declaration, tenant_id), code=code, error=error)


def _call(
    declaration: JobDeclaration,
    tenant_id: UUID,
    use_case: Any,
    request: Any,
    *,
    reads_only: bool = False,
    trace: Trace | None = None,
) -> Call:
    return Call(
        use_case=use_case,
        request=request,
        caller=Caller(
            actor=SystemActor.named(declaration.name, tenant_id),
            traceparent=(trace or Trace.continued(None)).parent,
        ),
        tenant_id=tenant_id,
        answer=lambda _: _UNSTORED,
        reads_only=reads_only,
        serves_recovery=declaration.serves_recovery,
        perform=None if reads_only else declaration.perform,
        record=None if reads_only else declaration.record,
    )


def _share(tenants: Sequence[UUID], orders: Orders) -> list[UUID]:
    """The tenants of this task: the same in every run with so many tasks."""
    return [each for each in tenants if zlib.crc32(each.bytes) % orders.tasks == orders.task]


def _origin(declaration: JobDeclaration, tenant_id: UUID | None = None) -> Origin:
    return Origin(
        tenant_id=tenant_id,
        actor_id=f"system:{declaration.name}",
        route=f"jobs/{declaration.name}",
    )
