"""A cell of its own for every test of a job."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from common.local.database import LocalDatabase
from tests.jobs.cell import Broker, Cell


@pytest.fixture
def cell(server: LocalDatabase, tmp_path: Path) -> Iterator[Cell]:
    built = Cell.build(server, tmp_path)
    yield built
    built.close()


@pytest.fixture
def broker() -> Broker:
    return Broker()
