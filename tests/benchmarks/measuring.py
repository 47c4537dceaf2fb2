"""What a run of the clients comes to (`make bench`). Absolute figures are the machine's own."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.servers import Server

CLIENTS = 8
ROUNDS = 3

Call = tuple[str, str, str]
"""A path, the token of who calls it, and the body that is sent."""


@dataclass
class Measured:
    """What a run of the clients came to; `cpu` is the server's, in microseconds a request."""

    per_second: float
    p50: float
    p99: float
    cpu: float


def load(server: Server, calls: Sequence[Call], seconds: int, folder: Path) -> Measured:
    """Let the clients loose on a server: each takes its turns among the calls."""
    order: dict[str, Any] = {
        "port": server.port,
        "clients": CLIENTS,
        "seconds": seconds,
        "calls": calls,
    }
    file = folder / "order.json"
    file.write_text(json.dumps(order), encoding="utf-8")
    with cpu_of(server.process.pid) as cpu:
        ended = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.load", str(file)],
            capture_output=True,
            text=True,
            check=True,
        )
    result = json.loads(ended.stdout)
    taken = sorted(result["taken"])
    if result["other"] or not taken:
        raise SystemExit(f"answers other than 201: {result['other'][:5]}")
    return Measured(
        per_second=len(taken) / seconds,
        p50=taken[len(taken) // 2],
        p99=taken[len(taken) * 99 // 100],
        cpu=cpu[0] / len(taken) * 1e6,
    )


def middle(runs: list[Measured]) -> Measured:
    """The run in the middle, by throughput."""
    return sorted(runs, key=lambda run: run.per_second)[len(runs) // 2]


def row(measured: Measured) -> tuple[str, str, str, str]:
    return (
        f"{measured.per_second:,.0f}",
        f"{measured.p50:.1f}",
        f"{measured.p99:.1f}",
        f"{measured.cpu:,.0f}",
    )


@contextmanager
def cpu_of(pid: int) -> Iterator[list[float]]:
    """Seconds of processor that a process and its children take meanwhile."""
    spent = [0.0]

    def total() -> float:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    before = total()
    yield spent
    spent[0] = total() - before
