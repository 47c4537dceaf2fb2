"""The stand-in for Google's provider, and the plans of both environments, once for all tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.local.functions import declarations, job_declarations
from common.runtime.function_map import function_map
from tests.terraform.program import ENVIRONMENTS, Copy, Plan, provider
from tests.terraform.rights import Functions

Copying = Callable[[], Copy]


@pytest.fixture(scope="session")
def functions() -> Functions:
    """What the code declares."""
    return function_map([*declarations(), *job_declarations()])


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A provider that tells what things will be called."""
    with provider(tmp_path_factory.mktemp("told"), told=True) as found:
        yield found


@pytest.fixture(scope="session")
def untold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A provider that knows as little before it has made something as Google's own."""
    with provider(tmp_path_factory.mktemp("untold"), told=False) as found:
        yield found


@pytest.fixture(scope="session")
def plans(told: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Plan]:
    """What each environment would be."""
    copy = Copy.made(tmp_path_factory.mktemp("plans"), told)
    return {environment: copy.plan(environment) for environment in ENVIRONMENTS}


@pytest.fixture
def copy(told: str, tmp_path: Path) -> Copy:
    """A copy of terraform/ to make a mistake in."""
    return Copy.made(tmp_path, told)
