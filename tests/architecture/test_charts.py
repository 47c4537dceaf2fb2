"""What the code measures is drawn, and what is drawn is measured: charts.json against the code."""

import json
import re
from typing import Any, Final

import pytest

import common.ports.telemetry as telemetry
from common.local.functions import declarations, job_declarations
from common.ports.telemetry import FIGURES, Figure
from common.runtime.declaration import HttpDeclaration
from tests.architecture.source_tree import ROOT

pytestmark = pytest.mark.req("OPS-4")

CHARTS: Final[list[dict[str, Any]]] = json.loads(
    (ROOT / "terraform/charts.json").read_text(encoding="utf-8")
)
KINDS: Final = {
    "count": {"counter"},
    "level": {"gauge"},
    "slowest": {"histogram"},
    "times": {"histogram"},
}
ASKED_FOR: Final = {
    "post latency",
    "close residual",
    "variance by drawer",
    "outbox lag",
    "render queue",
    "dunning states",
    "credits granted",
    "double-grant attempts",
    "webhook failures",
    "breaker state",
    "reconciliation differences",
    "cross-tenant attempts",
    "tax rule missing",
    "cold starts",
}
"""The list of OPS-4, in its words."""
SOURCES: Final = {
    file: file.read_text(encoding="utf-8")
    for file in (ROOT / "common").rglob("*.py")
    if file.name != "telemetry.py"
}


def test_every_figure_is_measured_somewhere() -> None:
    made = {name: each for name, each in vars(telemetry).items() if isinstance(each, Figure)}

    assert set(made.values()) == set(FIGURES)
    used = {name for name in made if any(re.search(rf"\b{name}, ", s) for s in SOURCES.values())}
    assert used == set(made)


def test_every_figure_is_drawn_and_nothing_else() -> None:
    assert {each["figure"] for each in CHARTS} == {each.name for each in FIGURES}


def test_the_list_of_what_is_to_be_seen_is_drawn() -> None:
    assert {each.get("shows") for each in CHARTS} >= ASKED_FOR
    assert len({each["title"] for each in CHARTS}) == len(CHARTS)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart["title"])
def test_a_chart_asks_for_what_there_is(chart: dict[str, Any]) -> None:
    """A figure of a kind that can be drawn so, by attributes that we set and values that occur."""
    kinds = {each.name: each.kind for each in FIGURES}
    assert kinds[chart["figure"]] in KINDS[chart["draws"]]
    for label in {*chart.get("where", {}), *([chart["by"]] if "by" in chart else [])}:
        assert any(f'"{label}"' in source for source in SOURCES.values()), label
    for label, value in chart.get("where", {}).items():
        assert occurs(label, value.removeprefix("!")), f"{label}: {value}"


def test_an_alert_on_a_figure_asks_for_what_is_drawn() -> None:
    """It counts, by attributes that occur; and who is told of it finds the chart."""
    alerts = json.loads((ROOT / "terraform/alerts.json").read_text(encoding="utf-8"))
    asked = {name: each["figure"] for name, each in alerts.items() if "figure" in each}
    kinds = {each.name: each.kind for each in FIGURES}

    assert asked
    for alert, figure in asked.items():
        assert kinds[figure["name"]] == "counter", alert
        assert figure["name"] in {each["figure"] for each in CHARTS}
        for label, value in figure["where"].items():
            assert occurs(label, value), f"{alert}: {label}: {value}"


def occurs(label: str, value: str) -> bool:
    """Whether each alternative of a value is one that the attribute can have."""
    found = [word for word in words_of(label) if re.fullmatch(value, word)]
    return len(found) == value.count("|") + 1


def words_of(label: str) -> set[str]:
    """The values that an attribute can have."""
    match label:
        case "messaging.message.type":
            told = (ROOT / "common/contracts/asyncapi.json").read_text(encoding="utf-8")
            return set(re.findall(r'"(melmastoon\.billing\.[a-z_.]+\.v1)"', told))
        case "http.route":
            paths = (each for each in declarations() if isinstance(each, HttpDeclaration))
            return {each.full_path for each in paths}
        case "billing.job":
            return {each.name for each in job_declarations()}
        case "billing.amount.class":
            return {"none", "small", "medium", "large"}
        case "billing.outcome":
            interface = (ROOT / "functions/README.md").read_text(encoding="utf-8")
            codes = set(re.findall(r"\| `(MELMASTOON\.[A-Z_.]+)` \|", interface))
            return codes | {"ok", "answered", "refused", "failed", "not_taken", "acknowledged"}
    raise ValueError(f"nobody knows what {label} can be")
