"""Runs pytest in a copy of the tree and writes down what failed, and whose code it was that ran.

    python witness.py REPORT [ARGUMENTS OF PYTEST]

It is run by its path, with the copy as the current folder, by an interpreter that has the project
installed from somewhere else. So the copy goes to the front of `sys.path`, and afterwards every
module of ours that was loaded is asked where it came from.
"""

import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

OURS = ("common", "functions", "jobs", "tests")
NEVER_RAN = (ImportError, SyntaxError)


class Witness:
    """Hears of everything that goes wrong, in its order. `by` says what went wrong: the `test`
    itself, or what is `around` it, which proves nothing."""

    def __init__(self) -> None:
        self.troubles: list[dict[str, str]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed and call.excinfo is not None:
            error = call.excinfo.value
            failed = report.when == "call" and not _never_ran(error)
            words = f"{type(error).__name__}: {error}".strip(": ").splitlines()
            self._note(item.nodeid, words[0], by="test" if failed else "around")
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            words = report.longreprtext.splitlines() or ["it cannot be collected"]
            self._note(report.nodeid, words[-1], by="around")

    def _note(self, test: str, said: str, *, by: str) -> None:
        self.troubles.append({"test": test, "said": said, "by": by})


def _never_ran(error: BaseException) -> bool:
    """Whether it says that the program was no program: nobody would have seen it run once."""
    return isinstance(error, NEVER_RAN) or type(error) is NameError


def strangers(root: Path) -> list[str]:
    """Modules of ours that were not loaded from the copy."""
    places = {
        name: Path(module.__file__).resolve()
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in OURS and getattr(module, "__file__", None)
    }
    return sorted(name for name, place in places.items() if not place.is_relative_to(root))


def main(report: Path, arguments: list[str]) -> None:
    root = Path.cwd().resolve()
    sys.path[0] = str(root)
    witness = Witness()
    code = pytest.main(arguments, plugins=[witness])
    document: dict[str, Any] = {
        "code": int(code),
        "troubles": witness.troubles,
        "strangers": strangers(root),
    }
    report.write_text(json.dumps(document), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
