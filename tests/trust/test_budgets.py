"""Nothing that changes something asks the database oftener than it says (PERF-1): counted.

Everything is called once, at an instance that has just started and knows nobody: its statements are
prepared on the way, and it asks for a piece of each rate limit.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

import pytest

from common.local.functions import event_declarations, http_declarations, job_declarations
from common.postgres.recovery import SINCE
from common.postgres.schemas import FUNCTION_LOGIN, JOB_LOGIN
from tests.hotel import Hotel, House
from tests.postgres.proxy import Count, Proxy
from tests.security.gated import declaration, write_off
from tests.trust.budgets import (
    FOUR,
    LONGER,
    PHASED,
    THREE,
    budget,
    is_one_transaction,
    moves_money_at_once,
)
from tests.trust.fault_points import JOBS
from tests.trust.faults.doomed import Doomed, passing
from tests.trust.faults.examples import CONFIRMED, EXAMPLES
from tests.trust.faults.scene import Scene

DECLARED = {each.name: each for each in (*http_declarations(), *event_declarations())}
JOB_NAMES = {each.name for each in job_declarations()}

pytestmark = pytest.mark.req("PERF-1")


@pytest.fixture(scope="module")
def scene(house: House) -> Iterator[Scene]:
    built = Scene.build(house)
    yield built
    built.close()


@pytest.fixture(scope="module")
def proxy(house: House) -> Iterator[Proxy]:
    standing = Proxy(house.server)
    yield standing
    standing.stop()


def transactions(count: Count) -> list[int]:
    """The round trips of each transaction that was counted, in their order."""
    trips: list[int] = []
    is_open = False
    for asked in count.asked:
        if not is_open or any(each.startswith("BEGIN") for each in asked.statements):
            trips.append(0)
        trips[-1] += 1
        is_open = asked.statements[-1] not in ("COMMIT", "ROLLBACK")
    return trips


ENDS_WELL = ("done, exit code 0", "handed_over, exit code 0")
"""What a job says that has nothing more to do."""


def before_any_job(count: Count) -> Count:
    """What a function asked: some examples go on with the job that finishes what dies, which first
    asks whether the service recovers."""
    return Count(list(takewhile(lambda asked: SINCE not in asked.statements, count.asked)))


def starts(scene: Scene, proxy: Proxy, login: str) -> Hotel:
    """The hotel of the scene, called at an instance that has just started, through the proxy."""
    house = scene.hotel.house
    started = house.beside(
        powers=passing(house, Doomed(), scene.published),
        functions=[declaration(write_off)],
        databases={"main": proxy.dsn(login)},
    )
    return replace(scene.hotel, house=started)


@pytest.mark.parametrize("name", EXAMPLES)
def test_asks_no_oftener_than_it_says(scene: Scene, proxy: Proxy, name: str) -> None:
    function = name.split(" ")[0]
    scene.wipe()
    act = EXAMPLES[name](scene)
    at = starts(scene, proxy, JOB_LOGIN if name in JOBS else FUNCTION_LOGIN)

    with proxy.counting() as count:
        heard = act(at)
    at.house.close()

    taken = transactions(count if function in JOB_NAMES else before_any_job(count))
    assert heard.startswith(("200", "201", "202", "204", *ENDS_WELL)), heard
    if function == CONFIRMED:
        return
    assert max(taken, default=0) <= budget(function), taken
    if function in PHASED:
        assert sum(taken) <= PHASED[function][0], taken
    elif function not in JOB_NAMES:
        assert len(taken) <= 1, taken


def test_everything_that_changes_something_has_a_budget() -> None:
    names = [*THREE, *FOUR, *LONGER]

    assert len(names) == len(set(names))
    assert set(names) == {name.split(" ")[0] for name in EXAMPLES} - {CONFIRMED}


def test_what_moves_money_has_three_or_four() -> None:
    """And a charge three. Only who asks somebody else in between takes more in all."""
    moving = {name for name, each in DECLARED.items() if moves_money_at_once(each)}

    assert len(moving) > 20
    assert moving & {*LONGER, *PHASED} == set()
    assert {"post_charge", "post_charge_batch"} <= THREE


def test_only_who_declares_a_phase_takes_several_transactions() -> None:
    assert {name for name in PHASED if is_one_transaction(DECLARED[name])} == set()


def test_every_reason_is_said() -> None:
    assert all(len(reason) > 20 for _, reason in (*LONGER.values(), *PHASED.values()))
