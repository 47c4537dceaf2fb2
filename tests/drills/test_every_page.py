"""Whoever writes a page of the runbook writes its drill, and whoever reads one may rely on it."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.drills.alerting import ALERTS, matches
from tests.drills.pages import PAGES, NotOnThePage, Page

pytestmark = pytest.mark.req("OPS-3")


def test_each_page_has_its_drill() -> None:
    files = Path(__file__).parent.glob("test_*.py")
    drilled = {
        page
        for file in files
        for page in re.findall(r'drill_of\("(\w+)"\)', file.read_text(encoding="utf-8"))
    }

    assert drilled == set(PAGES)


def test_a_drill_types_what_its_page_says_and_nothing_else() -> None:
    page = Page(
        "p", "\n## First five minutes\n\n```bash\nbilling doctor\n```\n\n## Recovery\n\nx\n"
    )

    page.has("billing doctor")
    for refused in (lambda: page.has("billing tenant list"), lambda: page.says("wait a week")):
        with pytest.raises(NotOnThePage):
            refused()


def test_every_filter_of_ours_is_read() -> None:
    """All but the one over the cloud's own audit log, which no laptop has."""
    ours = {name: each["log"] for name, each in ALERTS.items() if "log" in each}
    del ours["secret_read_by_stranger"]

    assert [name for name, each in ours.items() if matches(each, {"severity": "INFO"})] == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"route": "jobs/a", "severity": "ERROR"}, True),
        ({"route": "jobs/b", "severity": "CRITICAL"}, True),
        ({"route": "jobs/c", "severity": "ERROR"}, False),
        ({"route": "jobs/a", "severity": "INFO"}, False),
    ],
)
def test_a_filter_finds_its_lines_and_no_others(line: dict[str, Any], found: bool) -> None:
    condition = 'jsonPayload.route=("jobs/a" OR "jobs/b") AND severity>=ERROR'

    assert matches(condition, line) is found
