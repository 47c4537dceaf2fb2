"""How long it takes to cycle what is due, and whether what is only kept costs anything (SUB-13).

Two tasks of the job, as real processes, share what is due; one of them is killed half-way by
SIGKILL and started again. Once with nothing kept besides, and once among many that are not due, in
one run on one server: the ratio of the two says whether the cost follows the due. Afterwards each
period has one invoice and its credits were granted once, or the run ends with an error.

What is due is a period. A tenant has a schema of its own, which takes a quarter of a second to
make, so a few tenants with many periods behind them stand for many tenants: each period is found,
locked, invoiced, granted and told in its own transactions, as that of another tenant would be.
What is kept besides are rows of tenants that have no schema: nothing ever looks at them, or the
ratio shows it.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from common.domain.identifiers import SubscriptionId
from common.domain.period import Interval
from common.domain.subscription import begin
from common.domain.subscription_terms import Terms
from common.local.functions import ROOT
from common.ports.transaction import Transaction
from common.ports.transactions import Caller, StoredAnswer
from common.procedures.subscribing import settle
from common.runtime.execute import Call
from common.runtime.system import SystemActor
from tests.benchmarks.servers import jwks, settings_of
from tests.hotel import Hotel, House

TASKS: Final = 2
LOOKING_SECONDS: Final = 0.5
PERIODS_MAX: Final = 100
TENANTS_MIN: Final = 16
KEPT_BESIDES = """
INSERT INTO billing_central.subscriptions
SELECT (jsonb_populate_record(original, jsonb_build_object(
  'id', concat('sub_bench_', n), 'tenant_id', gen_random_uuid(), 'status', 'active',
  'period_start', now(), 'period_end', now() + n * interval '1 minute' + interval '1 day',
  'due_at', now() + n * interval '1 minute' + interval '1 day'))).*
FROM billing_central.subscriptions AS original
CROSS JOIN generate_series(1, CAST(:number AS integer)) AS n
WHERE id = (SELECT min(id) FROM billing_central.subscriptions)
"""
INVOICED = """
SELECT count(*), count(DISTINCT (subscription_id, period_number))
FROM billing_central.subscription_invoices
WHERE purpose = 'period' AND tenant_id = ANY(CAST(:tenants AS uuid[]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycled:
    """What a run came to: how many periods, in which time, with how much memory a task."""

    due: int
    kept: int
    seconds: float
    megabytes: float


def run(console: Console, house: House, folder: Path, due: int, kept: int) -> None:
    """Cycle so many periods with nothing besides them, and among so many."""
    alone = _cycled(house, folder, due, 0)
    among = _cycled(house, folder, due, max(kept - due, 0))
    table = Table(
        title=f"The cycle, {TASKS} tasks, one killed half-way and started again",
        title_justify="left",
    )
    for column in ("due", "kept", "seconds", "due a second", "MB a task", "time against alone"):
        table.add_column(column, justify="right")
    for each in (alone, among):
        table.add_row(
            f"{each.due:,}",
            f"{each.kept:,}",
            f"{each.seconds:.1f}",
            f"{each.due / each.seconds:,.0f}",
            f"{each.megabytes:.0f}",
            f"{each.seconds / alone.seconds:.2f}",
        )
    console.print(table)


def _cycled(house: House, folder: Path, due: int, besides: int) -> Cycled:
    hotels = _subscribers(house, due)
    if besides:
        house.sql(KEPT_BESIDES, number=besides)
    house.sql("ANALYZE billing_central.subscriptions")
    before = _invoiced(house, hotels)
    (kept,) = house.sql("SELECT count(*) FROM billing_central.subscriptions")[0]
    log = folder / "cycle.log"
    with jwks(house) as url:
        settings = settings_of(house, url)
    settings["BILLING_DATABASE"] = house.server.dsn("billing_job", "billing")
    started = time.monotonic()
    tasks = [_task(number, settings, log) for number in range(TASKS)]
    largest = [0]
    while _invoiced(house, hotels) < before + due // 2:
        _look(tasks, largest)
        if all(task.poll() is not None for task in tasks):
            break
    tasks[0].send_signal(signal.SIGKILL)
    tasks[0].wait()
    tasks[0] = _task(0, settings, log)
    while any(task.poll() is None for task in tasks):
        _look(tasks, largest)
    seconds = time.monotonic() - started
    _must_be_right(house, hotels, before + due, [task.returncode for task in tasks], log)
    return Cycled(due=due, kept=kept, seconds=seconds, megabytes=largest[0] / 2**20)


def _subscribers(house: House, due: int) -> list[Hotel]:
    """Tenants that have periods behind them, `due` in all."""
    each = min(PERIODS_MAX, max(1, due // TENANTS_MIN))
    hotels, left = [], due
    while left:
        hotel, months = house.new_hotel(), min(left, each)
        _subscribes(hotel, months)
        hotels.append(hotel)
        left -= months
    return hotels


def _subscribes(hotel: Hotel, months: int) -> None:
    """Subscribe so many months ago, on the first at midnight: so many periods are over now."""
    today = datetime.now(UTC)
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    began = datetime(year, month + 1, 1, tzinfo=UTC)

    def subscribing(_: None, tx: Transaction) -> None:
        terms = Terms.of(tx.plans.get("pro"), 1, Interval.MONTH, None)
        settle(begin(tx.new_id(SubscriptionId), terms, "UTC", began, None), tx)

    call = Call(
        use_case=subscribing,
        request=None,
        caller=Caller(actor=SystemActor.named("bench", hotel.tenant_id), traceparent=""),
        tenant_id=hotel.tenant_id,
        answer=lambda _: StoredAnswer(b"", 204, {}, ""),
    )
    hotel.house.wiring.runner.run(call)


def _task(number: int, settings: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """A task of the job, as its platform starts it."""
    shared = {"CLOUD_RUN_TASK_INDEX": str(number), "CLOUD_RUN_TASK_COUNT": str(TASKS)}
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "common.cli", "job", "run", "cycle_subscriptions"],
            cwd=ROOT,
            env=os.environ | settings | shared | {"PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=output,
        )


def _look(tasks: "Sequence[subprocess.Popen[bytes]]", largest: list[int]) -> None:
    """Note the most memory that a task has taken so far."""
    for task in tasks:
        if task.poll() is None:
            largest[0] = max(largest[0], psutil.Process(task.pid).memory_info().rss)
    time.sleep(LOOKING_SECONDS)


def _invoiced(house: House, hotels: Sequence[Hotel]) -> int:
    return int(house.sql(INVOICED, tenants=_array(hotels))[0][0])


def _array(hotels: Sequence[Hotel]) -> str:
    return "{" + ",".join(str(hotel.tenant_id) for hotel in hotels) + "}"


def _must_be_right(
    house: House, hotels: Sequence[Hotel], expected: int, codes: list[Any], log: Path
) -> None:
    """Each period has one invoice and one grant of credits, and both tasks did all they found."""
    invoiced, different = house.sql(INVOICED, tenants=_array(hotels))[0]
    granted = sum(
        hotel.rows("SELECT count(*) FROM {s}.credit_lots WHERE source = 'renewal'")[0][0]
        for hotel in hotels
    )
    if (invoiced, different, granted) != (expected, expected, expected) or any(codes):
        raise SystemExit(
            f"{expected} periods: {invoiced} invoices of {different}, {granted} grants;"
            f" the tasks ended with {codes}, see {log}"
        )
