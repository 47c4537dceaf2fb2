"""Seeds one defect at a time into a copy of the tree and runs the tests that must notice it.

    make defects                     all of them, ends with 1 unless every one was caught
    make defects ARGS="NAME ..."     some of them

A test proves nothing until it has failed. Here each rule that matters is broken in the way in which
it is usually broken, and a test has to say so: by failing itself, not because the program no longer
starts. Before that the same tests pass in the same copy, untouched; else their failing would mean
nothing.
"""

import argparse
import json
import math
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from common.local.database import start_database
from tests.trust.defects.seeded import SEEDED, Defect, Stale, defects
from tests.trust.tally import Tally

ROOT: Final = Path(__file__).parents[3]
WITNESS: Final = Path(__file__).with_name("witness.py")
NOT_COPIED: Final = shutil.ignore_patterns(
    *(".git", ".venv", ".local", ".hypothesis", ".*_cache", "__pycache__", "*.egg-info")
)
# Only the plugins that are needed, as loading all takes longer than most of the tests; and a race
# whose guard is gone is lost within a few seeds.
SPARING: Final = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TRUST_SEEDS": "20"}
OPTIONS: Final = ("-q", "-p", "no:cacheprovider", "-p", "pytest_mock")
BATCH: Final = 8
Prepare = Callable[[Path], Mapping[str, str]]
RUN_SECONDS_MAX: Final = 600
ENDING_SECONDS_MAX: Final = 30


class Verdict(StrEnum):
    """What became of a defect. Everything but `caught` has to be mended.

    `survived`: no test failed, there is a hole in the tests. `broken`: nothing was proven, as the
    program did not run, or the tests fail without it as well. `stale`: the code has moved on.
    """

    CAUGHT = "caught"
    SURVIVED = "survived"
    BROKEN = "broken"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one defect, and how: the first test that failed and what it said."""

    defect: Defect
    verdict: Verdict
    how: str
    seconds: float = 0.0

    @property
    def line(self) -> str:
        return f"{self.verdict:<9} {self.defect.name}  {self.seconds:.1f} s  {self.how}"

    @property
    def story(self) -> str:
        """What was done and which test said so, as an item of a list."""
        mistake, test = " ".join(self.defect.mistake.split()), self.how.partition(": ")[0]
        return f"- `{self.defect.name}`: {mistake} Noticed by `{test}`."


@dataclass(frozen=True, slots=True)
class Heard:
    """What the witness wrote down of one run of pytest: its code, and what went wrong, in order."""

    code: int
    troubles: list[dict[str, str]]
    strangers: list[str]


@dataclass(frozen=True, slots=True)
class Tree:
    """A copy of the project, with one defect in it or none."""

    root: Path
    environment: Mapping[str, str]

    @classmethod
    def copied(cls, source: Path, root: Path, environment: Mapping[str, str]) -> "Tree":
        shutil.copytree(source, root, ignore=NOT_COPIED)
        return cls(root.resolve(), environment)

    def tried(self, defect: Defect, without: Mapping[str, str]) -> Finding:
        """Seed a defect, run its tests, and take it out again.

        `without` says which tests do not pass in the untouched copy, and why.
        """
        started = time.monotonic()
        verdict, how = self._verdict(defect, without)
        return Finding(defect, verdict, how, time.monotonic() - started)

    def troubles_of(self, tests: Sequence[str]) -> dict[str, str]:
        """Which of these tests do not pass in the untouched copy, and why.

        They run together; where that comes to nothing (one of them is not there), one by one.
        """
        heard = self._pytest(tests)
        verdict, how = _judged(heard)
        if verdict is Verdict.SURVIVED:
            return {}
        if len(tests) == 1:
            return {tests[0]: how}
        if heard is None or heard.code != 1 or heard.strangers:
            return {name: why for test in tests for name, why in self.troubles_of([test]).items()}
        whose = {name: trouble for trouble in heard.troubles for name in _owners(trouble, tests)}
        return {name: _told(trouble) for name, trouble in whose.items()}

    def _verdict(self, defect: Defect, without: Mapping[str, str]) -> tuple[Verdict, str]:
        try:
            texts = defect.applied(self.root)
        except Stale as stale:
            return Verdict.STALE, str(stale)
        if gone := defect.tests_that_are_gone(self.root):
            return Verdict.BROKEN, f"there is no {gone[0]}"
        for test in defect.noticed_by:
            if test in without:
                return Verdict.BROKEN, f"without the defect: {without[test]}"
        with _changed(texts):
            return _judged(self._pytest(["-x", *defect.noticed_by], PYTHONDONTWRITEBYTECODE="1"))

    def _pytest(self, arguments: Sequence[str], **more: str) -> Heard | None:
        """Run tests in the copy; None when they did not come to an end."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        environment = {**inherited, **SPARING, **self.environment, **more}
        with tempfile.TemporaryDirectory(prefix="billing-heard-") as folder:
            report = Path(folder) / "report.json"
            command = [sys.executable, str(WITNESS), str(report), *OPTIONS, *arguments]
            with (Path(folder) / "output").open("w") as output:
                run = subprocess.Popen(
                    command, cwd=self.root, env=environment, stdout=output, stderr=output
                )
                _wait_for(run)
            if not report.is_file():
                return None
            return Heard(**json.loads(report.read_text(encoding="utf-8")))


def tried(
    chosen: Sequence[Defect],
    *,
    root: Path = ROOT,
    jobs: int = 2,
    until: float = math.inf,
    tell: Callable[[Finding], None] = lambda finding: None,
    prepare: Prepare = lambda folder: {},
) -> list[Finding]:
    """Try defects, `jobs` at a time, each job in a copy of its own; none is begun after `until`.

    `until` is an instant of the monotonic clock, `tell` hears of each finding as it comes, and
    `prepare` makes in a folder what the tests need, and answers the environment that names it.
    Defects that the same tests notice stand together, so that these run untouched once for all.
    """
    alike = sorted(chosen, key=lambda defect: defect.noticed_by)
    batches = [alike[start : start + BATCH] for start in range(0, len(alike), BATCH)]
    trees: queue.SimpleQueue[Tree] = queue.SimpleQueue()

    def work(batch: Sequence[Defect]) -> list[Finding]:
        tree = trees.get()
        try:
            return list(_tried_in(tree, batch, until, tell))
        finally:
            trees.put(tree)

    with tempfile.TemporaryDirectory(prefix="billing-defects-") as folder:
        environment = prepare(Path(folder))
        for number in range(max(1, jobs)):
            trees.put(Tree.copied(root, Path(folder) / str(number), environment))
        with ThreadPoolExecutor(max(1, jobs)) as pool:
            return [finding for findings in pool.map(work, batches) for finding in findings]


def _tried_in(
    tree: Tree, batch: Sequence[Defect], until: float, tell: Callable[[Finding], None]
) -> Iterator[Finding]:
    if time.monotonic() >= until:
        return
    tests = {
        test
        for each in batch
        if not each.tests_that_are_gone(tree.root)
        for test in each.noticed_by
    }
    without = tree.troubles_of(sorted(tests)) if tests else {}
    for defect in batch:
        if time.monotonic() >= until:
            return
        finding = tree.tried(defect, without)
        tell(finding)
        yield finding


def run(seconds: float, jobs: int = 2) -> Tally:
    """The part of the trust run: as many defects as can be begun in so many seconds."""
    started = time.monotonic()
    chosen = defects()
    findings = tried(chosen, jobs=jobs, until=started + seconds, prepare=cluster)
    caught = [finding for finding in findings if finding.verdict is Verdict.CAUGHT]
    tally = Tally("seeded defects", seconds=time.monotonic() - started)
    tally.figures = {
        "defects": str(len(chosen)),
        "tried": str(len(findings)),
        "caught": str(len(caught)),
        "seconds": f"{tally.seconds:.0f}",
    }
    tally.violations = [
        f'{each.line}\nSee it again: make defects ARGS="{each.defect.name}"'
        for each in findings
        if each not in caught
    ]
    tally.stories = ["\n".join(each.story for each in caught)]
    return tally


def cluster(folder: Path) -> dict[str, str]:
    """A cluster of PostgreSQL that was never used: making one takes longer than most tests."""
    place = tempfile.mkdtemp(prefix="cluster-", dir=folder)
    start_database(Path(place)).stop()
    return {"BILLING_TEST_CLUSTER": place}


def main(
    arguments: Sequence[str],
    *,
    folder: Path = SEEDED,
    root: Path = ROOT,
    prepare: Prepare = cluster,
) -> int:
    """The command. 1 unless every defect that was asked for is caught."""
    parser = argparse.ArgumentParser(prog="make defects", description=__doc__)
    parser.add_argument("names", nargs="*", help="which defects (all)")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    asked = parser.parse_args(arguments)
    chosen = defects(folder, asked.names)
    started = time.monotonic()
    findings = tried(
        chosen,
        root=root,
        jobs=asked.jobs,
        tell=lambda each: _say(each.line),
        prepare=prepare,
    )
    verdicts = Counter(finding.verdict for finding in findings)
    others = ", ".join(f"{verdicts[each]} {each}" for each in Verdict if each != Verdict.CAUGHT)
    _say(f"{verdicts[Verdict.CAUGHT]} caught, {others} in {time.monotonic() - started:.0f} s")
    return 0 if chosen and verdicts[Verdict.CAUGHT] == len(chosen) else 1


def _judged(heard: Heard | None) -> tuple[Verdict, str]:
    """What a run of the tests says of the code that it ran on."""
    if heard is None:
        return Verdict.BROKEN, f"the tests did not end within {RUN_SECONDS_MAX} s"
    if heard.strangers:
        return Verdict.BROKEN, f"{heard.strangers[0]} was not loaded from the copy"
    if heard.troubles:
        first = heard.troubles[0]
        fell = heard.code == 1 and first["by"] == "test"
        return (Verdict.CAUGHT if fell else Verdict.BROKEN), _told(first)
    if heard.code == 0:
        return Verdict.SURVIVED, "no test failed"
    return Verdict.BROKEN, f"pytest ended with {heard.code}"


def _owners(trouble: dict[str, str], tests: Sequence[str]) -> list[str]:
    """Those of the tests that a trouble is of: all of them, when it is of none."""
    test = trouble["test"]
    return [each for each in tests if test.startswith(each)] or list(tests)


def _told(trouble: dict[str, str]) -> str:
    return f"{trouble['test']}: {trouble['said'][:160]}"


@contextmanager
def _changed(texts: dict[Path, str]) -> Iterator[None]:
    """Files with other texts while the block runs.

    Python takes compiled code for that of a file of the same second and size. So the changed file
    is given another second than the compiled code has, nothing is compiled to be kept meanwhile,
    and the file gets its own second back.
    """
    before = {path: (path.read_bytes(), path.stat().st_mtime) for path in texts}
    try:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
            os.utime(path, times=(time.time(), before[path][1] + 10))
        yield
    finally:
        for path, (content, changed_at) in before.items():
            path.write_bytes(content)
            os.utime(path, times=(time.time(), changed_at))


def _wait_for(run: subprocess.Popen[Any]) -> None:
    """Wait for the end, within bounds; an interrupted pytest still stops the database it began."""
    for seconds, insistence in (
        (RUN_SECONDS_MAX, signal.SIGINT),
        (ENDING_SECONDS_MAX, signal.SIGKILL),
    ):
        try:
            run.wait(seconds)
        except subprocess.TimeoutExpired:
            run.send_signal(insistence)
        else:
            return
    run.wait()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
