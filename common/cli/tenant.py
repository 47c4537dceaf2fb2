"""`billing tenant`: the tenants of the directory, and a home for a new one.

In normal running a tenant comes by its event; this is for an operator at the console. Exit code 0:
done; 1: no such tenant, or the database refused; 2: the command is wrong.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID, uuid4

import typer
from rich.console import Console
from rich.table import Table

from common.cli.laptop import AsJson, Dsn, failure

if TYPE_CHECKING:
    import pg8000.native

tenant = typer.Typer(
    name="tenant", help="Tenants: create one, show one, list all.", no_args_is_help=True
)

TenantId = Annotated[UUID, typer.Argument(help="The tenant's id.", show_default=False)]


@tenant.command(epilog="Example: billing tenant create 7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11")
def create(
    tenant_id: Annotated[
        UUID | None, typer.Argument(help="The tenant's id.", show_default="a new one")
    ] = None,
    dsn: Dsn = "",
    as_json: AsJson = False,
) -> None:
    """Make a tenant's role, schema and entry in the directory; again, it changes nothing."""
    from common.postgres.provisioner import Provisioner

    chosen = tenant_id or uuid4()
    with _told(dsn):
        Provisioner(dsn, serves_recovery=True).provision(chosen)
    typer.echo(json.dumps({"tenantId": str(chosen)}) if as_json else str(chosen))


@tenant.command(epilog="Example: billing tenant show 2f8e7c1a-4b6d-4e3f-9a52-7d1c0b9e8f64 --json")
def show(tenant_id: TenantId, dsn: Dsn = "", as_json: AsJson = False) -> None:
    """Show where a tenant lives and how much it has."""
    from common.postgres.doctor import Doctor

    with _session(dsn) as session:
        found = Doctor(session).tenant(tenant_id)
    figures = {_camel(name): _plain(value) for name, value in asdict(found).items()}
    if as_json:
        typer.echo(json.dumps(figures))
        return
    table = Table(box=None, show_header=False)
    for name, value in asdict(found).items():
        table.add_row(name.replace("_", " "), str(_plain(value)))
    Console(soft_wrap=True).print(table)


@tenant.command("list", epilog="Example: billing tenant list --json | jq '.tenants[].tenantId'")
def list_(dsn: Dsn = "", as_json: AsJson = False) -> None:
    """List the tenants with their cell and status."""
    from common.postgres.tenants import list_tenants

    with _session(dsn) as session:
        found = [(str(row[0]), row[1], row[2]) for row in list_tenants(session)]
    if as_json:
        tenants = [{"tenantId": each[0], "cell": each[1], "status": each[2]} for each in found]
        typer.echo(json.dumps({"tenants": tenants}))
        return
    table = Table("tenant", "cell", "status", box=None)
    for each in found:
        table.add_row(*each)
    Console(soft_wrap=True).print(table)
    typer.echo(f"{len(found)} tenants")


@contextmanager
def _session(dsn: str) -> "Iterator[pg8000.native.Connection]":
    from common.postgres.address import open_session

    with _told(dsn):
        session = open_session(dsn)
        try:
            yield session
        finally:
            session.close()


@contextmanager
def _told(dsn: str) -> Iterator[None]:
    """Turn what the database says into one line and an exit code."""
    from pg8000.exceptions import DatabaseError, InterfaceError

    from common.postgres.doctor import TenantNotThere
    from common.postgres.migration_steps import MigrationRefused, said

    if not dsn:
        raise failure("tenant", "name the database with --dsn, or start a stack: make run", 2)
    try:
        yield
    except TenantNotThere as missing:
        raise failure("tenant", f"there is no tenant {missing}") from missing
    except ValueError as wrong:
        raise failure("tenant", str(wrong), 2) from wrong
    except MigrationRefused as refused:
        raise failure("tenant", str(refused)) from refused
    except DatabaseError as error:
        raise failure("tenant", f"the server refused: {said(error)}") from error
    except (InterfaceError, OSError) as gone:
        raise failure("tenant", f"no connection to the database: {gone}") from gone


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value
