"""`billing job`: as the schedule runs it, and as a person does."""

import json
import os
import subprocess
import sys
from uuid import uuid4

import pytest

from tests.architecture.source_tree import ROOT
from tests.jobs.cell import Cell

pytestmark = pytest.mark.req("JOB-2")
COMMAND = "from common.cli.job import job; job()"


def billing_job(cell: Cell, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=ROOT,
        env=os.environ | cell.environment() | more,
        capture_output=True,
        text=True,
        check=False,
    )


def test_lists_the_jobs_with_their_schedules(cell: Cell) -> None:
    listed = json.loads(billing_job(cell, "list", "--json").stdout)["jobs"]

    schedules = {each["name"]: each["schedule"] for each in listed}
    assert {"drain_outbox": "* * * * *"}.items() <= schedules.items()
    assert "drain_outbox" in billing_job(cell, "list").stdout


@pytest.mark.req("JOB-1", "EVT-4")
def test_drains_once_and_says_what_it_did(cell: Cell) -> None:
    """Nobody on the laptop subscribes to charges: the broker has them, and that is all."""
    cell.tell(uuid4(), "fol_a", 7)

    done = billing_job(cell, "run", "drain_outbox", "--once")

    summary = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert summary["job"] == "drain_outbox"
    assert (summary["done"], summary["failed"], summary["outcome"]) == (7, 0, "done")
    assert summary["severity"] == "INFO"
    assert cell.waiting() == 0


@pytest.mark.req("JOB-1")
def test_takes_its_share_from_the_platform(cell: Cell) -> None:
    for number in range(64):
        cell.tell(uuid4(), f"fol_{number}", 1)
    shares = [
        json.loads(
            billing_job(
                cell,
                *("run", "drain_outbox", "--once"),
                CLOUD_RUN_TASK_INDEX=str(task),
                CLOUD_RUN_TASK_COUNT="2",
            ).stdout.splitlines()[-1]
        )
        for task in range(2)
    ]

    assert [share["task"] for share in shares] == [0, 1]
    assert sum(share["done"] for share in shares) == 64
    assert all(share["done"] for share in shares)


@pytest.mark.req("JOB-1")
@pytest.mark.parametrize("order", [("drain_outbox", "--once"), ("retry_refunds",)])
def test_ends_with_1_when_the_database_is_away(cell: Cell, order: tuple[str, ...]) -> None:
    """One that keeps watch, and one that does items: the summary is there, and no traceback."""
    away = cell.dsn().replace("billing-tests-", "nowhere-")

    done = billing_job(cell, "run", *order, BILLING_DATABASE=away)

    assert done.returncode == 1
    assert json.loads(done.stdout.splitlines()[-1])["outcome"] == "broken"
    assert all(json.loads(line) for line in done.stdout.splitlines())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "drain_outboxes"], "there is no job drain_outboxes"),
        (["run", "drain_outbox", "--dry-run"], "takes --once only"),
        (["run", "drain_outbox", "--as-of", "2026-03-01"], "takes --once only"),
        (["run", "drain_outbox", "--task", "3", "--tasks", "2"], "task 3 is not one of 2"),
        (["run", "render_invoice_backlog", "--once"], "takes no --once"),
    ],
)
def test_refuses_what_makes_no_sense(cell: Cell, arguments: list[str], said: str) -> None:
    done = billing_job(cell, *arguments)

    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.req("JOB-1")
def test_an_item_job_runs_as_a_command(cell: Cell) -> None:
    tenant = cell.new_tenant()

    done = billing_job(cell, "run", "render_invoice_backlog", "--tenant", str(tenant), "--dry-run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["due"] == 0
