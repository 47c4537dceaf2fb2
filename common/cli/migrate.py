"""`billing migrate`: bring the database's schemas up, take them back, see where they stand.

Progress goes to standard error and the result to standard output, so that `--json` can be piped.
Exit code 0: everything was done; 1: some schema was not, the output says which; 2: the command or
a migration file is wrong, and nothing was touched.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from common.postgres.migrations import Migrator, SchemaOutcome, SchemaStatus, Summary

migrate = typer.Typer(
    name="migrate",
    help="Bring the database's schemas up, take them back, see where they stand.",
    no_args_is_help=True,
)

NOT_DONE: Final = 1
WRONG: Final = 2
SHOWN_MAX: Final = 20


class Scope(StrEnum):
    all = "all"
    central = "central"
    tenants = "tenants"


class OnFailure(StrEnum):
    stop = "stop"
    continue_ = "continue"
    revert = "revert"


Dsn = Annotated[
    str,
    typer.Option(
        envvar="BILLING_MIGRATION_DSN",
        help="Address of the database, as a role that may create roles and schemas.",
        show_default=False,
    ),
]
Scoped = Annotated[Scope, typer.Option(help="Which of the two sequences.")]
Tenants = Annotated[
    list[UUID] | None,
    typer.Option("--tenant", help="Only this tenant; may be given again.", show_default=False),
]
Failing = Annotated[
    OnFailure,
    typer.Option(help="When one fails: stop, go on with the others, or take the moved ones back."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@migrate.command(
    epilog="Examples: billing migrate up --on-failure continue; "
    "billing migrate up --scope tenants --target 7"
)
def up(
    dsn: Dsn,
    target: Annotated[int | None, typer.Option(help="Version; the newest by default.")] = None,
    scope: Scoped = Scope.all,
    tenant: Tenants = None,
    on_failure: Failing = OnFailure.stop,
    as_json: AsJson = False,
) -> None:
    """Bring central and every tenant to the newest version, or to the one named."""
    with _told(), _progress(as_json) as watch:
        summary = _migrator(dsn, watch).up(
            target, scope=scope.value, tenants=tenant or None, on_failure=on_failure.value
        )
    _show(summary, as_json=as_json)


@migrate.command(epilog="Example: billing migrate down --scope tenants --target 6")
def down(
    dsn: Dsn,
    target: Annotated[int, typer.Option(help="Version to go back to; 0 takes everything back.")],
    scope: Scoped = Scope.all,
    tenant: Tenants = None,
    on_failure: Failing = OnFailure.stop,
    destroy_records: Annotated[
        bool, typer.Option("--destroy-records", help="Drop tables of record that hold rows.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take schemas back to a version. Tables of record that hold rows are not dropped."""
    with _told(), _progress(as_json) as watch:
        summary = _migrator(dsn, watch).down(
            target,
            scope=scope.value,
            tenants=tenant or None,
            on_failure=on_failure.value,
            destroy_records=destroy_records,
        )
    _show(summary, as_json=as_json)


@migrate.command(epilog="Example: billing migrate status --json | jq .behind")
def status(dsn: Dsn, tenant: Tenants = None, as_json: AsJson = False) -> None:
    """Show which version each schema holds. Exit code 1 while one is behind or does not fit."""
    with _told():
        found = _migrator(dsn, None).status(tenants=tenant or None)
    wanting = [each for each in found if each.pending or each.problem]
    if as_json:
        schemas = [_status_json(each) for each in found]
        typer.echo(json.dumps({"behind": len(wanting), "schemas": schemas}))
    else:
        _show_status(found, wanting)
    if wanting:
        raise typer.Exit(NOT_DONE)


def _migrator(dsn: str, watch: "Callable[[SchemaOutcome, int], None] | None") -> "Migrator":
    from common.postgres.address import open_session
    from common.postgres.migrations import Migrator

    return Migrator(lambda: open_session(dsn), watch=watch)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what stops a run as a whole into one line and an exit code."""
    from pg8000.exceptions import DatabaseError

    from common.postgres.migration_steps import ConnectionGone, said
    from common.postgres.migrations import MigrationRefused

    try:
        yield
    except ValueError as wrong:  # MigrationMalformed among them
        raise _failure(str(wrong), WRONG) from wrong
    except MigrationRefused as refused:
        raise _failure(str(refused), NOT_DONE) from refused
    except DatabaseError as error:
        raise _failure(f"the server refused: {said(error)}", NOT_DONE) from error
    except ConnectionGone as gone:
        raise _failure(f"no connection to the database: {gone}", NOT_DONE) from gone


def _failure(message: str, code: int) -> typer.Exit:
    typer.echo(f"billing migrate: {message}", err=True)
    return typer.Exit(code)


@contextmanager
def _progress(as_json: bool) -> "Iterator[Callable[[SchemaOutcome, int], None]]":
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    hidden = as_json or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        bar = progress.add_task("schemas", total=None)

        def watch(outcome: "SchemaOutcome", of: int) -> None:
            progress.update(bar, total=of, advance=1, description=escape(outcome.schema))
            if outcome.error and not as_json:
                console.print(f"[red]failed[/red] {outcome.schema}: {escape(outcome.error)}")

        yield watch


def _show(summary: "Summary", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(summary.as_json()))
    else:
        typer.echo(summary.sentence())
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def _show_status(found: "tuple[SchemaStatus, ...]", wanting: "list[SchemaStatus]") -> None:
    table = Table("schema", "version", "newest", "pending", box=None)
    shown = ([found[0], *wanting] if found and found[0] not in wanting else wanting)[:SHOWN_MAX]
    for each in shown:
        pending = each.problem or ", ".join(each.pending) or "-"
        table.add_row(each.schema, f"{each.version:04}", f"{each.latest:04}", escape(pending))
    Console(soft_wrap=True).print(table)
    typer.echo(f"{len(found)} schemas, {len(wanting)} behind or not fitting")


def _status_json(each: "SchemaStatus") -> dict[str, object]:
    return {
        "schema": each.schema,
        "version": each.version,
        "latest": each.latest,
        "pending": list(each.pending),
        "problem": each.problem,
    }
