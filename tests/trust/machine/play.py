"""The machine as a whole, played for a number of examples or for a time."""

import time
from collections import Counter

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import run_state_machine_as_test

from tests.hotel import House
from tests.trust.machine.account_rules import AccountRules
from tests.trust.machine.credit_rules import CreditRules
from tests.trust.machine.desk_rules import DeskRules
from tests.trust.machine.night_rules import NightRules
from tests.trust.machine.office_rules import OfficeRules
from tests.trust.machine.world import World
from tests.trust.tally import Tally

EXAMPLES_A_TURN = 25
STEPS = 50
FIGURES = (
    *("examples", "invoices", "dead letters", "clock moves"),
    *("refunds", "refunds asked for again", "transfers", "nights audited"),
    *("credit payments", "credits given back", "purchases taken back", "card payments"),
)


class Machine(CreditRules, DeskRules, OfficeRules, AccountRules, NightRules):
    """All rules on one stage."""


def machine_in(world: World, counted: Counter[str], seed: int | None = None) -> type[Machine]:
    """A machine that plays in a world, by a seed of its own."""
    made = type("Machine", (Machine,), {"world": world, "counted": counted})
    return made if seed is None else hypothesis.seed(seed)(made)


def settings_for(examples: int, steps: int = STEPS, **more: object) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        **more,  # type: ignore[arg-type] # hypothesis checks them itself
    )


def run(house: House, seconds: float, seed: int) -> Tally:
    """Play with seed after seed until the time is over, or a violation is found."""
    started, counted = time.monotonic(), Counter[str]()
    tally = Tally("state machine")
    turn = 0
    phases = (Phase.generate, Phase.shrink)
    with World.of(house) as world:
        while time.monotonic() - started < seconds and not tally.violations:
            turn_seed, turn = seed + turn, turn + 1
            machine = machine_in(world, counted, turn_seed)
            try:
                run_state_machine_as_test(
                    machine, settings=settings_for(EXAMPLES_A_TURN, phases=phases)
                )
            except Exception as found:  # noqa: BLE001 - whatever it is, it is what was looked for
                tally.violations.append(f"seed {turn_seed}: {story_of(found)}")
    fill(tally, counted)
    tally.figures["seeds"] = str(turn)
    tally.seconds = time.monotonic() - started
    return tally


def fill(tally: Tally, counted: Counter[str]) -> None:
    """Turn what was counted into figures."""
    tally.commands = counted["commands"]
    prefix = "fault: "
    for name, times in sorted(counted.items()):
        if name.startswith(prefix):
            tally.faults[name.removeprefix(prefix)] += times
    for name in FIGURES:
        tally.figures[name] = str(counted[name])
    answers = [name for name in counted if name.startswith("answers: ")]
    tally.figures["different answers"] = str(len(answers))


def story_of(found: BaseException) -> str:
    """The smallest example that fails, step by step, as hypothesis tells it."""
    notes = getattr(found, "__notes__", [])
    return "\n".join([f"{type(found).__name__}: {found}", *notes])
