"""When a job is due, in cron's words; expected moments are read off a calendar."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.local.schedule import Schedule, ScheduleUnreadable
from common.local.scheduler import LOOK_SECONDS, Scheduler
from common.runtime.declaration import JobDeclaration

pytestmark = pytest.mark.req("LOC-1", "JOB-1")

FRIDAY = datetime(2026, 11, 20, 21, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("* * * * *", "2026-11-20T21:15"),
        ("*/5 * * * *", "2026-11-20T21:15"),
        ("0 3 * * *", "2026-11-21T03:00"),
        ("30 22 * * *", "2026-11-20T22:30"),
        ("0,30 9-17/4 * * *", "2026-11-21T09:00"),
        ("5/20 * * * *", "2026-11-20T21:25"),
        ("0 0 1 * *", "2026-12-01T00:00"),
        ("0 0 * * 1", "2026-11-23T00:00"),
        ("0 0 * * 7", "2026-11-22T00:00"),
        ("0 0 13 * 5", "2026-11-27T00:00"),  # the 13th, or a Friday
        ("0 0 29 2 *", "2028-02-29T00:00"),
        ("59 23 31 12 *", "2026-12-31T23:59"),
    ],
)
def test_names_the_next_moment(words: str, expected: str) -> None:
    assert Schedule.of(words).next_after(FRIDAY).isoformat()[:16] == expected


@pytest.mark.parametrize(
    "words", ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "5-1 * * * *", "x * * * *"]
)
def test_refuses_words_that_are_not_crons(words: str) -> None:
    with pytest.raises(ScheduleUnreadable):
        Schedule.of(words)


def test_says_that_there_is_no_such_day() -> None:
    with pytest.raises(ScheduleUnreadable):
        Schedule.of("0 0 30 2 *").next_after(FRIDAY)


def job(schedule: str, **more: Any) -> JobDeclaration:
    def night_audit(item: object, tx: object) -> None: ...

    return JobDeclaration(use_case=night_audit, schedule=schedule, **more)


def test_a_night_that_was_slept_through_fires_a_job_once() -> None:
    """Due at three; the clock is moved from 21:14 to 05:14, and on by a day."""
    now = [FRIDAY]
    fired: list[datetime] = []
    once, twice = threading.Event(), threading.Event()

    def fire(declaration: JobDeclaration, stop: threading.Event) -> None:
        fired.append(now[0])
        (twice if once.is_set() else once).set()

    with Scheduler([job("0 3 * * *", find=lambda *_: ())], fire, lambda: now[0]):
        now[0] = FRIDAY + timedelta(hours=8)
        assert once.wait(10)
        now[0] = FRIDAY + timedelta(hours=32)
        assert twice.wait(10)

    assert fired == [FRIDAY + timedelta(hours=8), FRIDAY + timedelta(hours=32)]


def test_a_job_that_keeps_watch_runs_from_the_start_until_it_is_stopped() -> None:
    began, ended = threading.Event(), threading.Event()

    def fire(declaration: JobDeclaration, stop: threading.Event) -> None:
        began.set()
        stop.wait()
        ended.set()

    with Scheduler([job("* * * * *")], fire, lambda: FRIDAY):
        assert began.wait(10)
        assert not ended.is_set()

    assert ended.is_set()


def test_one_that_works_step_by_step_at_night_is_not_fired_all_day() -> None:
    """It ends by itself when nothing is left, and is due once a night; at midday it is not."""
    now = [FRIDAY]
    fired: list[datetime] = []
    came = threading.Event()

    def fire(declaration: JobDeclaration, stop: threading.Event) -> None:
        fired.append(now[0])
        came.set()

    with Scheduler([job("40 3 * * *")], fire, lambda: now[0]):
        assert not came.wait(4 * LOOK_SECONDS)
        now[0] = FRIDAY + timedelta(hours=8)
        assert came.wait(10)
        came.clear()
        assert not came.wait(4 * LOOK_SECONDS)

    assert fired == [FRIDAY + timedelta(hours=8)]
