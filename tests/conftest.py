"""One real PostgreSQL for the session, and a hotel of its own for every test that asks for one."""

import gc
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from common.local.database import LocalDatabase, start_database
from common.postgres.address import open_session
from tests.charging import incidents_are_over
from tests.clusters import where_there_is_room
from tests.hotel import Hotel, House
from tests.lending import all_move_out, lent

ALWAYS_THE_SAME = hypothesis.settings(derandomize=True, deadline=None)
"""What is tried is the same in each run, and no run is too slow: a test that fails today and not
tomorrow says nothing, and no seeded defect may hide behind a lucky draw. New ones are tried by
`make trust`, which names its seeds."""

NEW_BEFORE_A_LOOK = 50_000
"""Objects; by itself Python looks after every 700, which a single call makes."""


def pytest_configure() -> None:
    """What Hypothesis tries is settled. And what is in a circle and lost is looked for less often:
    Python's looking, and Hypothesis's noting of it, was a tenth of the time of tests that make
    much."""
    hypothesis.settings.register_profile("always the same", ALWAYS_THE_SAME)
    hypothesis.settings.load_profile("always the same")
    gc.set_threshold(NEW_BEFORE_A_LOOK, 20, 20)


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: nobody looks through it again for what is lost."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """How tests are shared out, when they run side by side."""
    from tests.sharing_out import shared_out

    return shared_out(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In which order, in every process the same."""
    if hasattr(config, "workerinput"):
        from tests.sharing_out import long_ones_first

        long_ones_first(items)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After the last test of a file its hotels make room; fixtures of a file end before."""
    if nextitem is not None and nextitem.path != item.path:
        all_move_out()


@contextmanager
def a_server() -> Iterator[LocalDatabase]:
    """A server. Not in pytest's own folder, which PostgreSQL's user may not enter under root.

    Who starts many sessions names a folder with a cluster: each begins with a copy of it, which is
    quicker than making one (tests/clusters.py).
    """
    room = where_there_is_room()
    with tempfile.TemporaryDirectory(prefix="billing-tests-", dir=room) as folder:
        if made := os.environ.get("BILLING_TEST_CLUSTER"):
            subprocess.run(["cp", "-Rp", f"{made}/data", folder], check=True)
        running = start_database(Path(folder))
        try:
            _never_wait_for_the_disk(running)
            yield running
        finally:
            running.kill()  # nothing of it is kept: it need not write everything down first


def _never_wait_for_the_disk(server: LocalDatabase) -> None:
    """What is written survives any process, as ever; here no machine is to lose its power.

    The tests of the laptop's own server and the chaos of processes start theirs as they are.
    """
    session = open_session(server.dsn())
    for setting in ("fsync", "full_page_writes"):
        session.run(f"ALTER SYSTEM SET {setting} = off")
    session.run("SELECT pg_reload_conf()")
    session.close()


@pytest.fixture(scope="session")
def server() -> Iterator[LocalDatabase]:
    """The server of the session."""
    with a_server() as running:
        yield running


@pytest.fixture(scope="session")
def house(server: LocalDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The service, wired as on a laptop, on a migrated database."""
    built = House.build(server, tmp_path_factory.mktemp("local"))
    yield built
    built.close()


@pytest.fixture
def hotel(house: House) -> Iterator[Hotel]:
    """A tenant of its own with one property, tax rules and rates."""
    with lent(house) as hotel:
        yield hotel


@pytest.fixture
def clock(house: House) -> Iterator[Callable[[str], None]]:
    """Turns the service's clock to an instant; afterwards it shows the time as it is again."""
    yield house.turn_clock
    house.reset_clock()


@pytest.fixture
def noon(clock: Callable[[str], None], house: House) -> None:
    """It is noon of 1 March, and no incident keeps the platform from charging anybody."""
    incidents_are_over(house)
    clock("2026-03-01T12:00:00+00:00")
