"""Which tests each process gets when they run side by side, and in which order (pytest-xdist).

A file is one piece of work: what it has prepared serves all its tests. But each race is a piece for
itself: together they are a quarter of all. And all drills are one: they share a laptop's stack. The
long pieces are begun first, so that at the end nobody waits for the one who has begun the longest
of them last.
"""

from collections import Counter

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

RACES = "tests/trust/test_races.py"
DRILLS = "tests/drills"
LONG = (
    "tests/security/test_fuzz_http.py",
    "tests/scenarios/test_day.py",
    "tests/trust/test_fault_points.py",
    DRILLS,
    "tests/functions/test_functions_framework.py",
    "tests/trust/test_state_machine.py",
    "tests/properties/test_folio_sequences.py",
    "tests/trust/test_chaos.py",
    RACES,
)
"""Where most of the time goes, by `--durations`. The others follow by the number of their tests; an
order that has grown old costs time and nothing else."""


class Pieces(LoadScopeScheduling):
    """One piece after the other, in the order of the tests, to whoever has done its last."""

    def _split_scope(self, nodeid: str) -> str:
        file = _file(nodeid)
        return nodeid if file == RACES else file


def shared_out(config: pytest.Config, log: Producer) -> Pieces | None:
    """The scheduler of `--dist loadfile`; other ways to share out are left as they are."""
    if config.getvalue("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return Pieces(config, log)


def long_ones_first(items: list[pytest.Item]) -> None:
    """Sort files by how long they take; the tests of a file stay as they stand in it."""
    files = [_file(item.nodeid) for item in items]
    tests = Counter(files)
    places = {file: place for place, file in enumerate(LONG)}

    def order(item: pytest.Item) -> tuple[int, int, str]:
        file = _file(item.nodeid)
        return places.get(file, len(LONG)), -tests[file], file

    items.sort(key=order)


def _file(nodeid: str) -> str:
    """The file of a test, or the folder where its files are one piece."""
    file = nodeid.split("::", 1)[0]
    return DRILLS if file.startswith(f"{DRILLS}/") else file
