"""What `make bench` measures, each beside a yardstick of the same run.

    make bench                                           all of it
    make bench ARGS="cycles --due 20000 --kept 200000"   the cycle of subscriptions
    make bench ARGS="deductions --pgledger CHECKOUT"     python -m tests.benchmarks ...
    make bench ARGS=starts                               the start of every function
    make bench ARGS="starts --function post_charge"      of one

Absolute figures are the machine's; only the ratios of one run say something. Nothing here is a
test: what must hold is counted in the tests (round trips, imports, plans).
"""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from common.local.database import start_database
from tests.benchmarks import charges, cycles, deductions, starts
from tests.hotel import House


class Bench(StrEnum):
    """What can be measured."""

    CHARGES = "charges"
    DEDUCTIONS = "deductions"
    CYCLES = "cycles"
    STARTS = "starts"


def main(
    which: Annotated[list[Bench] | None, typer.Argument(help="What to measure: all of it.")] = None,
    seconds: Annotated[int, typer.Option(help="How long each load lasts.")] = 5,
    due: Annotated[int, typer.Option(help="How many periods are cycled.")] = 20_000,
    kept: Annotated[int, typer.Option(help="Among how many subscriptions.")] = 200_000,
    function: Annotated[list[str] | None, typer.Option(help="Which starts: all of them.")] = None,
    rounds: Annotated[int, typer.Option(help="How often each is started.")] = starts.ROUNDS,
    pgledger: Annotated[Path | None, typer.Option(help="A checkout of pgledger.")] = None,
) -> None:
    """Measure, and print a table for each load."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="billing-bench-") as folder:
        if Bench.STARTS in (which or Bench):
            starts.run(console, function or (), rounds, Path(folder))
        if which == [Bench.STARTS]:
            return
        database = start_database(Path(folder) / "pg")
        try:
            house = House.build(database, Path(folder) / "local")
            if Bench.CHARGES in (which or Bench):
                charges.run(console, house, seconds, Path(folder))
            if Bench.DEDUCTIONS in (which or Bench):
                deductions.run(console, house, seconds, Path(folder), pgledger)
            if Bench.CYCLES in (which or Bench):
                cycles.run(console, house, Path(folder), due, kept)
            house.close()
        finally:
            database.stop()


if __name__ == "__main__":
    typer.run(main)
