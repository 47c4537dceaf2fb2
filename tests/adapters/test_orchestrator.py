"""The orchestrator is asked over HTTP, by the real client; it may be down, slow or wrong (AI-1)."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.domain.cash_patterns import ActorFigures, Pattern
from common.domain.circuit import FAILURES_MAX, PAUSE
from common.google.detector import (
    BYTES_MAX,
    Orchestrator,
    OrchestratorSilent,
)
from common.postgres.breakers import PostgresBreaker
from common.runtime.breaking import BreakingDetector, LeftAlone
from common.runtime.settings import ProcessSettings, SettingMissing
from common.wiring import Wiring
from tests.hotel import House

pytestmark = pytest.mark.req("AI-1", "CASH-10")
TENANT = UUID("2f8e7c1a-4b6d-4e3f-9a52-7d1c0b9e8f64")
KARIM = ActorFigures(actor="karim", variances=(-5_000_000,) * 5, sessions=5, payments=12)
ZAHRA = ActorFigures(actor="zahra", sessions=4)
Says = Callable[[dict[str, Any]], tuple[int, bytes]]


class StandIn:
    """The orchestrator's side of the socket: what it was asked, and what it says."""

    def __init__(self, says: Says) -> None:
        self.says = says
        self.asked: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.url = ""


@contextmanager
def orchestrator(says: Says) -> Iterator[StandIn]:
    """One that listens on a free port."""
    there = StandIn(says)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            there.asked.append({"path": self.path, **json.loads(body)})
            there.tokens.append(self.headers["Authorization"])
            status, answer = there.says(there.asked[-1])
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    there.url = f"http://127.0.0.1:{server.server_port}"
    yield there
    server.shutdown()
    server.server_close()
    thread.join()


def asking(there: StandIn, now: Callable[[], float] = lambda: 0.0, **more: Any) -> Orchestrator:
    return Orchestrator(there.url, b"secret", token=lambda to: f"for {to}", now=now, **more)


def finding(actor: str, **more: Any) -> dict[str, Any]:
    found = {"pattern": "variance_trend", "actor": actor, "scorePpm": 900_000}
    return {**found, "figures": {"sessions": 5}, **more}


def found(*findings: Any) -> tuple[int, bytes]:
    return 200, json.dumps({"findings": findings}).encode()


def test_is_asked_about_people_that_it_does_not_know_by_name() -> None:
    """And its answer is about them again; of somebody whom it made up nothing is heard."""
    with orchestrator(
        lambda asked: found(finding(asked["actors"][0]["actor"]), finding("somebody else"))
    ) as there:
        (said,) = asking(there).look(TENANT, [KARIM, ZAHRA])

    assert (said.pattern, said.actor, said.score_ppm) == (Pattern.VARIANCE_TREND, "karim", 900_000)
    assert said.figures == {"sessions": 5}
    (asked,) = there.asked
    assert asked["path"] == "/v1/cash-patterns"
    assert asked["actors"][0] == {
        "actor": asking(there).known_as(TENANT, "karim"),
        "variances": [-5_000_000] * 5,
        "sessions": 5,
        "paidOuts": 0,
        "payments": 12,
        "quickRefunds": 0,
    }
    assert "karim" not in json.dumps(there.asked)
    assert there.tokens == [f"Bearer for {there.url}"]


def test_a_person_has_another_name_at_every_tenant_and_under_every_key() -> None:
    """HMAC-SHA-256 of the actor, under the HMAC-SHA-256 of the tenant under the service's key."""
    here = Orchestrator("http://nowhere", b"secret")

    name = here.known_as(TENANT, "karim")

    assert name == here.known_as(TENANT, "karim")
    assert len(name) == 64
    assert name != here.known_as(uuid4(), "karim")
    assert name != Orchestrator("http://nowhere", b"another").known_as(TENANT, "karim")


WRONG: dict[str, tuple[int, bytes]] = {
    "an_error": (500, b"{}"),
    "a_redirect": (302, b""),
    "no_json": (200, b"hello"),
    "another_shape": (200, b"[]"),
    "no_such_pattern": found(finding("x", pattern="sorcery")),
    "more_than_sure": found(finding("x", scorePpm=1_000_001)),
    "a_broken_number": found(finding("x", scorePpm=0.5)),
    "figures_in_words": found(finding("x", figures={"sessions": "five"})),
    "not_utf_8": (200, b'{"findings": ["\xff"]}'),
    "too_long": (200, b'{"findings": [' + b" " * BYTES_MAX + b"]}"),
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_what_is_not_an_answer_is_none(answer: tuple[int, bytes]) -> None:
    with orchestrator(lambda _: answer) as there, pytest.raises((OrchestratorSilent, ValueError)):
        asking(there).look(TENANT, [KARIM])


def test_one_that_never_answers_is_waited_for_no_longer_than_said() -> None:
    answered = threading.Event()

    def waits(_: dict[str, Any]) -> tuple[int, bytes]:
        answered.wait(30)
        return found()

    with orchestrator(waits) as there:
        with pytest.raises(OSError):
            asking(there, seconds_max=0.2).look(TENANT, [KARIM])
        answered.set()


def test_one_that_fails_is_left_alone_by_all_instances(house: House) -> None:
    """Five failures on one; the other does not ask at all. After the pause one tries."""
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

    class Wall:
        def now(self) -> datetime:
            return moment

        def at(self, database_time: datetime) -> datetime:
            return moment

    with orchestrator(lambda _: (500, b"")) as there:
        pool = house.wiring.pools["main"]
        one, other = (
            BreakingDetector(asking(there), PostgresBreaker(pool, Wall(), "orchestrator"))
            for _ in range(2)
        )
        for _ in range(FAILURES_MAX):
            with pytest.raises(OrchestratorSilent):
                one.look(TENANT, [KARIM])
        with pytest.raises(LeftAlone):
            other.look(TENANT, [KARIM])
        assert len(there.asked) == FAILURES_MAX

        there.says = lambda _: found()
        moment += PAUSE
        assert [each.look(TENANT, [KARIM]) for each in (other, one)] == [[], []]
        assert len(there.asked) == FAILURES_MAX + 2


def test_is_asked_where_it_is_configured_and_never_without_its_key() -> None:
    def wired(**given: str) -> Wiring:
        database = {"BILLING_DATABASE": "postgresql://nobody@localhost/none"}
        named = {f"BILLING_ORCHESTRATOR_{name.upper()}": value for name, value in given.items()}
        return Wiring(ProcessSettings.of({**database, **named}))

    assert wired().detector is None
    with pytest.raises(SettingMissing, match="BILLING_ORCHESTRATOR_KEY"):
        _ = wired(url="https://orchestrator").detector
    asked = wired(url="https://orchestrator", key="hidden from all")
    assert isinstance(asked.detector, BreakingDetector)
    assert asked.detector.name == "orchestrator"
    assert "hidden from all" not in repr(asked.settings)
