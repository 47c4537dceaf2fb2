"""Whatever is done in whichever order, the service and a plain model come to the same (REL-3).

The machine stands in tests/trust/machine. The seeds here are the same in every run; `run` in
tests/trust/machine/play.py goes on with others for as long as there is time.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import Phase
from hypothesis.stateful import run_state_machine_as_test

from tests.hotel import House
from tests.trust.machine.play import PlatformMachine, machine_in, selling, settings_for
from tests.trust.machine.world import World

EXAMPLES = 30
ROUNDS_MAX = 5
FAULTS = [
    "a commit undone",
    "a commit unheard",
    "a drawing refused",
    "a key used again",
    "an event again",
    "an event of another group's",
    "another group's folio",
    "answers forgotten",
    "sent again",
    "the broker refuses",
    "the clock set back",
    "the drainer killed",
    "the drawing job killed",
]
DONE = {
    **dict.fromkeys(["invoices", "dead letters", "clock moves"], 10),
    **dict.fromkeys(["refunds", "transfers", "nights audited"], 5),
    **dict.fromkeys(["credit payments", "credits given back", "card payments"], 3),
    "purchases taken back": 3,
}
"""So much of it there is at least."""
BILLED = {
    **dict.fromkeys(["bills: period", "charges: succeeded", "charges: failed"], 4),
    **dict.fromkeys(["bills: change", "changes by quote", "deeds: cancel at once"], 1),
    **dict.fromkeys(["bills set off", "set off given back", "charges: canceled"], 1),
    **dict.fromkeys(["bills by credit", "answers: usage counted", "fault: a commit unheard"], 1),
}
"""And of the platform's own bills."""
EXAMPLES_OF_BILLS, STEPS_OF_BILLS = 6, 15


@pytest.fixture(scope="module")
def world(house: House) -> Iterator[World]:
    """Two hotels, made once."""
    with World.of(house) as made:
        yield made


def missing(counted: Counter[str]) -> list[str]:
    """What the examples are meant to do, and did not do yet, or not as often."""
    faults = [fault for fault in FAULTS if not counted[f"fault: {fault}"]]
    return faults + [name for name, least in DONE.items() if counted[name] < least]


def unbilled(counted: Counter[str]) -> list[str]:
    """The same of the platform's bills."""
    return [name for name, least in BILLED.items() if counted[name] < least]


@pytest.mark.req("REL-3", "API-4", "EVT-5", "FOL-7", "FOL-8", "FOL-9", "INV-1", "REF-1")
@pytest.mark.req("BEY-4", "BEY-9", "CRD-1", "CRD-2", "CRD-5", "GW-3")
def test_service_and_model_agree_on_every_answer_whatever_is_done(world: World) -> None:
    """And what the examples are meant to do is among what they did."""
    counted: Counter[str] = Counter()

    for number in range(ROUNDS_MAX):
        machine = machine_in(world, counted, number)
        run_state_machine_as_test(machine, settings=settings_for(EXAMPLES, derandomize=False))
        if not missing(counted):
            break

    assert missing(counted) == []
    assert len([name for name in counted if name.startswith("answers: ")]) >= 50


@pytest.mark.req("REL-3", "SUB-2", "SUB-3", "SUB-4", "SUB-5", "SUB-6", "SUB-7", "SUB-8", "SUB-9")
@pytest.mark.req("SUB-11", "SUB-12", "BEY-5")
def test_service_and_model_agree_on_every_bill_of_the_platform(world: World) -> None:
    """To the cent: what was invoiced, charged, paid, credited, lost and is owed; and what every
    period has brought in credits."""
    counted: Counter[str] = Counter()

    with selling(world):
        for number in range(ROUNDS_MAX):
            machine = machine_in(world, counted, number, PlatformMachine)
            quick = settings_for(EXAMPLES_OF_BILLS, STEPS_OF_BILLS, derandomize=False)
            run_state_machine_as_test(machine, settings=quick)
            if not unbilled(counted):
                break

    assert unbilled(counted) == []


@pytest.mark.req("REL-3")
def test_a_model_that_counts_otherwise_is_contradicted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halves that are rounded down, here: the machine can fail, and says where."""
    monkeypatch.setattr("tests.trust.machine.folio.half_away", lambda number: int(number))

    machine = machine_in(world, Counter())
    quickly = settings_for(EXAMPLES, derandomize=True, phases=(Phase.generate,))
    with pytest.raises(AssertionError, match=r"(line|folio|balance).* fol_"):
        run_state_machine_as_test(machine, settings=quickly)
