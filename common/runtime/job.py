"""The shell around every job: the loop, the bounds, the end of it, and the word about it (JOB-1).

A job that does items finds those that are due, in rounds of all tenants, and does each in a
transaction of its own: killed at any instruction and started again, it finds what is left. One that
failed keeps no other from being done, and is the reason for an exit code other than 0; where its
job says how, it is put off as what had no answer, the longer the more often, so that no poisoned
item is asked for at each run for ever.

While a restored database only reads until it agrees with the world, a run refuses to begin, and one
that is running ends; only what brings that about serves on (OPS-3).

A job that keeps watch is asked for one step after the other. A step that breaks is tried again
after a pause, because the next minute's job would meet the same trouble.

Work is split over the tasks of an execution: tenants by their id, whatever else the job divides.
"""

import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from common.domain.refusal import Refusal
from common.ports.jobs import FoundWrong, JobPowers, Round, Step, Turn
from common.ports.telemetry import DUE, ITEMS, Telemetry, begun, measure
from common.ports.transactions import (
    Caller,
    DatabaseUnavailable,
    OutcomeUnknown,
    SettingsMissing,
    StoredAnswer,
    TryAgain,
)
from common.runtime.declaration import JobDeclaration
from common.runtime.execute import Call, Runner
from common.runtime.logging import Log, Origin, Severity
from common.runtime.problems import full_code
from common.runtime.progress import Orders, Progress, Watch
from common.runtime.rounds import Line, begun_anywhere, lines
from common.runtime.system import SystemActor
from common.runtime.trace import Trace
from common.runtime.watching import note_condition

POLL_SECONDS: Final = 0.1
PAUSE_SECONDS_MAX: Final = 10.0
IN_RECOVERY: Final = "in_recovery"
BROKEN: Final = "broken"
_DATABASE_AILS: Final = (DatabaseUnavailable, OutcomeUnknown, TryAgain)
_UNSTORED: Final = StoredAnswer(b"", 204, {}, "")


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
        """Run a job to its end, or until `stop` is set; `tell` hears of its progress.

        Whatever it meets, it is told: a run that cannot even begin, for want of a database say, is
        one that failed.
        """
        progress = Progress(
            declaration.name, task=orders.task, tasks=orders.tasks, dry_run=orders.dry_run
        )
        watch = Watch(progress, tell, declaration.timeout_seconds)
        try:
            return watch.ended(self._ended(declaration, orders, stop, watch))
        except Exception as error:  # noqa: BLE001 - whatever it is, the summary says so
            self._log.problem(_origin(declaration), code=_code_of(error), error=error)
            progress.failed += 1
            return watch.ended(BROKEN)

    def _ended(
        self, declaration: JobDeclaration, orders: Orders, stop: threading.Event, watch: Watch
    ) -> str:
        """How a run ended."""
        if declaration.keeps_watch:
            self._tell_condition()
            if self._began_to_recover(declaration, watch):
                return IN_RECOVERY
            return self._keep_watch(declaration, orders, stop, watch)
        if self._refuses(declaration, watch):
            return IN_RECOVERY
        outcome = self._do_items(declaration, orders, stop, watch)
        if self._telemetry is not None and not orders.tenants:
            due = watch.progress.due
            self._telemetry.measured(DUE, due, {"billing.job": declaration.name})
        return outcome

    def _tell_condition(self) -> None:
        """What keeps watch is fired every minute: so levels are measured that often."""
        if self._telemetry is not None:
            note_condition(self._powers.condition.look(), self._telemetry.measured)

    def _refuses(self, declaration: JobDeclaration, watch: Watch) -> bool:
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
        self, declaration: JobDeclaration, orders: Orders, stop: threading.Event, watch: Watch
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
                    return "done" if step else BROKEN
                watch.look()
                if step is None:
                    stop.wait(min(POLL_SECONDS * 2**broken, PAUSE_SECONDS_MAX))
                elif step.idle:
                    stop.wait(POLL_SECONDS)
            return "stopped"
        finally:
            if declaration.leave is not None:
                declaration.leave(self._powers)

    def _began_to_recover(self, declaration: JobDeclaration, watch: Watch) -> bool:
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
        self, declaration: JobDeclaration, orders: Orders, stop: threading.Event, watch: Watch
    ) -> str:
        """A round of each tenant's items after the other, until none has any left."""
        waiting = lines(self._tenants_in_turn(declaration, orders))
        while waiting:
            if over := watch.over(stop):
                return over
            line = waiting.popleft()
            items = self._due(declaration, orders, line, watch)
            if items:
                waiting.append(line)
            for item in items:
                if over := watch.over(stop):
                    return over
                failed = watch.progress.failed
                if orders.dry_run:
                    self._preview(declaration, line.tenant_id, item, watch)
                else:
                    self._do(declaration, line.tenant_id, item, watch)
                watch.look()
                if watch.progress.failed > failed and self._began_to_recover(declaration, watch):
                    return IN_RECOVERY
        return "done"

    def _tenants_in_turn(self, declaration: JobDeclaration, orders: Orders) -> Sequence[UUID]:
        """The tenants of this task: those that were ordered, or all, or those alone of which the
        job has something to do."""
        if orders.tenants:
            return _share(orders.tenants, orders)
        found = self._watched.get(declaration.tenants, self._tenants)()
        return begun_anywhere(_share(found, orders), declaration.name, self._powers.now())

    def _due(
        self, declaration: JobDeclaration, orders: Orders, line: Line, watch: Watch
    ) -> Sequence[Any]:
        """The next items of a tenant, each once in a run."""

        def find(limit: int) -> Sequence[Any]:
            looked_for = Round(limit=limit, as_of=orders.as_of)
            return self._find(declaration, line.tenant_id, looked_for, watch)

        fresh = line.next_round(find)
        watch.progress.due += len(fresh)
        return fresh

    def _find(
        self, declaration: JobDeclaration, tenant_id: UUID, looked_for: Round, watch: Watch
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

    def _do(self, declaration: JobDeclaration, tenant_id: UUID, item: Any, watch: Watch) -> None:
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
                self._put_off(declaration, tenant_id, item, error)
            else:
                watch.progress.done += 1
            measure(ITEMS, 1, {**about, "billing.outcome": "failed" if noted.failed else "done"})

    def _put_off(
        self, declaration: JobDeclaration, tenant_id: UUID, item: Any, error: Exception
    ) -> None:
        """Let an item that failed wait; what ails the database says nothing of the item."""
        if declaration.put_off is None or isinstance(error, _DATABASE_AILS):
            return
        put_off, why = declaration.put_off, _code_of(error)
        call = _call(declaration, tenant_id, lambda due, tx: put_off(due, why, tx), item)
        try:
            self._runner.run(replace(call, perform=None, record=None))
        except Exception:  # noqa: BLE001 - it stays due; that it failed has been told
            return

    def _preview(
        self, declaration: JobDeclaration, tenant_id: UUID, item: Any, watch: Watch
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
        self, declaration: JobDeclaration, tenant_id: UUID, error: Exception, watch: Watch
    ) -> None:
        watch.progress.failed += 1
        if isinstance(error, FoundWrong):
            for name, count in error.findings.items():
                self._log.finding(_origin(declaration, tenant_id), code=name, count=count)
            return
        self._log.problem(_origin(declaration, tenant_id), code=_code_of(error), error=error)


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


def _code_of(error: Exception) -> str:
    return full_code(error) if isinstance(error, Refusal) else type(error).__name__


def _share(tenants: Sequence[UUID], orders: Orders) -> list[UUID]:
    """The tenants of this task: the same in every run with so many tasks."""
    return [each for each in tenants if zlib.crc32(each.bytes) % orders.tasks == orders.task]


def _origin(declaration: JobDeclaration, tenant_id: UUID | None = None) -> Origin:
    return Origin(
        tenant_id=tenant_id,
        actor_id=f"system:{declaration.name}",
        route=f"jobs/{declaration.name}",
    )


__all__ = ["POLL_SECONDS", "JobShell", "Orders", "Progress"]
