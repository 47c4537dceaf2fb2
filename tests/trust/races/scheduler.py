"""One worker at a time, on a real server: every statement is a point where another may go on.

Workers are threads that run real use cases. Each stops before every statement and goes on when it
is its turn; then everybody waits until it stands at its next point, has ended, or waits for a lock,
which the server itself tells (`pg_blocking_pids`). Whoever its step has set free runs to its next
point as well, before the next turn is given. So nothing happens at once but what the schedule says,
and the same schedule gives the same trace.

Two things may take time in the server and are waited for: a backend whose client has died, which
has to notice it, and a deadlock, which the server resolves after a second.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pg8000.native

from tests.trust.races.schedule import BEGINNING, Place, Schedule
from tests.trust.races.stepping import Died, Fault, SteppedConnection, step_as

PATIENCE_SECONDS = 30
GLANCE_SECONDS = 0.002
POINTS_MAX = 1_000
# Asked dozens of times a play: in one round trip, as nothing is told apart from the question.
# Who does not take part is not waited for in the trace: the server's own vacuum holds a table for a
# moment, whenever it likes.
BLOCKED = "SELECT pg_blocking_pids({pid}) && '{{{players}}}'"
THERE = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})"


class Stuck(AssertionError):
    """Nobody can move, or somebody never ends: the harness's or the service's fault."""


@dataclass(frozen=True)
class Event:
    """One line of a trace: who, at which of its points, and what it did or what became of it."""

    worker: int
    point: int
    what: str


class Worker:
    """A thread that runs one call, statement by statement.

    It has `arrived` where it stands at a point or has `ended`; else it runs, or is `waiting` for a
    lock. A `polite` one only asks again whether others are done.
    """

    def __init__(self, place: int, name: str, call: Callable[[], Any]) -> None:
        self.place = place
        self.name = name
        self.arrived = threading.Event()
        self.ended = False
        self.waiting = False
        self.waiting_since = 0
        self.polite = False
        self.points = 0
        self.label = ""
        self.answer: Any = None
        self.trouble: BaseException | None = None
        self.connection: SteppedConnection | None = None
        self.pids: set[int] = set()
        self.torn: list[int] = []
        self._call = call
        self._fault: Fault | None = None
        self._given_up = False
        self._go = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def ready(self) -> bool:
        """Whether it stands at a point."""
        return self.arrived.is_set() and not self.ended

    @property
    def at(self) -> Place:
        return self.place, self.points

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join(PATIENCE_SECONDS)

    def let_go(self, fault: Fault | None) -> None:
        """Let it do what it stands before."""
        self._fault = fault
        self.arrived.clear()
        self._go.release()

    def point(self, connection: SteppedConnection, label: str) -> Fault | None:
        """Called in the worker's own thread, before a statement."""
        self.points += 1
        self.label = label
        self.connection = connection
        self.pids.add(connection.pid)
        self.arrived.set()
        if not self._given_up:
            self._go.acquire()
        return Fault.DIES_BEFORE if self._given_up else self._fault

    def give_up(self) -> None:
        """Die at the next point, and at every one after it."""
        self._given_up = True
        self._go.release()

    def _run(self) -> None:
        step_as(self)
        try:
            self.answer = self._call()
        except Died:
            self.answer = None
        except BaseException as trouble:  # noqa: BLE001 - raised again where the play is judged
            self.trouble = trouble
        finally:
            self.ended = True
            self.arrived.set()


class Scheduler:
    """Lets workers go on, one at a time, as a schedule says. `admin` looks at the server."""

    def __init__(
        self, workers: Sequence[Worker], schedule: Schedule, admin: pg8000.native.Connection
    ) -> None:
        self._workers = workers
        self._schedule = schedule
        self._admin = admin
        self.trace: list[Event] = []
        self.deadlocks = 0

    def play(self) -> None:
        """Run all workers to their ends. Raises Stuck, and then nobody holds anything any more."""
        try:
            self._play()
        except BaseException:
            self._end_it()
            raise

    def _play(self) -> None:
        for worker in self._workers:
            worker.start()
            self._settle(worker)
        last, place = 0, BEGINNING
        while True:
            ready = [each.place for each in self._workers if each.ready]
            if not ready:
                if all(each.ended for each in self._workers):
                    break
                self._wait_for_the_server()
                continue
            last = self._schedule.next(place, self._usual(last, ready), ready)
            worker = self._workers[last]
            place = worker.at
            if worker.points > POINTS_MAX:
                raise Stuck(f"{worker.name} comes to no end")
            self._step(worker)
        for worker in self._workers:
            worker.join()

    def _end_it(self) -> None:
        for worker in self._workers:
            worker.give_up()
            if worker.connection is not None:
                self._admin.run("SELECT pg_terminate_backend(:pid)", pid=worker.connection.pid)
        for worker in self._workers:
            worker.join()

    def _usual(self, last: int, ready: Sequence[int]) -> int:
        """The one who works goes on, unless it would only ask again whether others are done."""
        if last in ready and not (self._workers[last].polite and len(ready) > 1):
            return last
        others = [place for place in ready if place != last] or ready
        return next((place for place in others if place > last), others[0])

    def _step(self, worker: Worker) -> None:
        fault = self._schedule.fault(worker.at)
        self._note(worker, f"{worker.label}, {fault.value}" if fault else worker.label)
        first, *others = self._line() or [None]
        for other in others:
            _signal(other, signal.SIGSTOP)
        try:
            worker.let_go(fault)
            self._settle(worker)
            for pid in worker.torn:
                self._until_gone(pid)
            worker.torn.clear()
            if first is not None:
                self._settle(first)
        finally:
            for other in others:
                _signal(other, signal.SIGCONT)
                self._settle(other)

    def _line(self) -> list[Worker]:
        """Those who wait, the longest waiting first.

        When a row was changed under several who wait for it, the server lets them run for the new
        one, and chance decides. So all but the first stand still until it has moved.
        """
        waiting = [each for each in self._workers if each.waiting]
        return sorted(waiting, key=lambda each: each.waiting_since)

    def _settle(self, worker: Worker) -> None:
        """Wait until it stands at a point, has ended, or waits for a lock."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        glance = 0.0 if worker.waiting else GLANCE_SECONDS
        while not worker.arrived.wait(glance):
            if worker.connection is not None and self._is_blocked(worker.connection.pid):
                if not worker.waiting:
                    worker.waiting = True
                    worker.waiting_since = len(self.trace)
                    self._note(worker, "waits")
                return
            if time.monotonic() > deadline:
                raise Stuck(f"{worker.name} neither moves nor waits, at {worker.label!r}")
            glance = GLANCE_SECONDS
        if worker.waiting:
            worker.waiting = False
            self._note(worker, "goes on")

    def _wait_for_the_server(self) -> None:
        """All wait for one another: the server will break the circle."""
        self.deadlocks += 1
        waiting = [each for each in self._workers if each.waiting]
        self._note(waiting[0], "all wait for one another")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not any(each.arrived.wait(GLANCE_SECONDS) for each in waiting):
            if time.monotonic() > deadline:
                raise Stuck("all wait for one another, and for ever")
        for each in waiting:
            self._settle(each)

    def _until_gone(self, pid: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._asks(THERE, pid):
            if time.monotonic() > deadline:
                raise Stuck("the server does not notice that a client has died")

    def _is_blocked(self, pid: int) -> bool:
        """Whether it waits for another player."""
        players = sorted(pid for worker in self._workers for pid in worker.pids)
        return self._asks(BLOCKED, pid, players=",".join(map(str, players)))

    def _asks(self, question: str, pid: int, **more: str) -> bool:
        return bool(self._admin.run(question.format(pid=pid, **more))[0][0])

    def _note(self, worker: Worker, what: str) -> None:
        self.trace.append(Event(worker.place, worker.points, what))


def _signal(worker: Worker, how: signal.Signals) -> None:
    """Stop the server's process behind a worker that waits, or let it go on."""
    if worker.connection is not None:
        os.kill(worker.connection.pid, how)
