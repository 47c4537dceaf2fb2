"""Which requirements there are, and which tests prove them, agree (tests/requirements.md)."""

import ast
import re
from collections import Counter, defaultdict

import pytest

from tests.architecture.source_tree import ROOT, Source, sources

LIST = ROOT / "tests" / "requirements.md"
ROW = re.compile(r"^\| ([A-Z]+-\d+[a-z]?) \| (\w+) \| (.+) \|$", re.MULTILINE)
BUILT = {"yes", "part", "no"}
FORBIDDEN = {"skip", "skipif", "xfail", "flaky", "timeout"}
Tests = dict[str, set[str]]


def listed() -> list[tuple[str, str, str]]:
    """Id, state and words of every requirement."""
    return ROW.findall(LIST.read_text(encoding="utf-8"))


def marks_of(source: Source, name: str) -> list[ast.Call]:
    """The uses of a mark of pytest with arguments."""
    return [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and isinstance(node.func.value, ast.Attribute)
        and node.func.value.attr == "mark"
    ]


def named(found: list[Source]) -> Tests:
    """The requirements that tests name, and where."""
    tests: Tests = defaultdict(set)
    for source in found:
        for mark in marks_of(source, "req"):
            assert mark.args, f"{source.at(mark)} names no requirement"
            for argument in mark.args:
                assert isinstance(argument, ast.Constant), f"{source.at(argument)}: write the id"
                tests[str(argument.value)].add(source.at(mark))
    return tests


@pytest.fixture(scope="module")
def tests() -> Tests:
    return named(sources("tests"))


def test_every_requirement_stands_once_in_the_list_with_its_state() -> None:
    counted = Counter(requirement for requirement, _, _ in listed())

    assert len(counted) > 150
    assert [requirement for requirement, times in counted.items() if times > 1] == []
    assert {state for _, state, _ in listed()} <= BUILT


def test_every_line_that_looks_like_a_requirement_is_read_as_one() -> None:
    lines = [line for line in LIST.read_text(encoding="utf-8").splitlines() if "| " in line]
    rows = [line for line in lines if not line.startswith(("| id |", "| --- |"))]

    assert len(rows) == len(listed())


def test_every_requirement_that_a_test_names_is_in_the_list(tests: Tests) -> None:
    known = {requirement for requirement, _, _ in listed()}
    unknown = {name: sorted(places) for name, places in tests.items() if name not in known}

    assert unknown == {}, "add it to tests/requirements.md, or correct the mark"


def test_every_requirement_that_is_built_is_named_by_a_test(tests: Tests) -> None:
    unproven = [name for name, state, _ in listed() if state != "no" and name not in tests]

    assert unproven == [], "a test must prove it, or tests/requirements.md must say `no`"


@pytest.mark.req("REL-9")
def test_no_test_is_skipped_expected_to_fail_or_given_a_time() -> None:
    found = [
        f"{source.at(node)}: {node.attr}"
        for source in sources("tests")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in FORBIDDEN
        and isinstance(node.value, ast.Name | ast.Attribute)
        and ast.unparse(node.value) in ("pytest", "pytest.mark", "mark")
    ]

    assert found == []


@pytest.mark.req("REL-9")
def test_marks_are_found_wherever_they_stand() -> None:
    planted = Source(
        "tests/planted.py",
        "import pytest\n"
        "pytestmark = pytest.mark.req('XYZ-1')\n"
        "@pytest.mark.req('FOL-1', 'XYZ-2')\n"
        "def test_it() -> None: ...\n",
    )

    assert named([planted]) == {
        "XYZ-1": {"tests/planted.py:2"},
        "FOL-1": {"tests/planted.py:3"},
        "XYZ-2": {"tests/planted.py:3"},
    }
