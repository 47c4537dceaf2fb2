"""`billing recovery`: a database that was taken back to a point in time, until it may write again.

Between the point in time and now the world went on: documents were issued, confirmations used. The
service only reads until no number and no confirmation can come a second time.

Exit code 0: done; 1: it is not yet so, the output says what is missing; 2: the command is wrong.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from common.cli.laptop import AsJson, Dsn, failure

if TYPE_CHECKING:
    from common.domain.lost_number import LostNumber, Seen
    from common.postgres.recovery import Recovery

recovery = typer.Typer(
    name="recovery",
    help="After a restore: read only until numbers and confirmations agree.",
    no_args_is_help=True,
)

KINDS: Final = {"inv": "invoice", "cn": "credit_note"}
Documents = Annotated[
    Path,
    typer.Argument(
        exists=True,
        file_okay=False,
        help="The documents: a folder for each tenant, as their buckets are.",
        show_default=False,
    ),
]


@recovery.command(epilog="Example: billing recovery begin")
def begin(dsn: Dsn = "") -> None:
    """Let the database only read from now on; again, it changes nothing."""
    with _recovery(dsn) as found:
        since = found.begin(_now())
    typer.echo(f"reads only since {since.isoformat(timespec='seconds')}")


@recovery.command(epilog="Example: billing recovery status --json")
def status(dsn: Dsn = "", as_json: AsJson = False) -> None:
    """Say whether the database only reads, and since when."""
    with _recovery(dsn) as found:
        since = found.since()
    if as_json:
        typer.echo(json.dumps({"since": since.isoformat() if since else None}))
    else:
        typer.echo(f"reads only since {since.isoformat()}" if since else "in ordinary use")


@recovery.command(epilog="Example: billing recovery numbers documents/")
def numbers(documents: Documents, dsn: Dsn = "") -> None:
    """Write down as lost what guests have in hand and the database has forgotten; again, it
    changes nothing."""
    with _recovery(dsn) as found:
        forgotten = _forgotten(found, documents)
        for tenant_id, lost in forgotten.items():
            found.lose(tenant_id, lost, _now())
            for each in lost:
                typer.echo(f"{tenant_id} {each.number} {'found' if each.payload_sha256 else ''}")
    typer.echo(f"{sum(map(len, forgotten.values()))} numbers are lost")


@recovery.command(epilog="Example: billing recovery end documents/")
def end(documents: Documents, dsn: Dsn = "") -> None:
    """Let the database write again, once no number and no confirmation can come twice."""
    from common.postgres.recovery import NotInRecovery, TooEarly

    with _recovery(dsn) as found:
        forgotten = _forgotten(found, documents)
        if forgotten:
            told = ", ".join(each.number for lost in forgotten.values() for each in lost)
            raise failure("recovery", f"these numbers could be given again: {told}")
        try:
            found.end(_now())
        except TooEarly as early:
            raise failure("recovery", f"confirmations may be alive until {early}") from early
        except NotInRecovery as ordinary:
            raise failure("recovery", "the database is in ordinary use") from ordinary
    typer.echo("in ordinary use")


def _forgotten(found: "Recovery", documents: Path) -> "dict[UUID, list[LostNumber]]":
    """The numbers of each tenant that were given and are not known any more.

    Who was archived is given no number. Who came after the point in time has to be made first.
    """
    from common.domain.lost_number import NumberOfNoSeries, lost_numbers

    forgotten, tenants = {}, found.tenants()
    for folder in sorted(documents.iterdir()):
        name = folder.name.rpartition("-")[2]  # a bucket's name ends with its tenant
        if not folder.is_dir() or len(name) != len(UUID(int=0).hex):
            continue
        tenant_id = UUID(name)
        if tenant_id not in tenants and any(_seen(folder)):
            told = f"documents of a tenant who is not there: billing tenant create {tenant_id}"
            raise failure("recovery", told)
        if tenants.get(tenant_id) != "active":
            continue
        known = found.last_numbers(tenant_id), _seen(folder), found.jurisdictions(tenant_id)
        try:
            lost = lost_numbers(*known)
        except NumberOfNoSeries as number:
            raise failure("recovery", f"{number} is of no series of {tenant_id}") from number
        if lost:
            forgotten[tenant_id] = lost
    return forgotten


def _seen(folder: Path) -> "Iterator[Seen]":
    """The issued documents of a tenant's folder: each lies under its own id."""
    from common.documents.reading import PdfUnreadable, read_invoice_identity
    from common.domain.lost_number import Seen

    for file in sorted(folder.rglob("*.pdf")):
        kind = KINDS.get(file.parent.name.partition("_")[0])
        if kind is None:
            continue
        try:
            number, sha256 = read_invoice_identity(file.read_bytes())
        except PdfUnreadable as unreadable:
            raise failure("recovery", f"{file}: {unreadable}") from unreadable
        yield Seen(kind, number, bytes.fromhex(sha256))


@contextmanager
def _recovery(dsn: str) -> "Iterator[Recovery]":
    from pg8000.exceptions import DatabaseError, InterfaceError

    from common.postgres.address import open_session
    from common.postgres.migration_steps import said
    from common.postgres.recovery import Recovery

    if not dsn:
        raise failure("recovery", "name the database with --dsn, or start a stack: make run", 2)
    try:
        session = open_session(dsn)
        try:
            yield Recovery(session)
        finally:
            session.close()
    except ValueError as wrong:
        raise failure("recovery", str(wrong), 2) from wrong
    except DatabaseError as error:
        raise failure("recovery", f"the server refused: {said(error)}") from error
    except (InterfaceError, OSError) as gone:
        raise failure("recovery", f"no connection to the database: {gone}") from gone


def _now() -> datetime:
    """By the service's clock, which moves on a laptop; by this machine's where none is set up."""
    from common.runtime.settings import SettingMissing
    from common.wiring import edge

    try:
        return edge().clock.now()
    except SettingMissing:
        return datetime.now(UTC)
