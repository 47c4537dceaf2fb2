"""A use case has no clock, no chance, no environment: what it decides can be decided again.

The transaction tells the time (`tx.now`) and gives new ids; both are the same for everything that
one command writes, and a test can choose them.
"""

import ast
from collections.abc import Iterator
from typing import Final

import pytest

from tests.architecture.source_tree import Source, sources

PURE_ROOMS: Final = ("common/domain", "common/procedures", "functions", "jobs")
POWERS: Final = {
    "asyncio": "the runner decides what runs at once",
    "http": "a foreign call is made from a recorded intention, by an adapter",
    "io": "documents go through the port of documents",
    "logging": "the runner writes the one line of a command",
    "multiprocessing": "the runner decides what runs at once",
    "os": "settings are read once, at the edge",
    "random": "chance cannot be decided again; take what you need as an argument",
    "secrets": "chance cannot be decided again; take what you need as an argument",
    "socket": "a foreign call is made from a recorded intention, by an adapter",
    "subprocess": "a use case starts nothing",
    "tempfile": "documents go through the port of documents",
    "threading": "the runner decides what runs at once",
    "time": "ask the transaction: tx.now",
    "urllib.request": "a foreign call is made from a recorded intention, by an adapter",
}
CALLS: Final = {
    "now": "ask the transaction: tx.now",
    "utcnow": "ask the transaction: tx.now",
    "today": "ask for the business date, or for tx.now",
    "uuid1": "ask the transaction for a new id",
    "uuid4": "ask the transaction for a new id",
    "ULID": "ask the transaction for a new id",
    "from_timestamp": "times come in as aware datetimes",
    "open": "documents go through the port of documents",
    "print": "the runner writes the one line of a command",
    "getenv": "settings are read once, at the edge",
}


def powers(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        for module in imported(node):
            for power, instead in POWERS.items():
                if module == power or module.startswith(f"{power}."):
                    yield f"{source.at(node)}: imports {module}; {instead}."
        if isinstance(node, ast.Call):
            name = called(node.func)
            if name in CALLS:
                yield f"{source.at(node)}: calls {name}(); {CALLS[name]}."


def imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module]
    return []


def called(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="datetime" | "date" | "uuid" | "ULID"), attr=name):
            return name
    return ""


def test_use_cases_and_domain_have_no_power_of_their_own() -> None:
    offences = [each for source in sources(*PURE_ROOMS) for each in powers(source)]

    assert not offences, "\n" + "\n".join(offences)


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\ndatetime.now(UTC)",
        "date.today()",
        "import time",
        "from random import choice",
        "uuid4()",
        "uuid.uuid4()",
        "from os import environ",
        "import urllib.request",
        "print('closed')",
    ],
)
def test_finds_each_power(text: str) -> None:
    assert len(list(powers(Source("functions/folios/planted.py", text)))) == 1


def test_leaves_the_transactions_time_alone() -> None:
    text = "from datetime import datetime\nclosed_at = tx.now\nfolio.open(tx.now)\n"

    assert list(powers(Source("functions/folios/planted.py", text))) == []
