"""Runs pytest in a copy of the tree and writes down what failed, and whose code it was that ran.

    python witness.py [MODULES OF OTHERS]

It is begun by its path, with the copy as the current folder, by an interpreter that has the project
installed from somewhere else. So the copy goes to the front of `sys.path`, and after each run every
module of ours that was loaded is asked where it came from.

Each line of its input asks for a run (see `Asked`), and a line of its output says that it is over.
A short test spends most of its time on importing what others wrote. That is imported here once,
ours never, and each run is a fork: a process of its own, which loads the code as it is by then, and
with which everything that a test leaves behind is gone. No thread is begun here, as none would go
along into a fork.
"""

import atexit
import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final, NoReturn, TypedDict

import pytest

OURS: Final = ("common", "functions", "jobs", "tests")
NEVER_RAN: Final = (ImportError, SyntaxError)
TICK_SECONDS: Final = 0.005


class Asked(TypedDict):
    """A run: pytest's arguments, what stands in its environment besides, where the report goes, and
    how long it is waited for before each of some signals."""

    report: str
    arguments: list[str]
    environment: dict[str, str]
    patience: list[tuple[float, int]]


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


def main() -> None:
    """Run what is asked for, one after the other, until the input ends."""
    root = Path.cwd().resolve()
    sys.path[0] = str(root)
    _import_what_others_wrote(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is interrupted is the run
    while line := sys.stdin.readline():
        asked: Asked = json.loads(line)
        run = os.fork()
        if run == 0:
            _run(asked, root)
        _wait_for(run, asked["patience"])
        sys.stdout.write("over\n")
        sys.stdout.flush()


def _import_what_others_wrote(names: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whoever uses a module hears what it has to say
        for name in names:
            importlib.import_module(name)
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()  # or the first collection of each run would copy all of it


def _run(asked: Asked, root: Path) -> NoReturn:
    """What the fork does. Threads that a test has left behind are not waited for."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(silence, stream)
        os.environ.update(asked["environment"])
        tempfile.tempdir = None  # it is where the environment says now
        sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in os.environ
        witness = Witness()
        code = pytest.main(asked["arguments"], plugins=[witness])
        document: dict[str, Any] = {
            "code": int(code),
            "troubles": witness.troubles,
            "strangers": strangers(root),
        }
        Path(asked["report"]).write_text(json.dumps(document), encoding="utf-8")
    finally:
        atexit._run_exitfuncs()  # a database that a fixture could not stop is stopped
        os._exit(0)


def _wait_for(run: int, patience: list[tuple[float, int]]) -> None:
    """Wait for the end, within bounds; an interrupted pytest still stops the database it began."""
    for seconds, insistence in patience:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if os.waitpid(run, os.WNOHANG)[0]:
                return
            time.sleep(TICK_SECONDS)
        os.kill(run, insistence)
    os.waitpid(run, 0)


if __name__ == "__main__":
    main()
