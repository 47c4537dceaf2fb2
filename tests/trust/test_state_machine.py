"""Whatever is done in whichever order, the service and a plain model come to the same (REL-3).

The machine stands in tests/trust/machine. The examples here are the same in every run; `run` in
tests/trust/machine/play.py goes on with others for as long as there is time.
"""

from collections import Counter

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.hotel import House
from tests.trust.machine.play import machine_in, settings_for
from tests.trust.machine.world import World

EXAMPLES = 60


@pytest.mark.req("REL-3", "API-4", "EVT-5", "FOL-8", "INV-1")
def test_service_and_model_agree_on_every_answer_whatever_is_done(house: House) -> None:
    counted: Counter[str] = Counter()

    with World.of(house) as world:
        run_state_machine_as_test(
            machine_in(world, counted), settings=settings_for(EXAMPLES, derandomize=True)
        )
