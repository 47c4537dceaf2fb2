"""Names say what a thing is to a hotel. A manager of services that helps is anything at all."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

import pytest

from tests.architecture.source_tree import PRODUCTION, Source, sources

EMPTY_WORDS: Final = {"manager", "service", "helper", "helpers", "util", "utils", "misc"}
WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def empty_names(source: Source) -> Iterator[str]:
    """A name ends in what the thing is: `ServiceCaller` is a caller, `CallerService` is nothing."""
    path = PurePosixPath(source.path)
    for part in (*path.parts[:-1], path.stem):
        if last_word(part) in EMPTY_WORDS:
            yield f"{source.path}: named {part}. {ADVICE}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and last_word(node.name) in EMPTY_WORDS:
            yield f"{source.at(node)}: a class named {node.name}. {ADVICE}"


ADVICE: Final = (
    "Name it by what it knows (folio, drawer, dunning) or by what it does (render, reconcile); a "
    "function that has no home yet stands beside the one that calls it."
)


def last_word(name: str) -> str:
    words = WORDS.findall(name)
    return words[-1].lower() if words else ""


def test_nothing_is_named_by_an_empty_word() -> None:
    offences = [each for source in sources(*PRODUCTION, "tests") for each in empty_names(source)]

    assert not offences, "\n" + "\n".join(offences)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("common/domain/folio_utils.py", ""),
        ("common/helpers/folio.py", ""),
        ("common/domain/folio.py", "class FolioManager: ..."),
        ("common/domain/folio.py", "class FolioService(Base): ..."),
        ("common/domain/folio.py", "class PDFHelper: ..."),
    ],
)
def test_finds_an_empty_word(path: str, text: str) -> None:
    assert len(list(empty_names(Source(path, text)))) == 1


def test_lets_a_word_stand_that_says_whose_a_thing_is() -> None:
    text = "class ServiceCaller: ...\nclass Folio: ..."

    assert list(empty_names(Source("common/runtime/service_accounts.py", text))) == []
