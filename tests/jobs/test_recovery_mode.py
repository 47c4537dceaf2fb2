"""After a restore nothing is written until the database agrees with the world: no job runs (OPS-3).

One is needed for that, and runs; the database refuses whoever looked too early.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pg8000.exceptions import DatabaseError
from ulid import ULID

from common.cli.tenant import create
from common.domain.identifiers import DataKeyId
from common.local.functions import job_declarations
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.ports.vault import DataKey, Wrapped
from common.postgres.provisioner import Provisioner
from common.postgres.recovery import CONFIRMATIONS_LIVE, Recovery
from common.runtime.declaration import JobDeclaration
from common.runtime.job import Orders, Progress
from common.wiring import Wiring
from tests.drills.alerting import ALERTS, goes_off
from tests.jobs.cell import Cell
from tests.jobs.test_job_command import billing_job

pytestmark = pytest.mark.req("OPS-3", "JOB-1")
BEGUN = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEEDED = {"reconcile_processor"}


@contextmanager
def recovering(cell: Cell) -> Iterator[None]:
    """The database of the cell is taken for one that was restored, as `billing recovery` has it."""
    session = cell.connect()
    recovery = Recovery(session)
    recovery.begin(BEGUN)
    yield
    recovery.end(BEGUN + CONFIRMATIONS_LIVE + timedelta(seconds=1))
    session.close()


def run(wiring: Wiring, declaration: JobDeclaration) -> Progress:
    orders = Orders(once=declaration.keeps_watch)
    shell = wiring.job_shell
    return shell.run(declaration, orders, stop=threading.Event(), tell=lambda _: None)


def test_every_job_refuses_until_it_ends_but_those_that_end_it(
    cell: Cell, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is looked for, the exit code is 1, the log says why and wakes nobody"""
    cell.new_tenant()
    wiring, jobs = cell.wiring(), job_declarations()
    with recovering(cell):
        capsys.readouterr()
        ended = {each.name: run(wiring, each) for each in jobs}
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert {each.name for each in jobs if each.serves_recovery} == NEEDED
    refused = {name for name, each in ended.items() if each.outcome == "in_recovery"}
    assert refused == {each.name for each in jobs} - NEEDED
    assert {(ended[each].exit_code, ended[each].due) for each in refused} == {(1, 0)}
    assert ended["reconcile_processor"].due > 0
    told = {line["route"]: line for line in lines if line.get("code") == "DATABASE_IN_RECOVERY"}
    assert set(told) == {f"jobs/{each}" for each in refused}
    ours = {alert for alert, words in ALERTS.items() if "jsonPayload" in words.get("log", "")}
    assert [alert for alert in ours if goes_off(alert, list(told.values()), ())] == []

    wiring = cell.wiring()
    assert run(wiring, next(each for each in jobs if each.name == "check_books")).exit_code == 0


def test_the_command_says_so_to_its_schedule(cell: Cell) -> None:
    with recovering(cell):
        done = billing_job(cell, "run", "drain_outbox", "--once")

    summary = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, summary["outcome"]) == (1, "in_recovery")
    assert "DATABASE_IN_RECOVERY" in done.stdout + done.stderr


def sealing(**options: Any) -> JobDeclaration:
    """A job that writes one row for each of two items."""

    def items(which: Round, tx: Transaction) -> Sequence[int]:
        return [1, 2]

    def seal(item: int, tx: Transaction) -> None:
        tx.data_keys.keep_new(DataKey(DataKeyId.of(str(ULID())), Wrapped(str(item), b"1" * 33)))

    return JobDeclaration(use_case=seal, schedule="0 * * * *", find=items, **options)


def looks_too_early(wiring: Wiring) -> None:
    """It looks right before the recovery begins, and again when something fails."""
    look = wiring.job_shell._recovering
    answers: list[Any] = [lambda: None]
    wiring.job_shell._recovering = lambda: (answers.pop() if answers else look)()


def test_what_looked_too_early_is_refused_by_the_database(cell: Cell) -> None:
    """The first item fails, the second is not begun; what serves the recovery writes both."""
    tenant = cell.new_tenant()
    wiring = cell.wiring()
    looks_too_early(wiring)
    with recovering(cell):
        refused = run(wiring, sealing())
        written = run(wiring, sealing(serves_recovery=True))

    assert (refused.outcome, refused.done, refused.failed) == ("in_recovery", 0, 1)
    assert (written.outcome, written.done, written.failed) == ("done", 2, 0)
    assert cell.sql(f"SELECT count(*) FROM tenant_{tenant.hex}_billing.data_keys") == [[2]]


def test_a_tenant_is_made_anew_by_a_person_and_by_no_event(cell: Cell) -> None:
    """Whose documents are there and whose schema is not, since it came after the point in time."""
    tenant = uuid4()
    with recovering(cell):
        with pytest.raises(DatabaseError):
            Provisioner(cell.dsn("postgres")).provision(tenant)
        create(tenant, dsn=cell.dsn("postgres"))

    known = "SELECT count(*) FROM billing_central.tenants WHERE tenant_id = :tenant"
    assert cell.sql(known, tenant=tenant) == [[1]]


def test_a_watch_that_runs_when_it_begins_ends(cell: Cell) -> None:
    """The drainer publishes nothing that a restore may have brought back."""
    tenant = cell.new_tenant()
    cell.tell(tenant, "fol_a", 3)
    wiring = cell.wiring()
    looks_too_early(wiring)
    drainer = next(each for each in job_declarations() if each.name == "drain_outbox")
    with recovering(cell):
        ended = run(wiring, drainer)

    assert (ended.outcome, ended.exit_code, cell.waiting()) == ("in_recovery", 1, 3)
