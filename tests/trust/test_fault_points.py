"""Whoever dies at whatever point, what he was asked for is done once when it is asked for again."""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from common.local.functions import event_declarations, http_declarations, job_declarations
from tests.hotel import House
from tests.trust.fault_points import JOBS, Matrix
from tests.trust.faults.charging_examples import TWICE
from tests.trust.faults.credit_examples import BILLS
from tests.trust.faults.doomed import POINTS
from tests.trust.faults.examples import CONFIRMED, EXAMPLES
from tests.trust.faults.scene import Scene

OF_EACH_POINT = 2 if "TRUST_SEEDS" in os.environ else 1
"""What is reached often is died at once, and by CI twice: the first time and the last."""

pytestmark = pytest.mark.req("REL-1")


def changing() -> set[str]:
    """The names of all that may change something, from the declarations."""
    http = {each.name for each in http_declarations() if each.changes_state or each.signed_by}
    events = {each.name for each in event_declarations()}
    return http | events | {each.name for each in job_declarations()}


@pytest.fixture(scope="module")
def matrix(house: House) -> Iterator[Matrix]:
    built = Matrix(Scene.build(house))
    yield built
    built.scene.close()


@pytest.mark.req("API-4", "EVT-5")
@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_done_once_wherever_it_dies(matrix: Matrix, name: str) -> None:
    places = matrix.places(name, of_each=OF_EACH_POINT)

    wrong = [each for place in places for each in matrix.wrong(name, place)]

    assert wrong == []
    assert places


@pytest.mark.req("FOL-9", "BEY-6", "JOB-1")
def test_a_night_audit_comes_to_the_same_after_whichever_step_it_dies(matrix: Matrix) -> None:
    """Killed at every point that it ever comes to, and started again: row for row the same."""
    places = matrix.places("run_night_audit")

    wrong = [each for place in places for each in matrix.wrong("run_night_audit", place)]

    assert wrong == []
    assert len(places) > 30


def test_every_point_is_reached_by_something(matrix: Matrix) -> None:
    reached: Counter[str] = Counter()
    for name in EXAMPLES:
        reached += matrix.undisturbed(name).reached

    assert {point for point in POINTS if not reached[point]} == set()
    assert set(reached) == set(POINTS)


def test_everything_that_changes_something_has_an_example() -> None:
    assert set(EXAMPLES) - {CONFIRMED, *BILLS, *TWICE} == changing()
    assert set(JOBS) <= changing()
