"""What became of a seeded defect, and how that is told from what pytest did."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.trust.defects.seeded import Defect


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

    @property
    def verdict(self) -> tuple[Verdict, str]:
        """What the run says of the code that it ran on, and how."""
        if self.strangers:
            return Verdict.BROKEN, f"{self.strangers[0]} was not loaded from the copy"
        if self.troubles:
            first = self.troubles[0]
            fell = self.code == 1 and first["by"] == "test"
            return (Verdict.CAUGHT if fell else Verdict.BROKEN), _told(first)
        if self.code == 0:
            return Verdict.SURVIVED, "no test failed"
        return Verdict.BROKEN, f"pytest ended with {self.code}"

    def troubles_of(self, tests: Sequence[str]) -> dict[str, str]:
        """Which of the tests that ran together did not pass, and why: all, where it is of none."""
        return {
            test: _told(trouble) for trouble in self.troubles for test in _owners(trouble, tests)
        }


def _owners(trouble: dict[str, str], tests: Sequence[str]) -> list[str]:
    return [each for each in tests if trouble["test"].startswith(each)] or list(tests)


def _told(trouble: dict[str, str]) -> str:
    return f"{trouble['test']}: {trouble['said'][:160]}"
