"""The long run: everything that could break the service, for as long as you like.

    make trust MINUTES=60           python -m tests.trust run --minutes 60 --seed 7
                                    (--no-seeded-defects leaves out what `make defects` runs)
    python -m tests.trust play RACE SEED
    python -m tests.trust usage --events 100000
    python -m tests.trust calendars
    python -m tests.trust quotes --changes 2000

It writes tests/trust-report.md and ends with exit code 1 when anything was violated, or a seeded
defect was not noticed. A red seed of a race is played again, made short and told, by `play`.
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from common.local.database import start_database
from tests.hotel import House
from tests.platform_taxing import somebody_sells
from tests.trust import calendars as calendar_parts
from tests.trust import fault_points, report, tampering, usage_orders
from tests.trust import quotes as quoting
from tests.trust.chaos import long_run as chaos
from tests.trust.defects import runner as defects
from tests.trust.machine import play as machine
from tests.trust.races import playing as races
from tests.trust.races.plays import RACES
from tests.trust.races.schedule import Drawn
from tests.trust.races.stage import Theatre, perform
from tests.trust.races.story import told
from tests.trust.tally import Tally

REPORT = report.ROOT / "tests" / "trust-report.md"
LOG = report.ROOT / ".local" / "trust.log"
"""What the service says during the long run: tens of thousands of lines."""
LEAST_SECONDS = 20.0
CHAOS_SHARE = 0.35
"""The storm needs the most: processes and databases take their time to come back."""
SHARES: dict[str, tuple[float, Callable[[House, float, int], Tally]]] = {
    "races": (0.30, races.run),
    "fault points": (0.12, fault_points.run),
    "state machine": (0.15, machine.run),
    "tampering": (0.08, tampering.run),
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    minutes: Annotated[float, typer.Option(help="How long, the defects aside.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Another seed, another run.")] = 0,
    seeded_defects: Annotated[bool, typer.Option(help="They take hours, whatever minutes.")] = True,
) -> None:
    """Run every part and write the report."""
    when = datetime.now(UTC)
    LOG.unlink(missing_ok=True)
    tallies = []
    rest = parts(minutes * 60, seed, seeded_defects=seeded_defects)
    while (tally := unheard(lambda: next(rest, None))) is not None:
        tallies.append(tally)
        typer.echo(
            f"{tally.part}: {tally.commands:,} commands, {sum(tally.faults.values()):,} faults, "
            f"{len(tally.violations)} violations, {tally.seconds:.0f} s"
        )
    left_out = "" if seeded_defects else "the seeded defects (`make defects`)"
    text = report.written(tallies, when, minutes, seed, left_out)
    REPORT.write_text(text, encoding="utf-8")
    typer.echo(f"\n{text}")
    raise typer.Exit(1 if any(tally.violations for tally in tallies) else 0)


@app.command()
def play(race: str, seed: int) -> None:
    """Play one race under one seed, and tell it; when it is red, the shortest red one, too."""
    with house() as service, stage(service) as theatre:
        drawn = Drawn(seed)
        came = perform(theatre, RACES[race], drawn)
        typer.echo(told(f"{race}, seed {seed}", came, drawn.written()))
        if came.wrong:
            typer.echo(races.story(theatre, race, seed, drawn.written(), came))
    raise typer.Exit(1 if came.wrong else 0)


@app.command()
def usage(events: int = 100_000, seed: int = 0) -> None:
    """Tell so many events of usage to two hotels in two orders, and compare their invoices."""
    with house() as service, redirect_stdout(StringIO()):
        began = perf_counter()
        wrong = usage_orders.play(service, events, seed)
        seconds = perf_counter() - began
    told = usage_orders.tellings(events)
    took = f"{told:,} told in {seconds:,.0f} s, {told / seconds:,.0f} a second"
    typer.echo(f"{events:,} events, {took}; seed {seed}: {wrong or 'the same invoices'}")
    raise typer.Exit(1 if wrong else 0)


@app.command()
def calendars() -> None:
    """Lay out ten years of periods in every zone, from an anchor on every day of the month."""
    tally = calendar_parts.run()
    found = tally.violations or "no hole, no overlap, no lost day"
    typer.echo(f"{tally.figures}, {tally.seconds:.0f} s: {found}")
    raise typer.Exit(1 if tally.violations else 0)


@app.command()
def quotes(changes: int = 2_000, seed: int = 0) -> None:
    """Quote so many changes of subscriptions, make them, and compare what was charged."""
    with house() as service, redirect_stdout(StringIO()):
        somebody_sells(service)
        wrong = quoting.play(service.new_hotel, changes, seed)
    typer.echo(f"{changes:,} changes, seed {seed}: {wrong or 'charged is what was quoted'}")
    raise typer.Exit(1 if wrong else 0)


def unheard(part: Callable[[], Tally | None]) -> Tally | None:
    """One part, during which the service's log goes to a file beside its other files."""
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log, redirect_stdout(log):
        return part()


def parts(seconds: float, seed: int, *, seeded_defects: bool = True) -> Iterator[Tally]:
    """One part after the other, each with its share; the first two take their time on top."""
    if seeded_defects:
        yield defects.run(math.inf)  # all of them, however little time there is for the rest
    yield calendar_parts.run()
    with tempfile.TemporaryDirectory() as folder:
        yield chaos.run(max(seconds * CHAOS_SHARE, LEAST_SECONDS), seed, Path(folder))
    for share, part in SHARES.values():
        with house() as service:
            yield part(service, max(seconds * share, LEAST_SECONDS), seed)


@contextmanager
def house() -> Iterator[House]:
    """The service on a server of its own."""
    with tempfile.TemporaryDirectory(prefix="billing-trust-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server may run as another user
        server = start_database(folder / "database")
        try:
            built = House.build(server, folder / "local")
            yield built
            built.close()
        finally:
            server.stop()


@contextmanager
def stage(service: House) -> Iterator[Theatre]:
    """A stage in it."""
    with tempfile.TemporaryDirectory() as folder:
        theatre = Theatre.build(service, Path(folder))
        try:
            yield theatre
        finally:
            theatre.close()


if __name__ == "__main__":
    app()
