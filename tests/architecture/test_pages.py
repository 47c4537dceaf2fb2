"""What people read of the project leads where it says."""

import re

import pytest

from tests.architecture.source_tree import ROOT

PAGES = ("README.md", "functions/README.md", "common/DECISIONS.md")
README_LINES_MAX = 500
"""What a newcomer reads at a sitting; decisions and tables have pages of their own."""


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    here = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#:\s]+)\)", (ROOT / page).read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if not (here / link).exists()] == []


def test_the_readme_is_read_at_a_sitting() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()

    assert len(lines) <= README_LINES_MAX
