"""The report of a trust run: what was done, to what, how much of it, and what came of it."""

import platform
import subprocess
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tests.trust.tally import Tally

ROOT = Path(__file__).parents[2]
FOUND = Path(__file__).parent / "found.md"
HEAD = """\
# Trust report

Written by `make trust`. What the parts are, and how to play a red seed again, is told in README
under Tests. Figures are of this run alone: nothing was run twice, and nothing was left out that is
not named.

"""


def written(
    tallies: Sequence[Tally], when: datetime, minutes: float, seed: int, left_out: str = ""
) -> str:
    """The report in Markdown."""
    faults = sum(sum(tally.faults.values()) for tally in tallies)
    violations = [violation for tally in tallies for violation in tally.violations]
    rows = {
        "date": f"{when:%Y-%m-%d %H:%M} UTC",
        "commit": commit(),
        "machine": f"{platform.machine()}, {processors()} processors",
        "Python": platform.python_version(),
        "asked for": f"{minutes:g} minutes, seed {seed}",
        "took": f"{sum(tally.seconds for tally in tallies) / 60:.1f} minutes",
        "commands": f"{sum(tally.commands for tally in tallies):,}",
        "faults injected": f"{faults:,}",
        "violations": str(len(violations)),
    }
    if left_out:
        rows["left out"] = left_out
    parts = [HEAD + table(rows)]
    parts += [part(tally) for tally in tallies]
    parts += ["## Real mistakes found so far\n\n" + FOUND.read_text(encoding="utf-8")]
    return "\n".join(parts)


def part(tally: Tally) -> str:
    """A part's own section."""
    rows = dict(tally.figures)
    if tally.commands:
        rows = {"commands": f"{tally.commands:,}", **rows}
    rows |= {"seconds": f"{tally.seconds:.0f}", "violations": str(len(tally.violations))}
    text = f"## {tally.part[0].upper()}{tally.part[1:]}\n\n{table(rows)}"
    if tally.faults:
        text += "\n" + table(counted(tally.faults), ("fault", "times"))
    for violation in tally.violations:
        text += f"\n```\n{violation}\n```\n"
    for story in tally.stories:
        text += f"\n{story}\n"
    return text


def table(rows: dict[str, str], heads: tuple[str, str] = ("", "")) -> str:
    """Two columns."""
    lines = [f"| {heads[0]} | {heads[1]} |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows.items())]) + "\n"


def counted(faults: Counter[str]) -> dict[str, str]:
    """How often each fault was injected, the most frequent first."""
    return {name: f"{times:,}" for name, times in faults.most_common()}


def processors() -> int:
    """How many processors this process may use."""
    import psutil

    return psutil.cpu_count() or 1


def commit() -> str:
    """The commit that was tested, and whether anything had been changed since."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "not a checkout of git"
    ours = [line for line in changed.splitlines() if not line.endswith("trust-report.md")]
    return f"{head}{' with changes' if ours else ''}"


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
