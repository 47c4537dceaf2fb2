"""The laptop's scheduler: fires the jobs on their declared schedules, by the clock that moves.

It does what Cloud Scheduler and Cloud Run jobs do in a deployment: a job runs by itself, one run of
it at a time. When the clock is moved on by a night, every job that was due in it is fired once, as
the next morning would find it. A job that keeps watch runs from the start and again when it ends.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Self

from common.local.schedule import Schedule
from common.runtime.declaration import JobDeclaration

LOOK_SECONDS: Final = 0.25
EVERY_MINUTE: Final = "* * * * *"
STOP_SECONDS_MAX: Final = 30.0
Fire = Callable[[JobDeclaration, threading.Event], object]


class Scheduler:
    """Fires `jobs` through `fire`, which runs one to its end or until the event is set."""

    def __init__(
        self, jobs: Sequence[JobDeclaration], fire: Fire, now: Callable[[], datetime]
    ) -> None:
        self._fire = fire
        self._now = now
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep, args=(job,), name=job.name, daemon=True)
            for job in jobs
        ]

    def __enter__(self) -> Self:
        """Keep every job's schedule from now on."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Tell running jobs to stop, and wait until they have."""
        self._stop.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS_MAX)

    def _keep(self, job: JobDeclaration) -> None:
        schedule = Schedule.of(job.schedule)
        stands = job.keeps_watch and job.schedule == EVERY_MINUTE
        due = self._now() if stands else schedule.next_after(self._now())
        while not self._stop.is_set():
            now = self._now()
            if now >= due:
                self._fire(job, self._stop)
                due = now if stands else schedule.next_after(now)
            self._stop.wait(LOOK_SECONDS)
