"""No float touches money (MON-1): it cannot hold most amounts, and rounds without being asked.

Where money is decided and carried, no float exists at all. Elsewhere (time-outs, geometry of a
page) a float may exist, but never in one expression with an amount.
"""

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.architecture.source_tree import PRODUCTION, Source, sources

pytestmark = pytest.mark.req("MON-1")

MONEY_ROOMS: Final = (
    "common/domain",
    "common/ports",
    "common/contracts",
    "common/procedures",
    "common/stripe",
    "common/sandbox",
    "functions",
    "jobs",
)
AMOUNT: Final = re.compile(r"micro|amount|money|price|balance|minor", re.IGNORECASE)
INSTEAD: Final = (
    "Money is an integer of micro units. Write a ratio as Fraction(a, b) (of a / b nobody sees "
    "whether it is exact), divide whole units with // and say where the rest goes, and round once, "
    "with common/domain/money.py."
)
Lint = Callable[[Source], Iterator[str]]


def is_float(node: ast.AST) -> bool:
    """Whether a node makes a float: a literal, float(...), or true division."""
    match node:
        case ast.Constant(value=float() | complex()):
            return True
        case ast.Call(func=ast.Name(id="float" | "complex")):
            return True
        case ast.BinOp(op=ast.Div()):
            return not is_path(node)
        case ast.AugAssign(op=ast.Div()):
            return True
    return False


def is_path(node: ast.BinOp) -> bool:
    """Whether a division is a path's, which names a part in quotes."""
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        or (isinstance(side, ast.BinOp) and isinstance(side.op, ast.Div) and is_path(side))
        for side in (node.left, node.right)
    )


def floats(source: Source) -> Iterator[str]:
    if source.lies_in(*MONEY_ROOMS):
        for node in ast.walk(source.tree):
            if is_float(node):
                yield f"{source.at(node)}: a float where money is decided. {INSTEAD}"


def floats_beside_amounts(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.BinOp | ast.AugAssign | ast.Call) and is_made_of_floats(node):
            names = [ast.unparse(part) for part in ast.walk(node) if is_name(part)]
            if any(AMOUNT.search(name) for name in names):
                yield f"{source.at(node)}: a float in one expression with an amount. {INSTEAD}"


def is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)


def is_made_of_floats(node: ast.BinOp | ast.AugAssign | ast.Call) -> bool:
    sides: list[ast.AST] = [node]
    if isinstance(node, ast.BinOp):
        sides += [node.left, node.right]
    elif isinstance(node, ast.AugAssign):
        sides.append(node.value)
    return any(is_float(side) for side in sides)


@pytest.mark.parametrize("lint", [floats, floats_beside_amounts])
def test_no_float_touches_money(lint: Lint) -> None:
    offences = [each for source in sources(*PRODUCTION) for each in lint(source)]

    assert not offences, "\n" + "\n".join(offences)


@pytest.mark.parametrize("text", ["x = 0.1", "x = float(y)", "x = a / b", "x /= 2", "f(1e6)"])
def test_finds_a_float_where_money_is_decided(text: str) -> None:
    assert len(list(floats(Source("common/domain/planted.py", text)))) == 1


@pytest.mark.parametrize(
    "text",
    ["x = charge.amount_micro / 2", "x = balance * 1.1", "x = float(total.minor)", "price *= 1.5"],
)
def test_finds_an_amount_beside_a_float_anywhere(text: str) -> None:
    assert list(floats_beside_amounts(Source("common/documents/planted.py", text)))


@pytest.mark.parametrize(
    "text", ["x = amount_micro // 2", "folder / 'amounts'", "timeout = 0.5", "x = width / 2"]
)
def test_leaves_integers_paths_and_geometry_alone(text: str) -> None:
    assert list(floats_beside_amounts(Source("common/documents/planted.py", text))) == []
