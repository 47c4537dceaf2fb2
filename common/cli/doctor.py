"""`billing doctor`: is what the service stands on in order, and do its books agree?

Exit code 0: all is well; 1: something is not, the output says what; 2: the command is wrong.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from common.cli.laptop import AsJson, Dsn, failure
from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from common.postgres.doctor import Doctor
    from common.postgres.invariants import Broken

CLOCK_SECONDS_MAX: Final = 5
OUTBOX_SECONDS_MAX: Final = 60
SHOWN_MAX: Final = 3

Tenants = Annotated[
    list[UUID] | None,
    typer.Option(
        "--tenant", help="Only this tenant's books; may be given again.", show_default="all of them"
    ),
]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look came to."""

    check: str
    well: bool
    detail: str


def doctor(dsn: Dsn = "", tenant: Tenants = None, as_json: AsJson = False) -> None:
    """Look at the database, its migrations, the clocks, the outbox, and the books of tenants."""
    if not dsn:
        raise failure("doctor", "name the database with --dsn, or start a stack: make run", 2)
    findings = _findings(dsn, tenant)
    well = all(each.well for each in findings)
    if as_json:
        typer.echo(json.dumps({"well": well, "findings": [asdict(each) for each in findings]}))
    else:
        for each in findings:
            mark = "ok      " if each.well else "NOT WELL"
            typer.secho(f"{mark}  {each.check:<12}  {each.detail}", fg=None if each.well else "red")
    if not well:
        raise typer.Exit(1)


def _findings(dsn: str, tenants: list[UUID] | None) -> list[Finding]:
    from pg8000.exceptions import DatabaseError, InterfaceError

    from common.postgres.address import open_session
    from common.postgres.doctor import Doctor
    from common.postgres.tenants import list_tenants

    try:
        session = open_session(dsn)
    except (DatabaseError, InterfaceError, OSError) as gone:
        return [Finding("database", False, f"does not answer: {gone}")]
    except ValueError as wrong:
        raise failure("doctor", str(wrong), 2) from wrong
    try:
        asked = Doctor(session)
        looks: list[Callable[[], list[Finding]]] = [
            lambda: _server(asked),
            lambda: _migrations(dsn),
            lambda: _waiting(asked),
        ]
        found = [finding for look in looks for finding in _found(look)]
        for tenant_id in tenants or [row[0] for row in list_tenants(session)]:
            found += _found(partial(_books, asked, tenant_id))
        return found
    finally:
        session.close()


def _found(look: Callable[[], list[Finding]]) -> list[Finding]:
    """What a look found; one that the server refuses is a finding as well."""
    from pg8000.exceptions import DatabaseError

    from common.postgres.connection import ServerRefused
    from common.postgres.migration_steps import said

    try:
        return look()
    except DatabaseError as error:
        return [Finding("database", False, f"refused: {said(error)}")]
    except ServerRefused as refused:
        return [Finding("database", False, f"refused: {refused}")]


def _server(asked: "Doctor") -> list[Finding]:
    version, now = asked.server()
    apart = abs((now - datetime.now(UTC)).total_seconds())
    return [
        Finding("database", True, f"PostgreSQL {version}"),
        Finding("clocks", apart <= CLOCK_SECONDS_MAX, f"{apart:.1f} s apart"),
    ]


def _migrations(dsn: str) -> list[Finding]:
    from common.postgres.address import open_session
    from common.postgres.migrations import Migrator

    schemas = Migrator(lambda: open_session(dsn)).status()
    behind = [each.schema for each in schemas if each.pending or each.problem]
    detail = f"{len(schemas)} schemas, {len(behind)} behind or not fitting"
    return [Finding("migrations", not behind, f"{detail} {' '.join(behind[:5])}".strip())]


def _waiting(asked: "Doctor") -> list[Finding]:
    waiting = asked.waiting()
    late = waiting.oldest_seconds > OUTBOX_SECONDS_MAX
    detail = f"{waiting.events} events wait, the oldest for {waiting.oldest_seconds} s"
    letters = f"{waiting.dead_letters} wait for a decision"
    return [
        Finding("outbox", not late, detail),
        Finding("dead letters", waiting.dead_letters == 0, letters),
    ]


def _books(asked: "Doctor", tenant_id: UUID) -> list[Finding]:
    """A line for the tenant, and one for each invariant that its books break."""
    found = asked.books(tenant_id)
    unseen = f", {len(found.unseen)} not looked at: no superuser" if found.unseen else ""
    if not found.broken:
        detail = f"{tenant_id}: all {found.asked} invariants hold{unseen}"
        return [Finding("books", True, detail)]
    detail = f"{tenant_id}: {len(found.broken)} of {found.asked} invariants do not hold{unseen}"
    return [Finding("books", False, detail), *map(_invariant, found.broken)]


def _invariant(broken: "Broken") -> Finding:
    shown = "; ".join(f"{subject} ({how})" for subject, how in broken.first[:SHOWN_MAX])
    more = f"; and {broken.count - SHOWN_MAX} more" if broken.count > SHOWN_MAX else ""
    return Finding("books", False, f"{broken.name}: {broken.rule} {shown}{more}")
