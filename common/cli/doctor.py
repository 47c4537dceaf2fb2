"""`billing doctor`: is what the service stands on in order, and do its books agree?

Exit code 0: all is well; 1: something is not, the output says what; 2: the command is wrong.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from common.cli.laptop import AsJson, Dsn, failure

if TYPE_CHECKING:
    from common.postgres.doctor import Doctor

CLOCK_SECONDS_MAX: Final = 5
OUTBOX_SECONDS_MAX: Final = 60

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
            lambda: _books(asked, tenants or [row[0] for row in list_tenants(session)]),
        ]
        return [finding for look in looks for finding in _found(look)]
    finally:
        session.close()


def _found(look: Callable[[], list[Finding]]) -> list[Finding]:
    """What a look found; one that the server refuses is a finding as well."""
    from pg8000.exceptions import DatabaseError

    from common.postgres.migration_steps import said

    try:
        return look()
    except DatabaseError as error:
        return [Finding("database", False, f"refused: {said(error)}")]


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


def _books(asked: "Doctor", tenants: list[UUID]) -> list[Finding]:
    """Of every tenant: folios, their lines and the ledger come to the same."""
    findings = []
    for tenant_id in tenants:
        wrong = asked.disagreements(tenant_id)
        detail = f"{tenant_id}: folios, lines and ledger agree"
        if wrong:
            first = wrong[0]
            detail = (
                f"{tenant_id}: {len(wrong)} folios disagree, such as {first.folio_id}: balance "
                f"{first.balance_micro}, lines {first.lines_micro}, ledger {first.ledger_micro}"
            )
        findings.append(Finding("books", not wrong, detail))
    return findings
