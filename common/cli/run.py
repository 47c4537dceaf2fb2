"""`billing run`: the whole service on this machine, a hotel's day and a month of the platform.

Exit code 0: the day went as it should (and, without --once, the stack was stopped by Ctrl-C);
1: a step of it went otherwise, or the stack did not start; 75: it runs already on this folder;
130: it was interrupted before the day was over.
"""

import signal
import sys
import threading
from contextlib import redirect_stdout
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

if TYPE_CHECKING:
    from common.local.database import FolderHeld
    from common.local.day import Day
    from common.local.stack import Stack

WENT_OTHERWISE: Final = 1
INTERRUPTED: Final = 130
LOG_FILE: Final = "log.jsonl"

Folder = Annotated[
    Path, typer.Option("--folder", envvar="BILLING_LOCAL_FOLDER", help="Where everything is kept.")
]
Port = Annotated[
    int, typer.Option(envvar="BILLING_PORT", min=1, max=65535, help="Where it listens.")
]
Once = Annotated[bool, typer.Option("--once", help="End after the day instead of serving on.")]


def run(folder: Folder = Path(".local"), port: Port = 8080, once: Once = False) -> None:
    """Start the service with its database, play a hotel's day and a month, and keep serving."""
    from common.local.database import DatabaseDidNotStart, FolderHeld
    from common.local.demo_hotel import NeighbourRefused
    from common.local.server import PortTaken
    from common.local.stack import MigrationsFailed

    console = Console(file=sys.stdout)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        went_well = _run(console, folder, port, once=once)
    except FolderHeld as held:
        raise _failure(_runs_already(folder, held), held.exit_code) from held
    except (PortTaken, DatabaseDidNotStart, MigrationsFailed, NeighbourRefused) as trouble:
        raise _failure(str(trouble), WENT_OTHERWISE) from trouble
    except KeyboardInterrupt as interrupt:  # in the middle of the day: it did not go well
        console.print("\nStopped.")
        raise typer.Exit(INTERRUPTED) from interrupt
    if not went_well:
        raise typer.Exit(WENT_OTHERWISE)


def _run(console: Console, folder: Path, port: int, *, once: bool) -> bool:
    """Serve; what the functions and jobs say on standard output goes into the log's file."""
    from common.local.stack import running_stack

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG_FILE).open("a", encoding="utf-8") as log, redirect_stdout(log):
        console.print(f"Starting in {folder} ...")
        with running_stack(folder, port) as stack:
            console.print(f"Serving at [bold]{stack.url}[/]. A day at the Hindu Kush Kabul:\n")
            went_well = _play(console, stack)
            if not once:
                _serve_on(console, stack)
    return went_well


def _play(console: Console, stack: "Stack") -> bool:
    from common.local import day_books, day_cards, day_cash, day_desk, day_dunning, day_month
    from common.local.client import Client
    from common.local.day import Day, play

    day = Day(
        client=Client(stack.url),
        neighbours=stack.neighbours,
        where=lambda pdf: str(stack.file_of(pdf) or ""),
    )
    steps = (
        *day_desk.STEPS,
        *day_cash.OPENING_STEPS,
        *day_desk.PAYING_STEPS,
        *day_cash.CLOSING_STEPS,
        *day_books.NIGHT_STEPS,
        *day_cards.STEPS,
        *day_books.STEPS,
        *day_month.STEPS,
        *day_dunning.STEPS,
    )
    went_well = play(day, steps, console)
    if went_well:
        _show_invoices(console, day)
    return went_well


def _show_invoices(console: Console, day: "Day") -> None:
    from common.local.day_desk import shown

    console.print("\nThe invoices:")
    for room in day.rooms.values():
        line = f"  {room.number}  {room.invoice_number}  {room.total:>12}  {room.file}"
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    if not day.platform_invoices:
        return
    console.print(
        "\nThe platform's invoices; all subscriptions are worth"
        f" {shown(day.left['month']['worth'])} a month now:",
        highlight=False,
    )
    for number, total, file in day.platform_invoices:
        line = f"  {number}  {total:>12}  {file}"
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _show_what_next(console: Console, stack: "Stack") -> None:
    from common.local.demo_hotel import KABUL

    lines = f"""
Go on by hand; another terminal knows this stack:

  TOKEN=$(.venv/bin/billing token)
  curl -s {stack.url}/api/v1/folios -H "Authorization: Bearer $TOKEN"
  curl -s {stack.url}/api/v1/folios -H "Authorization: Bearer $TOKEN" \\
    -H 'Content-Type: application/json' \\
    -d '{{"propertyId": "{KABUL}", "guest": {{"name": "You"}}}}'

README.md takes a whole stay from here. The log is {stack.folder / LOG_FILE}.
Ctrl-C stops.
"""
    console.print(lines, soft_wrap=True, highlight=False, markup=False)


def _serve_on(console: Console, stack: "Stack") -> None:
    """Serve until somebody stops it."""
    try:
        _show_what_next(console, stack)
        threading.Event().wait()
    except KeyboardInterrupt:
        console.print("\nStopping ...")


def _runs_already(folder: Path, held: "FolderHeld") -> str:
    from common.local.running import running_environment

    url = running_environment(folder).get("BILLING_URL")
    return f"it runs already, at {url} (it is {held.holder})" if url else str(held)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _failure(message: str, code: int) -> typer.Exit:
    typer.echo(f"billing run: {message}", err=True)
    return typer.Exit(code)
