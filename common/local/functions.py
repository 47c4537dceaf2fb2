"""Every function and job of the tree, found by path: the folders' listing is the specification.

Nothing lists the functions by hand. The laptop's gateway, the OpenAPI document and the Terraform
map read what this finds.
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from common.runtime.declaration import (
    Declaration,
    EventDeclaration,
    HttpDeclaration,
    HttpFunction,
    JobDeclaration,
    declaration_of,
)

ROOT = Path(__file__).resolve().parents[2]


class FunctionMisnamed(Exception):
    """A file under functions/ or jobs/ does not hold exactly one function of its own name."""


@cache
def functions(root: Path = ROOT) -> tuple[HttpFunction, ...]:
    """The target functions, in the order of their paths; looked for once, as what is imported once.
    Raises FunctionMisnamed.
    """
    files = sorted((root / "functions").glob("*/*.py"))
    modules = [f"functions.{file.parent.name}.{file.stem}" for file in files]
    return tuple(_target(import_module(each)) for each in modules if not each.endswith("__init__"))


def declarations(root: Path = ROOT) -> list[Declaration]:
    """What all functions declare."""
    return [declaration_of(target) for target in functions(root)]


def http_declarations(root: Path = ROOT) -> list[HttpDeclaration]:
    """What clients may call."""
    return [found for found in declarations(root) if isinstance(found, HttpDeclaration)]


def event_declarations(root: Path = ROOT) -> list[EventDeclaration]:
    """What other services' events come to."""
    return [found for found in declarations(root) if isinstance(found, EventDeclaration)]


def job_declarations(root: Path = ROOT) -> list[JobDeclaration]:
    """What schedules fire, in the order of the names. Raises FunctionMisnamed."""
    found = [declaration_of(target) for target in _jobs(root)]
    return [job for job in found if isinstance(job, JobDeclaration)]


@cache
def _jobs(root: Path) -> tuple[HttpFunction, ...]:
    names = [file.stem for file in sorted((root / "jobs").glob("*.py")) if file.stem != "__init__"]
    return tuple(_target(import_module(f"jobs.{name}")) for name in names)


def _target(module: ModuleType) -> HttpFunction:
    name = module.__name__.rsplit(".", 1)[-1]
    found = [value for value in vars(module).values() if hasattr(value, "declaration")]
    if len(found) != 1 or found[0].__name__ != name:
        raise FunctionMisnamed(f"{module.__name__} must declare one function, called {name}")
    target: HttpFunction = found[0]
    return target
