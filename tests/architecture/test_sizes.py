"""What fits on a screen is read; what does not is guessed at."""

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.architecture.source_tree import PRODUCTION, Source, sources

FUNCTION_LINES_MAX: Final = 70
FILE_LINES_MAX: Final = 400
USE_CASE_LINES_MAX: Final = 150
LINE_LENGTH_MAX: Final = 100

PRAGMA: Final = re.compile(r"\s*# (noqa|type:).*$")
Lint = Callable[[Source], Iterator[str]]


def long_functions(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield (
                    f"{source.at(node)}: {node.name} has {lines} lines, {FUNCTION_LINES_MAX} are "
                    "allowed. Which sentence of its docstring is a function of its own?"
                )


def long_files(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if lines > FILE_LINES_MAX:
        yield (
            f"{source.path}: {lines} lines, {FILE_LINES_MAX} are allowed. A file that grew by noun "
            "is cut by verb."
        )


def long_use_cases(source: Source) -> Iterator[str]:
    lines = len(source.text.splitlines())
    if source.lies_in("functions", "jobs") and lines > USE_CASE_LINES_MAX:
        yield (
            f"{source.path}: {lines} lines, a use case has {USE_CASE_LINES_MAX} at most. What it "
            "decides belongs to the aggregate."
        )


def long_lines(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        length = len(PRAGMA.sub("", line))
        if length > LINE_LENGTH_MAX:
            yield f"{source.path}:{number}: {length} characters, a line has {LINE_LENGTH_MAX}."


LINTS: Final[list[Lint]] = [long_functions, long_files, long_use_cases, long_lines]


@pytest.mark.parametrize("lint", LINTS)
def test_everything_keeps_to_its_size(lint: Lint) -> None:
    offences = [offence for source in sources(*PRODUCTION, "tests") for offence in lint(source)]

    assert not offences, "\n" + "\n".join(offences)


def test_migrations_keep_to_the_size_of_a_file_and_a_line() -> None:
    offences = [
        offence
        for source in sources("migrations", ending=".sql")
        for lint in (long_files, long_lines)
        for offence in lint(source)
    ]

    assert not offences, "\n" + "\n".join(offences)


@pytest.mark.parametrize(
    ("lint", "path", "text", "complaint"),
    [
        (long_functions, "common/a.py", "def f():\n" + "    x = 1\n" * 70, "f has 71 lines"),
        (long_files, "common/a.py", "x = 1\n" * 401, "401 lines"),
        (long_use_cases, "functions/folios/a.py", "x = 1\n" * 151, "151 lines"),
        (long_lines, "common/a.py", "x = '" + "y" * 95 + "'", "101 characters"),
    ],
)
def test_finds_what_outgrew_its_size(lint: Lint, path: str, text: str, complaint: str) -> None:
    (offence,) = lint(Source(path, text))

    assert complaint in offence


@pytest.mark.parametrize(
    ("lint", "path", "text"),
    [
        (long_functions, "common/a.py", "def f():\n" + "    x = 1\n" * 69),
        (long_files, "common/a.py", "x = 1\n" * 400),
        (long_use_cases, "common/domain/a.py", "x = 1\n" * 151),
        (long_lines, "common/a.py", "x = '" + "y" * 94 + "'  # noqa: S105 - a name, no password"),
    ],
)
def test_says_nothing_of_what_just_fits(lint: Lint, path: str, text: str) -> None:
    assert list(lint(Source(path, text))) == []
