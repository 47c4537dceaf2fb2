"""The lints of one file read and parse the project once."""

from collections.abc import Iterator

import pytest

from tests.architecture.source_tree import sources_in


@pytest.fixture(scope="module", autouse=True)
def _read_once() -> Iterator[None]:
    """Keep what was parsed for the tests of a file, and no longer: it is large."""
    yield
    sources_in.cache_clear()
