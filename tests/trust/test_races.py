"""Every race, under many schedules: the books are right after each (REL-2).

A red seed is made as short as it goes and told as a story; `python -m tests.trust play RACE SEED`
plays it again.
"""

import pytest

from tests.trust.races.playing import find, seeds_of
from tests.trust.races.plays import RACES
from tests.trust.races.stage import Theatre

SEEDS = 10
"""What a change is held against at every turn. CI plays more, and `make trust` far more; that a
guard that is gone is noticed is tried with 20 (`make defects`)."""


@pytest.mark.req("REL-2")
@pytest.mark.parametrize("name", RACES)
def test_no_seed_breaks_the_books(theatre: Theatre, name: str) -> None:
    found = find(theatre, name, seeds_of(SEEDS))

    if found.stories:
        pytest.fail("\n\n".join(found.stories), pytrace=False)
    assert found.plays == len(seeds_of(SEEDS))
