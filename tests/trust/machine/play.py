"""The machine as a whole, played for a number of examples or for a time."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import run_state_machine_as_test

from tests.charging import incidents_are_over
from tests.hotel import House
from tests.platform_taxing import nobody_sells, somebody_sells
from tests.subscribing import ask
from tests.trust.machine.account_rules import AccountRules
from tests.trust.machine.credit_rules import CreditRules
from tests.trust.machine.desk_rules import DeskRules
from tests.trust.machine.night_rules import NightRules
from tests.trust.machine.office_rules import OfficeRules
from tests.trust.machine.plans import PLANS, document, name_of
from tests.trust.machine.stage import Stage
from tests.trust.machine.subscription_stories import SubscriptionStories
from tests.trust.machine.world import World
from tests.trust.tally import Tally

EXAMPLES_A_TURN = 25
STEPS = 50
FIGURES = (
    *("examples", "invoices", "dead letters", "clock moves"),
    *("refunds", "refunds asked for again", "transfers", "nights audited"),
    *("credit payments", "credits given back", "purchases taken back", "card payments"),
    *("bills", "bills: change", "bills: usage", "bills: late_usage", "bills by credit"),
    *("bills set off", "set off given back"),
    *("bills lost", "charges: succeeded", "charges: failed", "charges: canceled"),
    *("changes by quote", "answers to a bank", "deeds: reactivate"),
)


class Machine(CreditRules, DeskRules, OfficeRules, AccountRules, NightRules):
    """All rules of the hotels on one stage."""


class PlatformMachine(SubscriptionStories):
    """Those of the platform's own bills, where months pass."""


@contextmanager
def selling(world: World) -> Iterator[None]:
    """The platform has plans, sells from Berlin, and has no trouble of its own, for a while."""
    nobody_sells(world.house)
    somebody_sells(world.house)
    incidents_are_over(world.house)
    hotel = world.tenants[0]
    for plan in PLANS:
        if plan == name_of(plan, world.mark):
            continue  # it is in the catalogue anyhow
        body = {"plan": name_of(plan, world.mark), **document(plan)}
        answer = ask(hotel, "plan.create", "/plans", body, office=hotel.tenant_id)
        assert answer.status_code == 201, answer.text
    try:
        yield
    finally:
        nobody_sells(world.house)


def machine_in(
    world: World,
    counted: Counter[str],
    seed: int | None = None,
    rules: type[Stage] = Machine,
) -> type[Stage]:
    """A machine that plays in a world, by a seed of its own."""
    made = type("Machine", (rules,), {"world": world, "counted": counted})
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
    """Play with seed after seed until the time is over, or a violation is found: the hotels' rules
    under one, the platform's under the next."""
    started, counted = time.monotonic(), Counter[str]()
    tally = Tally("state machine")
    turn = 0
    phases = (Phase.generate, Phase.shrink)
    with World.of(house) as world, selling(world):
        while time.monotonic() - started < seconds and not tally.violations:
            turn_seed, turn = seed + turn, turn + 1
            rules = PlatformMachine if turn % 2 == 0 else Machine
            machine = machine_in(world, counted, turn_seed, rules)
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
