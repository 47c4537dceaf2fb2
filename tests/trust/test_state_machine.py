"""Whatever is done in whichever order, the service and a plain model come to the same (REL-3).

The machine stands in tests/trust/machine. The seeds here are the same in every run; `run` in
tests/trust/machine/play.py goes on with others for as long as there is time.
"""

from collections import Counter

import pytest
from hypothesis import Phase, seed
from hypothesis.stateful import run_state_machine_as_test

from tests.hotel import House
from tests.trust.machine.play import machine_in, settings_for
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


def missing(counted: Counter[str]) -> list[str]:
    """What the examples are meant to do, and did not do yet, or not as often."""
    faults = [fault for fault in FAULTS if not counted[f"fault: {fault}"]]
    return faults + [name for name, least in DONE.items() if counted[name] < least]


@pytest.mark.req("REL-3", "API-4", "EVT-5", "FOL-7", "FOL-8", "FOL-9", "INV-1", "REF-1")
@pytest.mark.req("BEY-4", "BEY-9", "CRD-1", "CRD-2", "CRD-5", "GW-3")
def test_service_and_model_agree_on_every_answer_whatever_is_done(house: House) -> None:
    """And what the examples are meant to do is among what they did."""
    counted: Counter[str] = Counter()

    with World.of(house) as world:
        for number in range(ROUNDS_MAX):
            machine = seed(number)(machine_in(world, counted))
            run_state_machine_as_test(machine, settings=settings_for(EXAMPLES, derandomize=False))
            if not missing(counted):
                break

    assert missing(counted) == []
    assert len([name for name in counted if name.startswith("answers: ")]) >= 50


@pytest.mark.req("REL-3")
def test_a_model_that_counts_otherwise_is_contradicted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halves that are rounded down, here: the machine can fail, and says where."""
    monkeypatch.setattr("tests.trust.machine.folio.half_away", lambda number: int(number))

    with World.of(house) as world:
        machine = machine_in(world, Counter())
        quickly = settings_for(EXAMPLES, derandomize=True, phases=(Phase.generate,))
        with pytest.raises(AssertionError, match=r"(line|folio|balance).* fol_"):
            run_state_machine_as_test(machine, settings=quickly)
