"""A page of the runbook, as a drill uses it: what it says to type is what is typed."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from tests.architecture.source_tree import ROOT

RUNBOOKS: Final = ROOT / "terraform" / "runbooks"
PAGES: Final = sorted(page.stem for page in RUNBOOKS.glob("*.md") if page.stem != "README")


class NotOnThePage(AssertionError):
    """A drill did what its page does not say."""


@dataclass(frozen=True)
class Page:
    """One page, by its name."""

    name: str
    text: str

    @classmethod
    def of(cls, name: str) -> Self:
        return cls(name, (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8"))

    def section(self, heading: str) -> str:
        """What stands under a heading."""
        _, _, rest = self.text.partition(f"\n## {heading}\n")
        return rest.partition("\n## ")[0]

    @cached_property
    def first_five_minutes(self) -> list[str]:
        """The operator's commands that are typed before anything else, in their order."""
        return re.findall(r"^billing [^\n]+", self.section("First five minutes"), re.MULTILINE)

    @cached_property
    def commands(self) -> set[str]:
        """All that the first five minutes and the recovery say to type, as they are written."""
        text = self.section("First five minutes") + self.section("Recovery")
        text = text.replace("```", "\n")
        quoted = re.findall(r"`(billing [^`]+)`", text)
        in_blocks = re.findall(r"^ *(billing [^`\n]+)$", text, re.MULTILINE)
        return {" ".join(each.split()) for each in (*quoted, *in_blocks)}

    def has(self, command: str) -> None:
        """Raises NotOnThePage when the page does not say to type this."""
        if command not in self.commands:
            raise NotOnThePage(f"{self.name} says nothing of: {command}")

    def says(self, words: str) -> None:
        """Raises NotOnThePage when these words, a call or an answer, do not stand on it."""
        plain = re.sub(r"(?<=-)\s+", "", self.text)  # lines are broken behind hyphens, too
        if " ".join(words.split()) not in " ".join(plain.split()):
            raise NotOnThePage(f"{self.name} says nothing of: {words}")
