"""How long each function takes to its first answer, alone and as it is deployed, and what it holds
in memory: beside a lean one of the same framework that does nothing (PERF-1).

The start is that of a process of functions-framework with its bytecode there, until it has answered
a call that bears no token. All take turns with the lean one. The ratio is that of the processor's
time, which a machine that has other work to do does not stretch; the least of the rounds counts, as
nothing makes a start cheaper than it is.
"""

import http.client
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from common.local.functions import ROOT, declarations
from common.runtime.declaration import Declaration, HttpDeclaration
from tests.benchmarks.servers import LEAN, Server, functions_framework

RATIO_MAX: Final = 1.2
ROUNDS: Final = 3
SETTINGS: Final = {
    "BILLING_STACK": "google",
    "BILLING_DATABASE": "postgresql://billing@/billing?host=/nowhere",
    "BILLING_TOKEN_ISSUER": "https://identity.test",
    "BILLING_JWKS_URL": "https://identity.test/jwks.json",
    "BILLING_OIDC_AUDIENCE": "billing-events",
    "BILLING_OIDC_ACCOUNT": "push@billing.test",
}
"""What a function is told in the cloud; nobody is asked for anything before a token is there."""


class NoSuchFunction(SystemExit):
    """Somebody wants to see what is not there."""


@dataclass
class Started:
    """The starts of a function: seconds of each, by the clock and of the processor, and megabytes
    after the first answer. `beside` are those of the processor that the lean one took in the same
    rounds: the least of a few is not held against the least of all.
    """

    name: str
    source: Path
    method: str = "POST"
    path: str = "/"
    seconds: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    megabytes: float = 0.0

    def forget(self) -> None:
        """The first start has compiled what was not compiled yet."""
        self.seconds.clear()
        self.spent.clear()

    @property
    def ratio(self) -> float:
        """How many times the lean one it costs to start."""
        return min(self.spent) / min(self.beside or self.spent)

    def again(self, log: Path) -> None:
        """Start it once more, until it has answered."""
        begun = time.perf_counter()
        with functions_framework(self.source, SETTINGS, log) as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            connection.request(self.method, self.path, b"{}", {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            self.seconds.append(time.perf_counter() - begun)
            if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:  # without a database, one is 503
                raise SystemExit(f"{self.name} answered {answer.status}; see {log}")
            spent, held = cost_of(server)
            self.spent.append(spent)
            self.megabytes = held / 2**20


def cost_of(server: Server) -> tuple[float, float]:
    """Seconds of the processor, and bytes held, each shared page counted once."""
    first = psutil.Process(server.process.pid)
    processes = (first, *first.children(recursive=True))
    spent = sum(time.clock_gettime(clock_of(each.pid)) for each in processes)
    return spent, float(sum(each.memory_full_info().pss for each in processes))


def clock_of(pid: int) -> int:
    """Linux's clock of a process's processor time: finer than the hundredths that it tells else."""
    return (~pid << 3) | 2


def measured(names: Sequence[str], rounds: int, folder: Path) -> tuple[Started, list[Started]]:
    """The lean one, and each function that is named; all where none is. Raises NoSuchFunction."""
    lean, log = Started("lean", LEAN), folder / "start.log"
    found = [started(each) for each in declarations() if not names or each.name in names]
    missing = set(names) - {each.name for each in found}
    if missing:
        raise NoSuchFunction(f"there is no function {', '.join(sorted(missing))}")
    lean.again(log)
    lean.forget()
    for each in track(found, description="starting", transient=True):
        each.again(log)
        each.forget()
        for _ in range(rounds):
            lean.again(log)
            each.beside.append(lean.spent[-1])
            each.again(log)
    return lean, found


def started(declaration: Declaration) -> Started:
    """A function that was not started yet."""
    source = ROOT / "functions" / declaration.area / f"{declaration.name}.py"
    if isinstance(declaration, HttpDeclaration):
        return Started(declaration.name, source, declaration.method, declaration.full_path)
    return Started(declaration.name, source)


def rows(lean: Started, found: Sequence[Started]) -> Iterator[tuple[str, ...]]:
    """The lean one, and the dearest first."""
    for each in (lean, *sorted(found, key=lambda one: one.ratio, reverse=True)):
        told = f"{each.ratio:.2f}" + (" !" if each.ratio > RATIO_MAX else "")
        times = (f"{min(all_of) * 1000:,.0f}" for all_of in (each.spent, each.seconds))
        yield each.name, told, *times, f"{each.megabytes:,.0f}"


def run(console: Console, names: Sequence[str], rounds: int, folder: Path) -> None:
    """Measure, and print the table."""
    lean, found = measured(names, rounds, folder)
    table = Table(title=f"starts, the least of {rounds}; ! is beyond {RATIO_MAX}", box=None)
    table.add_column("function")
    for name in ("of the lean one", "ms of processor", "ms by the clock", "MB"):
        table.add_column(name, justify="right")
    for row in rows(lean, found):
        table.add_row(*row)
    console.print(table)
    beyond = sum(each.ratio > RATIO_MAX for each in found)
    console.print(f"{beyond} of {len(found)} functions are beyond {RATIO_MAX}")
