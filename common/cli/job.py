"""`billing job`: every job is a command as well, for its schedule and for a person at the console.

The last line of standard output is the summary, one JSON object. Exit code 0: all was done; 1: some
of it was not, or none as the database is being recovered, the summary and the log say what; 2: the
command is wrong, and nothing was touched.
Cloud Run tells each task its number in the environment.
"""

import json
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from common.runtime.declaration import JobDeclaration
    from common.runtime.job import Orders, Progress
    from common.runtime.logging import Log

job = typer.Typer(
    name="job",
    help="Run a job now, as its schedule would, or see which there are.",
    no_args_is_help=True,
)

WRONG: Final = 2

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Once = Annotated[bool, typer.Option("--once", help="End as soon as nothing waits any more.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="What is due on this day.", show_default=False),
]
Tenants = Annotated[
    list[UUID] | None,
    typer.Option("--tenant", help="Only this tenant; may be given again.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Find what is due and do nothing.")]
Task = Annotated[int, typer.Option(envvar="CLOUD_RUN_TASK_INDEX", min=0, help="Which task it is.")]
Tasks = Annotated[int, typer.Option(envvar="CLOUD_RUN_TASK_COUNT", min=1, help="Of how many.")]


@job.command("list", epilog="Example: billing job list --json")
def list_(as_json: AsJson = False) -> None:
    """Show the jobs with their schedules."""
    from common.local.functions import job_declarations

    found = job_declarations()
    if as_json:
        jobs = [
            {"name": each.name, "schedule": each.schedule, "summary": each.summary}
            for each in found
        ]
        typer.echo(json.dumps({"jobs": jobs}))
        return
    table = Table("job", "schedule", "what it does", box=None)
    for each in found:
        table.add_row(each.name, each.schedule, each.summary)
    Console(soft_wrap=True).print(table)


@job.command(
    epilog="Examples: billing job run drain_outbox --once; "
    "billing job run render_invoice_backlog --tenant 7f1b... --dry-run"
)
def run(
    name: Annotated[str, typer.Argument(help="The job's name, as `billing job list` has it.")],
    once: Once = False,
    as_of: AsOf = None,
    tenant: Tenants = None,
    dry_run: DryRun = False,
    task: Task = 0,
    tasks: Tasks = 1,
) -> None:
    """Run a job. SIGTERM and Ctrl-C end it after the item at hand."""
    from common.runtime.job import Orders
    from common.wiring import edge

    declaration = _declared(name)
    orders = Orders(
        task=task,
        tasks=tasks,
        once=once,
        as_of=as_of.date() if as_of else None,
        tenants=tuple(tenant or ()),
        dry_run=dry_run,
    )
    _check(declaration, orders)
    wiring = edge()
    try:
        progress = wiring.job_shell.run(
            declaration, orders, stop=_stopped_by_signals(), tell=_teller(wiring.log)
        )
    finally:
        wiring.close()
    typer.echo(json.dumps({**_heading(progress), **progress.as_json()}))
    if progress.exit_code:
        raise typer.Exit(progress.exit_code)


def _declared(name: str) -> "JobDeclaration":
    from common.local.functions import job_declarations

    found = {each.name: each for each in job_declarations()}
    if name not in found:
        raise _failure(f"there is no job {name}; there are {', '.join(found)}")
    return found[name]


def _check(declaration: "JobDeclaration", orders: "Orders") -> None:
    """An option that would do nothing is a mistake of whoever gave it."""
    if orders.task >= orders.tasks:
        raise _failure(f"task {orders.task} is not one of {orders.tasks}")
    if declaration.keeps_watch and (orders.as_of or orders.tenants or orders.dry_run):
        raise _failure(f"{declaration.name} keeps watch over all: it takes --once only")
    if orders.once and not declaration.keeps_watch:
        raise _failure(f"{declaration.name} ends by itself: it takes no --once")


def _stopped_by_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _teller(log: "Log") -> "Callable[[Progress], None]":
    """Progress as a line for a person, or as a line of the log where nobody looks."""
    if sys.stderr.isatty():
        return lambda progress: typer.echo(_sentence(progress), err=True)

    from common.runtime.logging import Origin

    return lambda progress: log.job(
        Origin(route=f"jobs/{progress.job}"),
        job=progress.job,
        outcome=progress.outcome,
        done=progress.done,
        failed=progress.failed,
        latency_ms=progress.seconds * 1000,
    )


def _heading(progress: "Progress") -> dict[str, str]:
    """What Cloud Logging shows of the summary."""
    severity = "ERROR" if progress.exit_code else "INFO"
    return {"severity": severity, "message": _sentence(progress)}


def _sentence(progress: "Progress") -> str:
    return (
        f"{progress.job} {progress.outcome}: {progress.done} done, {progress.failed} failed,"
        f" {progress.seconds:.1f} s"
    )


def _failure(message: str) -> typer.Exit:
    typer.echo(f"billing job: {message}", err=True)
    return typer.Exit(WRONG)
