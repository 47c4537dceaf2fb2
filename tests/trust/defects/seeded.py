"""A seeded defect: a usual mistake of a programmer in a hurry, and the tests that must notice it.

One TOML file under `seeded/` is one defect, and nothing else has to be edited:

    mistake = "The business day is taken for the calendar's: it nearly always is the same."
    noticed_by = [
        "tests/domain/test_business_date.py::test_a_moment_has_the_business_date_of_its_hotel"
    ]

    [[change]]
    file = "common/domain/business_date.py"
    old = "    for day in (today + _DAY, today):"
    new = "    for day in (today,):"

`old` stands exactly once in its file; where it does not any more, the code has moved on and the
defect is stale: it has to be seeded anew, not deleted.
"""

import ast
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

SEEDED: Final = Path(__file__).with_name("seeded")
PRODUCT: Final = ("common/", "functions/", "jobs/", "migrations/")


class Malformed(ValueError):
    """The file does not describe a defect."""


class Stale(ValueError):
    """What the defect changes does not stand in the code exactly once."""


@dataclass(frozen=True, slots=True)
class Change:
    """One text of one file, and what stands there instead."""

    file: str
    old: str
    new: str

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        change = cls(**document)
        if not change.file.startswith(PRODUCT) or ".." in change.file:
            raise Malformed(f"{change.file} is not a file of the product")
        if not change.old or change.old == change.new:
            raise Malformed(f"nothing changes in {change.file}")
        return change


@dataclass(frozen=True, slots=True)
class Defect:
    """See the module."""

    name: str
    mistake: str
    noticed_by: tuple[str, ...]
    changes: tuple[Change, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The defect in a file. Raises Malformed."""
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
            defect = cls(
                path.stem,
                document.pop("mistake").strip(),
                tuple(document.pop("noticed_by")),
                tuple(Change.read(each) for each in document.pop("change")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Malformed(f"{path.name}: {error}") from error
        if document or not (defect.mistake and defect.noticed_by and defect.changes):
            raise Malformed(f"{path.name}: mistake, noticed_by and change, and nothing else")
        return defect

    def applied(self, root: Path) -> dict[Path, str]:
        """The files of a tree as the defect leaves them. Raises Stale."""
        texts: dict[Path, str] = {}
        for change in self.changes:
            path = root / change.file
            if path not in texts:
                if not path.is_file():
                    raise Stale(f"there is no {change.file} any more")
                texts[path] = path.read_text(encoding="utf-8")
            found = texts[path].count(change.old)
            if found != 1:
                raise Stale(f"what it changes stands {found} times in {change.file}")
            texts[path] = texts[path].replace(change.old, change.new)
        return texts

    def tests_that_are_gone(self, root: Path) -> list[str]:
        """Which of its tests are not in the tree, as far as reading the files can tell."""
        return [node_id for node_id in self.noticed_by if not _stands(root, node_id)]


def defects(folder: Path = SEEDED, names: Sequence[str] = ()) -> list[Defect]:
    """The defects of a folder, all or those named, in the order of their names.

    Raises Malformed, also for a name that there is not.
    """
    paths = sorted(folder.glob("*.toml"))
    unknown = set(names) - {path.stem for path in paths}
    if unknown:
        raise Malformed(f"there is no defect named {', '.join(sorted(unknown))}")
    return [Defect.read(path) for path in paths if not names or path.stem in names]


def _stands(root: Path, node_id: str) -> bool:
    """Whether a file holds a test, or a class of them; of parameters, only whether it takes any."""
    plain, _, parameters = node_id.partition("[")
    file, *names = plain.split("::")
    if not names or not (root / file).is_file():
        return False
    scope: ast.AST = _parsed(root / file)
    decorators: list[str] = []
    for name in names:
        found = next(_defined(scope, name), None)
        if found is None:
            return False
        decorators += [ast.unparse(each) for each in found.decorator_list]
        scope = found
    takes_parameters = any("parametrize" in each for each in decorators)
    return takes_parameters or not parameters


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _defined(scope: ast.AST, name: str) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            yield node
