"""Whether an alert of `terraform/alerts.json` would go off, by what was logged, told or measured.

The filters are Cloud Logging's; what they use of that language stands here, and nothing else is
taken: a filter that nobody can read here fails.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from tests.architecture.source_tree import ROOT

ALERTS: Final[dict[str, dict[str, Any]]] = json.loads(
    (ROOT / "terraform" / "alerts.json").read_text(encoding="utf-8")
)
SEVERITIES: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
TERM: Final = re.compile(r'(?P<field>[\w.]+)(?P<sign>=~|>=|=)(?P<value>"[^"]*"|\("[^)]*"\)|[A-Z]+)')


def goes_off(
    alert: str,
    logged: Sequence[dict[str, Any]],
    told: Sequence[str],
    figures: Sequence[dict[str, Any]] = (),
) -> bool:
    """Whether one of the lines, or one of the facts by their types, is what it looks for, or one of
    the figures has come to more than it says."""
    words = ALERTS[alert]
    if "figure" in words:
        return _counted(words["figure"], figures) > int(words["figure"]["above"])
    if "fact" in words:
        return words["fact"] in told
    return any(matches(words["log"], line) for line in logged)


def _counted(wanted: dict[str, Any], figures: Sequence[dict[str, Any]]) -> int:
    """What the points come to that have the attributes that are asked for."""
    return sum(
        int(point["value"])
        for figure in figures
        if figure["name"] == wanted["name"]
        for point in figure["points"]
        if all(
            re.fullmatch(value, str(point["attributes"].get(label, "")))
            for label, value in wanted["where"].items()
        )
    )


def matches(condition: str, line: dict[str, Any]) -> bool:
    """Whether a filter finds a line. Raises ValueError for a filter that is not read here."""
    return all(_holds(term, line) for term in condition.split(" AND "))


def _holds(term: str, line: dict[str, Any]) -> bool:
    found = TERM.fullmatch(term)
    if found is None:
        raise ValueError(f"{term} is not read here")
    field, sign, value = found["field"], found["sign"], found["value"]
    is_there = str(line.get(field.removeprefix("jsonPayload."), ""))
    if sign == ">=":
        return SEVERITIES.index(is_there) >= SEVERITIES.index(value)
    wanted = re.findall(r'"([^"]*)"', value)
    if sign == "=~":
        return any(re.search(each, is_there) for each in wanted)
    return is_there in wanted
