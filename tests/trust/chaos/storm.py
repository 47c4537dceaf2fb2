"""A seeded storm: which fault comes next, whom it hits, and at which moment of a commit.

The storm goes by the clients' progress and not by the clock: so many commands are acknowledged
between one fault and the next, on a slow machine as on a fast one.
"""

import random
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial

from tests.trust.chaos.deployment import Deployment
from tests.trust.chaos.history import History, Struck
from tests.trust.chaos.processes import Supervised
from tests.trust.chaos.wire import Ambush, Moment

WAIT_FOR_COMMANDS_SECONDS = 30.0
WAIT_FOR_MOMENT_SECONDS = 2.0


class Fault(Enum):
    """What can happen."""

    FUNCTION_KILLED = "function killed"
    WORKER_KILLED = "worker killed"
    DRAINER_KILLED = "drainer killed"
    DATABASE_STOPPED = "database stopped at once"
    POSTMASTER_KILLED = "postmaster killed"
    BACKEND_KILLED = "backend killed"
    BACKEND_ENDED = "backend ended"


PROCESS_KILLS = {Fault.FUNCTION_KILLED, Fault.WORKER_KILLED, Fault.DRAINER_KILLED}
DATABASE_CRASHES = {Fault.DATABASE_STOPPED, Fault.POSTMASTER_KILLED, Fault.BACKEND_KILLED}
SMALL_DECK = (
    *(Fault.FUNCTION_KILLED, Fault.FUNCTION_KILLED, Fault.WORKER_KILLED, Fault.DRAINER_KILLED),
    *(Fault.DATABASE_STOPPED, Fault.BACKEND_KILLED, Fault.BACKEND_ENDED),
)
LONG_DECK = (
    *(Fault.FUNCTION_KILLED,) * 5,
    *(Fault.WORKER_KILLED, Fault.DRAINER_KILLED),
    *(Fault.DATABASE_STOPPED,) * 2,
    *(Fault.POSTMASTER_KILLED, Fault.BACKEND_KILLED, Fault.BACKEND_ENDED),
)


@dataclass
class Storm:
    """Strikes a deployment."""

    deployment: Deployment
    history: History
    seed: int

    def __post_init__(self) -> None:
        self._dice = random.Random(f"{self.seed}/storm")
        self._victims: list[Supervised] = []

    def rage(
        self, deck: Sequence[Fault], commands_between: int, is_over: Callable[[], bool]
    ) -> None:
        """Deal the shuffled deck once, and again until it is over."""
        for number, fault in enumerate(self._dealt(deck)):
            if number >= len(deck) and is_over():
                return
            wanted = self.history.acknowledged + commands_between
            self.history.wait_for(wanted, 0, WAIT_FOR_COMMANDS_SECONDS)
            self._strike(fault)

    def _dealt(self, deck: Sequence[Fault]) -> Iterator[Fault]:
        while True:
            yield from self._dice.sample(deck, len(deck))

    def _strike(self, fault: Fault) -> None:
        moment = self._dice.choice(list(Moment))
        match fault:
            case Fault.FUNCTION_KILLED:
                victim = self._next_function()
                self._at(moment, fault, victim, victim.kill)
            case Fault.WORKER_KILLED:
                moment = self._dice.choice([Moment.COMMIT_SENT, Moment.COMMIT_DONE])
                victim = self.deployment.functions["post_charge"]
                self._at(moment, fault, victim, victim.kill_worker)
            case Fault.DRAINER_KILLED:
                self._strike_drainer()
            case Fault.DATABASE_STOPPED | Fault.POSTMASTER_KILLED:
                stopped = fault is Fault.DATABASE_STOPPED
                how = signal.SIGQUIT if stopped else signal.SIGKILL
                cluster = self.deployment.cluster
                self._at(moment, fault, None, partial(cluster.strike, how))
                cluster.restart()
            case Fault.BACKEND_KILLED | Fault.BACKEND_ENDED:
                self._strike_backend(fault)

    def _strike_drainer(self) -> None:
        """Kill it when the broker has an event, which it has hardly marked yet."""
        deployment = self.deployment
        deployment.event_came.clear()
        deployment.event_came.wait(WAIT_FOR_MOMENT_SECONDS)
        self._tell(Fault.DRAINER_KILLED, deployment.drainer.name)
        deployment.drainer.kill()

    def _strike_backend(self, fault: Fault) -> None:
        cluster = self.deployment.cluster
        strike = cluster.kill_backend if fault is Fault.BACKEND_KILLED else cluster.end_backend
        give_up = time.monotonic() + WAIT_FOR_COMMANDS_SECONDS
        self._tell(fault, "a function's")
        while not strike():  # until there is one: functions connect when they are first called
            assert time.monotonic() < give_up, "no function has a connection"
            self.history.wait_for(self.history.acknowledged + 1, 0, WAIT_FOR_MOMENT_SECONDS)

    def _at(
        self,
        moment: Moment,
        fault: Fault,
        victim: Supervised | None,
        strike: Callable[[], None],
    ) -> None:
        """Strike at the moment of a commit of the victim, or after a while without one."""

        def now() -> None:
            self._tell(fault, victim.name if victim else "postgresql")
            strike()

        waits_for = victim.is_in if victim else lambda _: True
        if moment is not Moment.NOW:
            ambush = Ambush(moment, waits_for, now)
            if self.deployment.wire.lie_in_wait(ambush, WAIT_FOR_MOMENT_SECONDS):
                return
        now()

    def _next_function(self) -> Supervised:
        """Each function in its turn, in a seeded order."""
        if not self._victims:
            functions = list(self.deployment.functions.values())
            self._victims = self._dice.sample(functions, len(functions))
        return self._victims.pop()

    def _tell(self, fault: Fault, whom: str) -> None:
        self.history.tell(Struck(fault.value, whom, time.monotonic()))
