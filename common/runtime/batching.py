"""Many small commands of one tenant in one transaction, when there are many (FOL-5).

A busy restaurant posts more charges in a second than one folio's lock and one commit each can take.
As soon as a tenant calls a function more than 50 times in a second on this instance, calls that
arrive while another one is at work wait for it and then go together, at most 25 in a transaction.
Each caller hears exactly what it would have heard alone; nobody waits when there is no crowd.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import field
from typing import Final
from uuid import UUID

from common.domain.dataclass import dataclass
from common.runtime.execute import Call, Result, Runner

CALLS_PER_SECOND: Final = 50
CALLS_TOGETHER_MAX: Final = 25
QUEUES_KEPT_MAX: Final = 1000


class LostInTheCrowd(Exception):
    """The thread that ran this call together with others was torn away from it."""


@dataclass(slots=True, eq=False)
class _Waiting:
    call: Call
    woken: threading.Event = field(default_factory=threading.Event)
    result: Result | Exception | None = None


@dataclass(slots=True)
class _Queue:
    """The calls of one tenant to one function on this instance."""

    arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=CALLS_PER_SECOND))
    waiting: deque[_Waiting] = field(default_factory=deque)
    working: bool = False

    def is_crowded(self, now: float) -> bool:
        """Count an arrival; say whether more than 50 came within the last second."""
        crowded = len(self.arrivals) == CALLS_PER_SECOND and now - self.arrivals[0] < 1.0
        self.arrivals.append(now)
        return crowded


class Batcher:
    """Runs calls alone, or together when they crowd."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._queues: OrderedDict[tuple[UUID, object], _Queue] = OrderedDict()
        self.together = 0

    def run(self, call: Call) -> Result:
        """Run a call to its answer; raises as the runner does."""
        mine = _Waiting(call)
        with self._lock:
            queue = self._queue((call.tenant_id, call.use_case))
            crowded = queue.is_crowded(time.monotonic())
            leads = crowded and not queue.working
            if crowded:
                queue.waiting.append(mine)
                queue.working = True
        if not crowded:
            return self._runner.run(call)
        if not leads:
            mine.woken.wait()
        if mine.result is None:
            self._lead(queue)
        if isinstance(mine.result, Result):
            return mine.result
        raise mine.result or RuntimeError("a waiting call was left without a result")

    def _lead(self, queue: _Queue) -> None:
        """Run what waits, one's own call first among it; then let the next one lead."""
        with self._lock:
            size = min(len(queue.waiting), CALLS_TOGETHER_MAX)
            crowd = [queue.waiting.popleft() for _ in range(size)]
            self.together += size > 1
        results: Sequence[Result | Exception] = [LostInTheCrowd()] * size
        try:
            results = self._runner.run_together([waiting.call for waiting in crowd])
        finally:
            for waiting, result in zip(crowd, results, strict=True):
                waiting.result = result
                waiting.woken.set()
            with self._lock:
                if queue.waiting:
                    queue.waiting[0].woken.set()
                else:
                    queue.working = False

    def _queue(self, name: tuple[UUID, object]) -> _Queue:
        queue = self._queues.setdefault(name, _Queue())
        self._queues.move_to_end(name)
        if len(self._queues) > QUEUES_KEPT_MAX:
            oldest = next(iter(self._queues))
            if not self._queues[oldest].working:
                del self._queues[oldest]
        return queue
