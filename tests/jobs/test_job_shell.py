"""The shell around jobs: every item once, its trouble its own, and the word at the end."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.domain.refusal import Unmet
from common.local.functions import job_declarations
from common.ports.jobs import Round, Step, Turn
from common.ports.transaction import Transaction
from common.ports.transactions import DatabaseUnavailable
from common.runtime.declaration import JobDeclaration
from common.runtime.job import JobShell, Orders, Progress
from common.runtime.rounds import ITEMS_PER_ROUND, begun_anywhere
from common.runtime.system import SystemActor
from tests.jobs.cell import Cell

pytestmark = pytest.mark.req("JOB-1")


class RoomClosed(Unmet):
    code = "ROOM_CLOSED"
    title = "The room is closed"


class Rooms:
    """Rooms to clean: each tenant has some, those that are done are due no more."""

    def __init__(self, dirty: dict[UUID, list[int]]) -> None:
        self.dirty = dirty
        self.cleaned: list[tuple[UUID, int]] = []
        self.asked: list[Round] = []
        self.refused: set[int] = set()
        self.broken: set[int] = set()
        self.stained: set[int] = set()
        self.ails: Exception = ZeroDivisionError()
        self.afterwards: Callable[[], None] = lambda: None

    def due(self, which: Round, tx: Transaction) -> Sequence[int]:
        self.asked.append(which)
        return self.dirty[tx.actor.tenant_id][: which.limit]

    def clean(self, room: int, tx: Transaction) -> None:
        """Clean a room."""
        assert isinstance(tx.actor, SystemActor)
        assert tx.actor.sub == "system:clean"
        assert tx.actor.holds(uuid4())
        if room in self.refused:
            raise RoomClosed()
        if room in self.broken:
            raise self.ails
        if room not in self.stained:
            self.dirty[tx.actor.tenant_id].remove(room)
        self.cleaned.append((tx.actor.tenant_id, room))
        self.afterwards()

    def declaration(self, **options: Any) -> JobDeclaration:
        def clean(room: int, tx: Transaction) -> None:
            self.clean(room, tx)

        return JobDeclaration(use_case=clean, schedule="0 * * * *", find=self.due, **options)


@pytest.fixture
def rooms(cell: Cell) -> Rooms:
    return Rooms({cell.new_tenant(): [1, 2, 3], cell.new_tenant(): [4, 5]})


@pytest.fixture
def shell(cell: Cell) -> JobShell:
    return cell.wiring().job_shell


def run(
    shell: JobShell,
    declaration: JobDeclaration,
    stop: threading.Event | None = None,
    tell: Callable[[Progress], None] = lambda _: None,
    **orders: Any,
) -> Progress:
    return shell.run(declaration, Orders(**orders), stop=stop or threading.Event(), tell=tell)


def test_does_every_item_of_every_tenant(rooms: Rooms, shell: JobShell) -> None:
    progress = run(shell, rooms.declaration())

    assert sorted(room for _, room in rooms.cleaned) == [1, 2, 3, 4, 5]
    assert (progress.done, progress.failed, progress.due) == (5, 0, 5)
    assert (progress.outcome, progress.exit_code) == ("done", 0)


def test_one_items_trouble_is_not_the_next_ones(rooms: Rooms, shell: JobShell) -> None:
    """Of five rooms one is refused and one breaks: three are done, and the exit code says so."""
    rooms.refused, rooms.broken = {1}, {4}

    progress = run(shell, rooms.declaration())

    assert sorted(room for _, room in rooms.cleaned) == [2, 3, 5]
    assert (progress.done, progress.failed, progress.exit_code) == (3, 2, 1)


def test_failing_items_do_not_hide_those_behind_them(cell: Cell, shell: JobShell) -> None:
    """More rooms than a round takes are closed, and stand in front of one that is not."""
    last = ITEMS_PER_ROUND + 50
    rooms = Rooms({cell.new_tenant(): list(range(last + 1))})
    rooms.refused = set(range(last))

    progress = run(shell, rooms.declaration())

    assert [room for _, room in rooms.cleaned] == [last]
    assert (progress.done, progress.failed) == (1, last)


def test_items_that_stay_due_do_not_hide_those_behind_them(cell: Cell, shell: JobShell) -> None:
    """Twice what a round takes is done and still due, as what a silent processor leaves waiting; it
    stands in front of one that is not, and each is done once."""
    last = 2 * ITEMS_PER_ROUND
    rooms = Rooms({cell.new_tenant(): list(range(last + 1))})
    rooms.stained = set(range(last))

    progress = run(shell, rooms.declaration())

    assert [room for _, room in rooms.cleaned] == list(range(last + 1))
    assert (progress.done, progress.due, progress.exit_code) == (last + 1, last + 1, 0)


@pytest.mark.req("EVT-6")
def test_nobody_waits_for_all_that_another_one_has(cell: Cell, shell: JobShell) -> None:
    """Each house has two and a half rounds of rooms; wherever the run begins, the other one has its
    turn behind one round of the first."""
    houses = cell.new_tenant(), cell.new_tenant()
    rooms = Rooms({each: list(range(5 * ITEMS_PER_ROUND // 2)) for each in houses})

    progress = run(shell, rooms.declaration())

    assert (progress.done, progress.exit_code) == (5 * ITEMS_PER_ROUND, 0)
    began = [rooms.cleaned.index((each, 0)) for each in houses]
    assert sorted(began) == [0, ITEMS_PER_ROUND]


@pytest.mark.req("EVT-6")
def test_a_run_begins_with_another_tenant_each_time() -> None:
    """Of a run that comes to a few of seven tenants before its time is up, each has its day; and
    what is told of one minute is played again in the same order."""
    houses = [UUID(int=number) for number in range(7)]
    nights = [datetime(2026, 3, 1, 2, 30, tzinfo=UTC) + timedelta(days=n) for n in range(60)]

    turns = [begun_anywhere(houses, "check_books", night) for night in nights]

    assert {turn[0] for turn in turns} == set(houses)
    assert all(sorted(turn) == houses for turn in turns)
    assert turns[0] == begun_anywhere(houses, "check_books", nights[0])
    assert begun_anywhere([], "check_books", nights[0]) == []


def test_what_failed_is_put_off_and_what_the_database_ails_is_not(
    rooms: Rooms, shell: JobShell
) -> None:
    """Two rooms of five fail for reasons of their own and wait, and it is known why. In the next
    run the database gives up on one, which is due as before."""
    told: list[tuple[int, str]] = []
    rooms.refused, rooms.broken = {1}, {4}

    def later(room: int, why: str, tx: Transaction) -> None:
        told.append((room, why))
        rooms.dirty[tx.actor.tenant_id].remove(room)

    declaration = rooms.declaration(put_off=later)
    progress = run(shell, declaration)

    assert sorted(told) == [(1, "MELMASTOON.BILLING.ROOM_CLOSED"), (4, "ZeroDivisionError")]
    assert (progress.done, progress.failed, progress.exit_code) == (3, 2, 1)

    tenant = next(iter(rooms.dirty))
    rooms.dirty[tenant], rooms.broken, rooms.ails = [6], {6}, DatabaseUnavailable()
    assert run(shell, declaration).failed == 1
    assert rooms.dirty[tenant] == [6]


def test_an_item_that_cannot_even_be_put_off_ends_no_run(rooms: Rooms, shell: JobShell) -> None:
    rooms.broken = {1}

    def later(room: int, why: str, tx: Transaction) -> None:
        raise ZeroDivisionError

    progress = run(shell, rooms.declaration(put_off=later))

    assert (progress.done, progress.failed, progress.exit_code) == (4, 1, 1)


def test_started_again_it_does_what_is_left(rooms: Rooms, shell: JobShell) -> None:
    rooms.broken = {2}
    assert run(shell, rooms.declaration()).exit_code == 1
    rooms.broken = set()

    progress = run(shell, rooms.declaration())

    assert (progress.done, progress.exit_code) == (1, 0)
    assert len(rooms.cleaned) == len(set(rooms.cleaned)) == 5


@pytest.mark.req("JOB-2")
def test_a_dry_run_finds_and_does_nothing(cell: Cell, shell: JobShell) -> None:
    rooms = Rooms({cell.new_tenant(): list(range(2 * ITEMS_PER_ROUND + 7))})

    progress = run(shell, rooms.declaration(), dry_run=True)

    assert rooms.cleaned == []
    assert (progress.due, progress.done, progress.exit_code) == (207, 0, 0)
    assert progress.as_json()["dryRun"] is True


@pytest.mark.req("JOB-2")
def test_looks_at_the_day_and_the_tenants_that_it_was_given(rooms: Rooms, shell: JobShell) -> None:
    tenant = next(iter(rooms.dirty))

    run(shell, rooms.declaration(), as_of=date(2026, 3, 1), tenants=(tenant,))

    assert {each for each, _ in rooms.cleaned} == {tenant}
    assert {each.as_of for each in rooms.asked} == {date(2026, 3, 1)}


def test_tasks_share_the_tenants(cell: Cell, shell: JobShell) -> None:
    rooms = Rooms({cell.new_tenant(): [number] for number in range(12)})

    done = [run(shell, rooms.declaration(), task=task, tasks=3).done for task in range(3)]

    assert sum(done) == 12
    assert sorted(room for _, room in rooms.cleaned) == list(range(12))


def test_stops_between_two_items(rooms: Rooms, shell: JobShell) -> None:
    """What is left is left whole, and the exit code says that there is something."""
    stop = threading.Event()
    rooms.afterwards = stop.set

    progress = run(shell, rooms.declaration(), stop)

    assert (progress.outcome, progress.done, progress.exit_code) == ("stopped", 1, 1)
    assert len(rooms.cleaned) == 1


def test_ends_when_time_is_up(rooms: Rooms, shell: JobShell) -> None:
    progress = run(shell, rooms.declaration(timeout_seconds=0))

    assert (progress.outcome, progress.done, progress.exit_code) == ("time_is_up", 0, 1)


def test_a_tenant_that_cannot_be_served_is_told_and_passed_over(
    rooms: Rooms, shell: JobShell
) -> None:
    known = list(rooms.dirty)

    progress = run(shell, rooms.declaration(), tenants=(uuid4(), *known))

    assert (progress.done, progress.failed, progress.exit_code) == (5, 1, 1)


@pytest.mark.req("TEN-4")
@pytest.mark.parametrize("name", ["run_night_audit", "reconcile_nightly", "reconcile_processor"])
def test_a_house_that_nobody_has_told_of_yet_fails_no_run(
    cell: Cell, shell: JobShell, name: str
) -> None:
    """Its home is made; who it is comes with another event."""
    tenant = cell.new_tenant()
    declared = next(each for each in job_declarations() if each.name == name)

    progress = run(shell, declared, tenants=(tenant,))

    assert (progress.failed, progress.exit_code) == (0, 0)


def watch(steps: list[Step | Exception], **options: Any) -> JobDeclaration:
    """A watching job that answers these steps."""
    turns = iter(steps)

    def watch_over(turn: Turn, powers: object) -> Step:
        """Keep watch."""
        step = next(turns)
        if isinstance(step, Exception):
            raise step
        return step

    return JobDeclaration(use_case=watch_over, schedule="* * * * *", **options)


def test_a_watch_goes_on_until_somebody_else_does(shell: JobShell) -> None:
    left: list[object] = []
    steps: list[Step | Exception] = [Step(done=3), Step(done=4, failed=1), Step(finished=True)]

    progress = run(shell, watch(steps, leave=left.append))

    assert (progress.outcome, progress.done, progress.exit_code) == ("handed_over", 7, 0)
    assert len(left) == 1


def test_a_watch_that_ends_with_failures_says_so(shell: JobShell) -> None:
    progress = run(shell, watch([Step(done=3, failed=2, finished=True)]))

    assert (progress.failed, progress.exit_code) == (2, 1)


def test_a_watch_survives_a_step_that_breaks(shell: JobShell) -> None:
    """The trouble counts until a step goes well again."""
    steps: list[Step | Exception] = [Step(done=1), ZeroDivisionError(), Step(done=1)]

    progress = run(shell, watch([*steps, Step(finished=True)]))

    assert (progress.done, progress.failed, progress.exit_code) == (2, 0, 0)
    assert run(shell, watch([ZeroDivisionError()]), once=True).exit_code == 1


def test_a_watch_ends_at_the_platforms_word(shell: JobShell) -> None:
    stop = threading.Event()

    def watch_over(turn: Turn, powers: object) -> Step:
        stop.set()
        return Step(done=1, idle=True)

    progress = run(shell, JobDeclaration(use_case=watch_over, schedule="* * * * *"), stop)

    assert (progress.outcome, progress.done, progress.exit_code) == ("stopped", 1, 0)


def test_a_watch_may_hand_over_when_its_turn_is_over(shell: JobShell) -> None:
    seen: list[bool] = []

    def watch_over(turn: Turn, powers: object) -> Step:
        seen.append(turn.is_over)
        return Step(finished=turn.is_over)

    declaration = JobDeclaration(use_case=watch_over, schedule="* * * * *", turn_seconds=0)

    assert run(shell, declaration).outcome == "handed_over"
    assert seen == [True]
    assert run(shell, watch([Step()], timeout_seconds=0)).outcome == "time_is_up"
