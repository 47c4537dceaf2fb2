"""What the tests of the trust harness share."""

from collections.abc import Iterator

import pytest

from tests.hotel import House
from tests.trust.races.stage import Theatre


@pytest.fixture(scope="module")
def theatre(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """A hotel of its own, and instances of the service that stop before every statement."""
    built = Theatre.build(house, tmp_path_factory.mktemp("theatre"))
    yield built
    built.close()
