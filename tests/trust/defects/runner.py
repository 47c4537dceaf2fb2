"""Seeds one defect at a time into a copy of the tree and runs the tests that must notice it.

    make defects                     all of them, ends with 1 unless every one was caught
    make defects ARGS="NAME ..."     some of them

A test proves nothing until it has failed. Here each rule that matters is broken in the way in which
it is usually broken, and a test has to say so: by failing itself, not because the program no longer
starts. Before that the same tests pass in the same copy, untouched; else their failing would mean
nothing.
"""

import argparse
import math
import queue
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.clusters import Clusters, where_there_is_room
from tests.trust.defects.seeded import SEEDED, Defect, defects
from tests.trust.defects.trees import Tree
from tests.trust.defects.verdicts import Finding, Verdict
from tests.trust.tally import Tally

ROOT: Final = Path(__file__).parents[3]
BATCH_MAX: Final = 16
Environment = Mapping[str, str]
# What the tests begin with, made in a folder: it answers what names that, by the files that change.
Prepare = Callable[[Path], Callable[[Sequence[str]], Environment]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Defects whose tests run untouched together, once for all, and in the same environment."""

    environment: Environment
    defects: Sequence[Defect]


def nothing(folder: Path) -> Callable[[Sequence[str]], Environment]:
    """Prepare nothing: the tests begin with what there is."""
    return lambda changed: {}


def clusters(folder: Path) -> Callable[[Sequence[str]], Environment]:
    """Prepare the clusters of PostgreSQL."""
    return Clusters.made(folder).environment


def tried(
    chosen: Sequence[Defect],
    *,
    root: Path = ROOT,
    jobs: int = 2,
    until: float = math.inf,
    tell: Callable[[Finding], None] = lambda finding: None,
    prepare: Prepare = nothing,
) -> list[Finding]:
    """Try defects, `jobs` at a time, each job in a copy of its own; none is begun after `until`.

    `until` is an instant of the monotonic clock, and `tell` hears of each finding as it comes.
    """
    jobs = max(1, jobs)
    over = threading.Event()  # also when we are interrupted: then none is begun any more
    trees: queue.SimpleQueue[Tree] = queue.SimpleQueue()

    def time_is_up() -> bool:
        return over.is_set() or time.monotonic() >= until

    def work(batch: Batch) -> list[Finding]:
        tree = trees.get()
        try:
            return list(_tried_in(tree, batch, time_is_up, tell))
        finally:
            trees.put(tree)

    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="billing-defects-", dir=where_there_is_room())
        folder = Path(stack.enter_context(made))
        batches = list(_batches(chosen, prepare(folder), jobs))
        for number in range(jobs):
            trees.put(stack.enter_context(closing(Tree(root, folder / str(number)))))
        pool = stack.enter_context(ThreadPoolExecutor(jobs))
        stack.callback(over.set)
        return [finding for findings in pool.map(work, batches) for finding in findings]


def _batches(
    chosen: Sequence[Defect], environment_of: Callable[[Sequence[str]], Environment], jobs: int
) -> Iterator[Batch]:
    """Defects that the same tests notice stand together; every job has something to do."""

    def begins_with(defect: Defect) -> list[tuple[str, str]]:
        return sorted(environment_of([each.file for each in defect.changes]).items())

    most = min(BATCH_MAX, math.ceil(len(chosen) / jobs) or 1)
    alike = sorted(chosen, key=lambda defect: (begins_with(defect), defect.noticed_by))
    for environment, group in groupby(alike, key=begins_with):
        same = list(group)
        for start in range(0, len(same), most):
            yield Batch(dict(environment), same[start : start + most])


def _tried_in(
    tree: Tree, batch: Batch, time_is_up: Callable[[], bool], tell: Callable[[Finding], None]
) -> Iterator[Finding]:
    if time_is_up():
        return
    tests = {
        test
        for each in batch.defects
        if not each.tests_that_are_gone(tree.root)
        for test in each.noticed_by
    }
    without = tree.troubles_of(sorted(tests), batch.environment) if tests else {}
    for defect in batch.defects:
        if time_is_up():
            return
        finding = tree.tried(defect, without, batch.environment)
        tell(finding)
        yield finding


def run(seconds: float, jobs: int = 2) -> Tally:
    """The part of the trust run: as many defects as can be begun in so many seconds."""
    started = time.monotonic()
    chosen = defects()
    findings = tried(chosen, jobs=jobs, until=started + seconds, prepare=clusters)
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


def main(
    arguments: Sequence[str],
    *,
    folder: Path = SEEDED,
    root: Path = ROOT,
    prepare: Prepare = clusters,
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
    for each in findings:
        if each.verdict is not Verdict.CAUGHT:  # again, below what can be long
            _say(each.line)
    others = ", ".join(f"{verdicts[each]} {each}" for each in Verdict if each != Verdict.CAUGHT)
    _say(f"{verdicts[Verdict.CAUGHT]} caught, {others} in {time.monotonic() - started:.0f} s")
    return 0 if chosen and verdicts[Verdict.CAUGHT] == len(chosen) else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
