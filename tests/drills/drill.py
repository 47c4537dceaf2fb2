"""A drill: something breaks on the laptop's stack, and a page of the runbook gets out of it.

    letters = drill.first_five_minutes()["billing dlq list"]
    drill.run("billing dlq replay --consumer on_payment_captured")

Only what the page says is typed, and at the end all of it has been: a command that a page names and
that no drill has tried is as good as none. The stack fires no job by itself, so that whatever
recovers has recovered by the page.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from click.testing import Result
from pg8000.exceptions import InterfaceError
from typer.testing import CliRunner

from common.cli.main import billing
from common.local.stack import Stack
from common.wiring import edge
from tests.drills.alerting import goes_off
from tests.drills.pages import NotOnThePage, Page
from tests.hotel import Hotel, House

WRONG = 2


DrillOf = Callable[[str], "Drill"]


@dataclass
class Drill:
    """A page, the stack, and a hotel in it to which it happens."""

    page: Page
    stack: Stack
    house: House
    hotel: Hotel
    logged: list[dict[str, Any]]
    typed: list[str] = field(default_factory=list)

    def first_five_minutes(self, exits: Mapping[str, int] | None = None) -> dict[str, Result]:
        """Type what stands there, in its order. They end with 0, or as `exits` says."""
        expected = exits or {}
        return {
            command: self.run(command, exits=expected.get(command, 0))
            for command in self.page.first_five_minutes
        }

    def run(
        self,
        command: str,
        *more: object,
        put: Mapping[str, object] | None = None,
        exits: int = 0,
        **environment: str,
    ) -> Result:
        """Type a command of the page, with what it leaves open put in its place."""
        self.page.has(command)
        self.typed.append(command)
        words = [str((put or {}).get(each, each)) for each in command.split()[1:]]
        result = self.type(*words, *more, **environment)
        assert result.exit_code == exits, f"{command}: {result.exit_code} {result.output}"
        return result

    def fires(self, job: str, exits: int = 0) -> dict[str, Any]:
        """A job's schedule has come: what its last line says."""
        result = self.type("job", "run", job)
        assert result.exit_code == exits, result.output
        return summary(result)

    def drains(self) -> None:
        """The outbox's drainer runs until nothing waits."""
        result = self.type("job", "run", "drain_outbox", "--once")
        assert result.exit_code == 0, result.output

    def type(self, *words: object, **environment: str) -> Result:
        """The operator's command, as it is found by whoever sits at this stack."""
        surroundings = {
            name: value for name, value in os.environ.items() if not name.startswith("BILLING_")
        }
        surroundings |= {"BILLING_LOCAL_FOLDER": str(self.stack.folder), "COLUMNS": "200"}
        with patch.dict(os.environ, surroundings | environment, clear=True), _own_process():
            return CliRunner().invoke(billing, [str(each) for each in words])

    def loses_sessions(self) -> None:
        """Whoever looks behind the scenes has to come in anew: the server has ended everybody."""
        admin, self.house._admin = self.house._admin, None
        if admin is not None:
            with suppress(InterfaceError, OSError):
                admin.close()

    def goes_off(self, alert: str, figures: Sequence[dict[str, Any]] = ()) -> bool:
        """Whether the alert has seen what it looks for since the drill began; `figures` are what
        was measured."""
        told = [each["type"] for each in self.hotel.events()]
        return goes_off(alert, self.logged, told, figures)

    def waits(self, seconds: int) -> None:
        """Time passes for everybody."""
        self.house.wiring.clock.move(seconds)  # type: ignore[attr-defined]

    def waits_for_the_next_day(self) -> None:
        """The business date in Kabul ends at three at night, which is 22:30 in UTC."""
        now = self.house.wiring.clock.now()
        over = now.replace(hour=23, minute=30)
        self.waits(int((over - now).total_seconds()) + (86_400 if now.hour >= 22 else 0))

    def is_over(self) -> None:
        """All is well, and nothing of the page was left untried. Raises NotOnThePage."""
        self.is_sound()
        untried = self.page.commands - set(self.typed)
        if untried:
            raise NotOnThePage(f"{self.page.name} was not tried: {sorted(untried)}")

    def is_sound(self) -> None:
        """Nothing waits, and the books are right."""
        self.drains()
        found = self.type("doctor")
        assert found.exit_code == 0, found.output


def summary(result: Result) -> dict[str, Any]:
    """The last line of a job's output."""
    last: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return last


@contextmanager
def _own_process() -> Iterator[None]:
    """A command has settings and signals to itself, as a process would."""
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    edge.cache_clear()
    try:
        yield
    finally:
        if edge.cache_info().currsize:
            edge().close()
        edge.cache_clear()
        for number, handler in handlers.items():
            signal.signal(number, handler)
