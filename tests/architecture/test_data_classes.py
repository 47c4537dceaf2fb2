"""The data classes of the project are those of the library, but for when their methods are written
(PERF-1)."""

import json
import re
import subprocess
import sys

import pytest

from tests.architecture.source_tree import PRODUCTION, ROOT, sources

pytestmark = pytest.mark.req("PERF-1")


def test_each_data_class_is_what_the_library_would_have_made() -> None:
    """Fields, signature, equality, hash, words, refusals, copies and children of all of them, each
    beside a twin of the library's own."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.architecture.data_class_twins"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["differences"] == []
    assert told["classes"] > 600


def test_every_data_class_writes_its_methods_late() -> None:
    """A frozen one of the library's own costs a start up to a millisecond."""
    named = re.compile(
        r"^\s*from dataclasses import .*\bdataclass\b|dataclasses\.dataclass\(", re.M
    )
    found = {source.path for source in sources(*PRODUCTION) if named.search(source.text)}

    assert found - {"common/domain/dataclass.py"} == set(), (
        "take `dataclass` from `common.domain.dataclass`"
    )
