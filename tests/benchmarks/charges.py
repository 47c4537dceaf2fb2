"""Charges a second, all guarantees on, beside two yardsticks measured in the same run.

- the floor: pgbench, the same rows in one durable transaction, prepared, no HTTP, no Python;
- the minimal function of tests/benchmarks/minimal: same framework, same SQL, guarantees left out.
"""

import json
import statistics
from itertools import cycle
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.measuring import CLIENTS, ROUNDS, Call, load, middle, row
from tests.benchmarks.servers import (
    LEAN,
    OURS,
    first_answer,
    floor,
    jwks,
    minimal,
    service,
    settings_of,
)
from tests.hotel import Hotel, House, charge

FOLIOS = 64
STARTS = 5
TENANTS = (1, 20, 100)


def run(console: Console, house: House, seconds: int, folder: Path) -> None:
    """All of it: from a standing start, over folios, over tenants."""
    hotel = house.new_hotel()
    folios = [hotel.open_folio() for _ in range(FOLIOS)]
    cold_start(console, house, hotel, folios[0], folder)
    measure(console, house, hotel, folios, seconds, folder)
    by_tenants(console, house, seconds, folder)


def measure(
    console: Console, house: House, hotel: Hotel, folios: list[str], seconds: int, folder: Path
) -> None:
    with service(house, folder) as ours, minimal(house, hotel, folder) as theirs:
        for name, chosen in ((f"{FOLIOS} folios", folios), ("one hot folio", folios[:1])):
            table = Table(
                title=f"Charges over HTTP, {CLIENTS} clients, {name}", title_justify="left"
            )
            for column in ("", "a second", "p50 ms", "p99 ms", "CPU us", "against minimal"):
                table.add_column(column, justify="left" if not column else "right")
            calls = shared_out(hotel, chosen)
            runs = [
                (load(ours, calls, seconds, folder), load(theirs, calls, seconds, folder))
                for _ in range(ROUNDS)
            ]
            a, b = (middle([run[side] for run in runs]) for side in (0, 1))
            ratio = statistics.median(x.per_second / y.per_second for x, y in runs)
            table.add_row("this service", *row(a), f"{ratio:.2f}")
            table.add_row("minimal function", *row(b), "1.00")
            bench = floor(house, hotel, chosen, seconds, folder)
            table.add_row(
                "pgbench, no HTTP", f"{bench:,.0f}", "", "", "", f"{bench / b.per_second:.2f}"
            )
            console.print(table)
            console.print(f"  this service reaches {a.per_second / bench:.0%} of pgbench\n")


def by_tenants(console: Console, house: House, seconds: int, folder: Path) -> None:
    """What a cell's growth costs: a schema for each tenant is a cache to be warmed for each."""
    table = Table(title=f"Charges over HTTP, {CLIENTS} clients, by tenants", title_justify="left")
    for column in ("tenants", "a second", "p50 ms", "p99 ms", "CPU us", "against one"):
        table.add_column(column, justify="right")
    hotels: list[Hotel] = []
    one = 0.0
    with service(house, folder) as ours:
        for tenants in TENANTS:
            hotels += [house.new_hotel() for _ in range(len(hotels), tenants)]
            calls = [
                charging(hotel.open_folio(), hotel.token(sub=f"till-{turn % CLIENTS}"))
                for turn, hotel in zip(range(max(FOLIOS, tenants)), cycle(hotels), strict=False)
            ]
            load(ours, calls, seconds, folder)  # until every connection has seen every tenant
            runs = [load(ours, calls, seconds, folder) for _ in range(ROUNDS)]
            measured = middle(runs)
            one = one or measured.per_second
            table.add_row(f"{tenants}", *row(measured), f"{measured.per_second / one:.2f}")
    console.print(table)


def shared_out(hotel: Hotel, folios: list[str]) -> list[Call]:
    """The folios of one hotel, charged by as many tills as there are clients."""
    tokens = [hotel.token(sub=f"till-{number}") for number in range(CLIENTS)]
    turns = max(len(folios), CLIENTS)
    return [charging(folios[turn % len(folios)], tokens[turn % CLIENTS]) for turn in range(turns)]


def charging(folio: str, token: str) -> Call:
    """The same charge to a folio, again and again."""
    return f"/api/v1/folios/{folio}/charges", token, json.dumps(charge("room", 10_000))


def cold_start(console: Console, house: House, hotel: Hotel, folio: str, folder: Path) -> None:
    """A fresh process to its first charge, beside one that loads the same and does nothing."""
    path = f"/api/v1/folios/{folio}/charges"
    headers = {"Authorization": f"Bearer {hotel.token()}", "Content-Type": "application/json"}
    pairs = []
    with jwks(house) as url:
        for number in range(STARTS + 1):
            keyed = {**headers, "Idempotency-Key": f"start-{number}"}
            mine = first_answer(OURS, settings_of(house, url), folder / "cold.log", path, keyed)
            lean = first_answer(LEAN, {}, folder / "lean.log", path, keyed)
            pairs.append((mine, lean))
    pairs = pairs[1:]  # the first start compiles
    ours, yardstick = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    ratio = statistics.median(a / b for a, b in pairs)
    console.print(
        f"Cold start to the first charge: {ours * 1000:.0f} ms; a lean function that does nothing:"
        f" {yardstick * 1000:.0f} ms; ratio {ratio:.2f} (budget 1.2)\n"
    )
