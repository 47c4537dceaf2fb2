"""The project's source as the lints read it. Their messages are meant to teach, not to scold."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PRODUCTION: Final = ("common", "functions", "jobs")


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    def lies_in(self, *rooms: str) -> bool:
        return any(self.path == room or self.path.startswith(f"{room}/") for room in rooms)

    def at(self, node: ast.AST) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def sources(*rooms: str, ending: str = ".py") -> list[Source]:
    """Return the files of the rooms, in the order of their paths; each is read and parsed once."""
    return [source for room in rooms for source in sources_in(room, ending)]


@cache
def sources_in(room: str, ending: str) -> list[Source]:
    """The files of a room, until their module of tests has ended (conftest.py)."""
    return [
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / room).rglob(f"*{ending}"))
    ]


def strings(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Return each string that the program uses, an f-string with {} for what it inserts.

    Docstrings and strings that stand alone as explanations are left out.
    """
    explanations = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node, "".join(_inserted(part) for part in node.values)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in explanations | inside
        ):
            yield node, node.value


def _inserted(part: ast.expr) -> str:
    return part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "{}"
