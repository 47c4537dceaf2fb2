"""The drill about the room for error: how fast it is used up, by the figures of the console."""

import re
from dataclasses import dataclass
from typing import Final

import pytest

from common.postgres.recovery import END_OTHERS
from tests.architecture.source_tree import ROOT
from tests.drills.drill import Drill, DrillOf
from tests.hotel import charge

pytestmark = pytest.mark.req("OPS-3", "OPS-4")
REQUESTS: Final = "http.server.request.duration"
TERRAFORM: Final = (ROOT / "terraform/modules/monitoring/objectives.tf").read_text(encoding="utf-8")
GOAL: Final = float(re.findall(r"goal += ([0-9.]+)", TERRAFORM)[0])
FAST: Final = float(re.findall(r"fast += \{ rate = ([0-9.]+)", TERRAFORM)[0])


@dataclass(frozen=True)
class Window:
    """What was answered up to now, and how much of it was a failure of ours."""

    calls: int
    failed: int

    @classmethod
    def until_now(cls, drill: Drill) -> "Window":
        """As `/ops/figures` has it, which are the figures that a deployment exports."""
        figures = drill.house.client.get("/ops/figures").json["figures"]
        points = next(each["points"] for each in figures if each["name"] == REQUESTS)
        calls = [each for each in points if each["process"] == "functions"]
        failed = [e for e in calls if e["attributes"]["http.response.status_code"] >= 500]
        return cls(sum(e["count"] for e in calls), sum(e["count"] for e in failed))

    def burn_since(self, before: "Window") -> float:
        """How many times faster than it may be the room for error was used up."""
        share = (self.failed - before.failed) / (self.calls - before.calls)
        return share / (1 - GOAL)


def test_the_room_for_error_is_used_up(drill_of: DrillOf) -> None:
    """The database takes no writes: 5 of 10 calls fail, which is 500 times what 1 in 1000 allows;
    an hour of that at 13.44 times is two parts of a hundred of 28 days. Then none fails."""
    drill = drill_of("error_budget")
    hotel, folio = drill.hotel, drill.hotel.open_folio()

    def a_while() -> tuple[list[int], float]:
        before, statuses = Window.until_now(drill), []
        for _ in range(5):
            statuses.append(hotel.post(f"/folios/{folio}/charges", charge()).status_code)
            statuses.append(hotel.get(f"/folios/{folio}").status_code)
        return statuses, Window.until_now(drill).burn_since(before)

    drill.house.sql("ALTER DATABASE billing SET default_transaction_read_only = on")
    drill.house.sql(END_OTHERS)
    hotel.get(f"/folios/{folio}")  # whose session has ended comes in anew
    statuses, burn = a_while()

    assert statuses == [503, 200] * 5
    assert burn == pytest.approx(500)
    assert burn > FAST
    drill.first_five_minutes()
    drill.page.says("jsonPayload.status>=500")
    failing = {line["route"] for line in drill.logged if line.get("status", 0) >= 500}
    assert failing == {"/api/v1/folios/{folio_id}/charges"}
    drill.page.says("One route: its function")

    drill.house.sql("ALTER DATABASE billing RESET ALL")
    drill.house.sql(END_OTHERS)
    hotel.get(f"/folios/{folio}")
    statuses, burn = a_while()
    assert (statuses, burn) == ([201, 200] * 5, 0), "the short window ends the alert"
    drill.is_over()
