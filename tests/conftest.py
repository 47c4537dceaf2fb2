"""One real PostgreSQL for the session, and a hotel of its own for every test that asks for one."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from common.local.database import LocalDatabase, start_database
from tests.hotel import Hotel, House


@contextmanager
def a_server() -> Iterator[LocalDatabase]:
    """A server. Not in pytest's own folder, which PostgreSQL's user may not enter under root.

    Who starts many sessions names a folder with a cluster that was never used: each begins with a
    copy of it, which is quicker than making one.
    """
    with tempfile.TemporaryDirectory(prefix="billing-tests-") as folder:
        if made := os.environ.get("BILLING_TEST_CLUSTER"):
            subprocess.run(["cp", "-Rp", f"{made}/data", folder], check=True)
        running = start_database(Path(folder))
        try:
            yield running
        finally:
            running.kill()  # nothing of it is kept: it need not write everything down first


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
def hotel(house: House) -> Hotel:
    """A tenant of its own with one property, tax rules and rates."""
    return house.new_hotel()


@pytest.fixture
def clock(house: House) -> Iterator[Callable[[str], None]]:
    """Turns the service's clock to an instant; afterwards it shows the time as it is again."""
    yield house.turn_clock
    house.reset_clock()
