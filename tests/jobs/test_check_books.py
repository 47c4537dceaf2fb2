"""The nightly check of the books: what it finds it tells, and it changes nothing (JOB-1, REL-5)."""

import json
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.runtime.declaration import JobDeclaration
from common.runtime.job import Orders, Progress
from jobs.check_books import check_books
from tests.hotel import Hotel, House
from tests.jobs.cell import Cell
from tests.jobs.test_job_command import billing_job
from tests.proofs import state
from tests.together import at_once

pytestmark = pytest.mark.req("REL-5", "MON-6", "JOB-1")

CHECK: JobDeclaration = check_books.declaration  # type: ignore[attr-defined] # a job bears it
MOVED = "UPDATE {s}.folios SET balance_micro = balance_micro + 10000 WHERE status = 'open'"


@pytest.fixture
def night(house: House) -> Iterator[House]:
    """The service as its jobs run it: under their login."""
    instance = house.beside(databases={"main": house.server.dsn("billing_job", "billing")})
    yield instance
    instance.close()


def checked(night: House, *tenants: UUID) -> Progress:
    """What a run over these tenants came to."""
    orders = Orders(tenants=tenants)
    return night.wiring.job_shell.run(
        CHECK, orders, stop=threading.Event(), tell=lambda progress: None
    )


def errors(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines of the log that call somebody, since the last look."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["severity"] == "ERROR"]


def with_open_folios(hotel: Hotel, count: int) -> Hotel:
    for number in range(count):
        hotel.charged(hotel.open_folio(guest={"name": f"Zarmina Ahmadi {number}"}))
    return hotel


def test_says_nothing_of_books_that_agree(
    night: House, hotel: Hotel, capsys: pytest.CaptureFixture[str]
) -> None:
    with_open_folios(hotel, 2)
    hotel.closed_folio()

    progress = checked(night, hotel.tenant_id)

    assert (progress.done, progress.failed, progress.exit_code) == (1, 0, 0)
    assert errors(capsys) == []


@pytest.mark.req("SEC-8")
def test_tells_each_invariant_that_does_not_hold_and_how_often(
    night: House, hotel: Hotel, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two balances are moved by a cent each: three rules notice, and none says whose they are."""
    with_open_folios(hotel, 2)
    hotel.rows(MOVED)

    progress = checked(night, hotel.tenant_id)

    assert (progress.done, progress.failed, progress.exit_code) == (0, 1, 1)
    told = errors(capsys)
    assert {(line["code"], line["count"]) for line in told} == {
        ("balance_is_the_sum_of_the_lines", 2),
        ("balance_is_what_the_ledger_says", 2),
        ("what_is_paid_ahead_is_a_liability", 2),
        ("a_folio_is_what_its_trail_digested", 2),
    }
    for line in told:
        assert line["message"] == f"{line['code']} {line['count']}"
        assert line["tenantId"] == str(hotel.tenant_id)
        assert line["route"] == "jobs/check_books"
    assert "Zarmina" not in json.dumps(told)
    assert "fol_" not in json.dumps(told)


def test_repairs_nothing_however_often_it_runs(night: House, hotel: Hotel) -> None:
    with_open_folios(hotel, 1)
    hotel.rows(MOVED)
    before = state(hotel)

    first, second = checked(night, hotel.tenant_id), checked(night, hotel.tenant_id)

    assert (first.exit_code, second.exit_code) == (1, 1)
    assert state(hotel) == before


def test_two_at_once_find_the_same(night: House, hotel: Hotel) -> None:
    with_open_folios(hotel, 1)
    hotel.rows(MOVED)

    both = at_once([lambda: checked(night, hotel.tenant_id)] * 2)

    assert [(each.done, each.failed) for each in both] == [(0, 1), (0, 1)]


def test_one_hotels_books_do_not_hide_the_next_ones(night: House, house: House) -> None:
    """Between two hotels in order stands one that is not, and one that there is not."""
    first, wrong, last = (with_open_folios(house.new_hotel(), 1) for _ in range(3))
    wrong.rows(MOVED)

    progress = checked(night, first.tenant_id, wrong.tenant_id, uuid4(), last.tenant_id)

    assert (progress.done, progress.failed, progress.exit_code) == (2, 2, 1)


def test_checks_books_while_the_hotel_works_on(night: House, hotel: Hotel) -> None:
    """All questions see one moment, so that what is committed between two of them is not wrong."""
    folio = hotel.open_folio()

    def work() -> Progress | None:
        for _ in range(20):
            hotel.charged(folio)
        return None

    def look() -> Progress:
        runs = [checked(night, hotel.tenant_id) for _ in range(10)]
        return max(runs, key=lambda run: run.exit_code)

    _, worst = at_once([work, look])

    assert worst is not None
    assert (worst.done, worst.failed) == (1, 0)


@pytest.mark.req("JOB-2")
def test_runs_as_a_command_every_night(cell: Cell) -> None:
    """A tenant that was born today and has no settings yet has books that agree."""
    tenant = cell.new_tenant()

    done = billing_job(cell, "run", "check_books", "--tenant", str(tenant))

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["done"] == 1
    assert (CHECK.name, CHECK.schedule) == ("check_books", "30 2 * * *")
