"""Measurements leave by OpenTelemetry's own exporter, and nobody waits for it (OPS-4)."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from common.domain.circuit import CircuitState
from common.ports.answers import Unreachable
from common.ports.telemetry import (
    ITEMS,
    LOST,
    REQUESTS,
    Attributes,
    Figure,
    Span,
    Within,
    begun,
    is_watched,
    measure,
    step,
)
from common.runtime.breaking import BreakingGateway
from common.runtime.settings import ProcessSettings, SettingMissing
from common.telemetry.pipeline import Pipeline
from common.telemetry.sink import Memory, otlp_sink
from common.wiring import Wiring
from tests.adapters.collector_stand_in import CollectorStandIn, collector_served

pytestmark = pytest.mark.req("OPS-4")

TRACE, OURS, CALLERS = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "1111111111111111"
SPAN = Span(
    name="POST /api/v1/folios",
    kind="server",
    trace_id=TRACE,
    span_id=OURS,
    parent_id=CALLERS,
    started_ns=1_700_000_000_000_000_000,
    ended_ns=1_700_000_000_250_000_000,
    attributes={"http.route": "/api/v1/folios", "http.response.status_code": 503},
    failed="MELMASTOON.GENERAL.TEMPORARILY_UNAVAILABLE",
)


class Heard:
    """A listener of the test's own."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.figures: list[tuple[Figure, float, Attributes]] = []

    def ended(self, span: Span) -> None:
        self.spans.append(span)

    def measured(self, figure: Figure, value: float, attributes: Attributes) -> None:
        self.figures.append((figure, value, attributes))

    span = ended
    measurement = measured

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def collector() -> Iterator[tuple[CollectorStandIn, str]]:
    stand_in = CollectorStandIn()
    with collector_served(stand_in) as address:
        yield stand_in, address


def test_the_real_exporter_sends_spans_and_figures_as_they_were_told(
    collector: tuple[CollectorStandIn, str],
) -> None:
    """0.25 s is in the class that ends there; the ids are those of the log, not the library's."""
    stand_in, address = collector
    session = requests.Session()
    session.headers["Authorization"] = "Bearer ya29.of-the-account"
    pipeline = Pipeline(lambda: otlp_sink({"service.name": "post_charge"}, address, session))

    pipeline.ended(SPAN)
    pipeline.ended(replace(SPAN, span_id=CALLERS, parent_id=None, failed=""))
    pipeline.measured(REQUESTS, 0.25, {"http.route": "/api/v1/folios"})
    pipeline.measured(ITEMS, 2, {"billing.job": "drain_outbox"})
    pipeline.measured(ITEMS, 3, {"billing.job": "drain_outbox"})
    pipeline.close()

    span, root = stand_in.spans()
    assert (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()) == (
        TRACE,
        OURS,
        CALLERS,
    )
    assert (span.name, span.kind, span.status.code) == (SPAN.name, 2, 2)
    assert span.end_time_unix_nano - span.start_time_unix_nano == 250_000_000
    assert {each.key for each in span.attributes} == {*SPAN.attributes, "error.type"}
    assert (root.parent_span_id, root.status.code) == (b"", 0)
    told = stand_in.figures()
    (spread,) = told["http.server.request.duration"].histogram.data_points
    assert (spread.count, spread.sum) == (1, 0.25)
    assert spread.bucket_counts[list(spread.explicit_bounds).index(0.25)] == 1
    assert [p.as_int or p.as_double for p in told["billing.job.items"].sum.data_points] == [5]
    resource = stand_in.traces[0].resource_spans[0].resource.attributes
    assert {each.key: each.value.string_value for each in resource}["service.name"] == "post_charge"
    for _, headers in stand_in.log:
        assert headers["user-agent"].startswith("OTel-OTLP-Exporter-Python/")
        assert headers["authorization"] == "Bearer ya29.of-the-account"


def test_nobody_waits_for_a_collector_that_hangs_and_a_flood_is_counted() -> None:
    """Of a hundred measurements three find room: the sink is still at the first, the start's own.
    The loss is told with the next one that gets through."""
    heard, entered, lets_go = Heard(), threading.Event(), threading.Event()

    def made() -> Heard:
        entered.set()
        lets_go.wait(20)
        return heard

    pipeline = Pipeline(made, items_max=4)
    for number in range(100):
        pipeline.measured(ITEMS, number, {})
        entered.wait(20)
    assert heard.figures == []
    lets_go.set()
    pipeline.close()

    assert [(figure.name, value) for figure, value, _ in heard.figures] == [
        ("faas.coldstarts", 1),
        (LOST.name, 97),
        ("billing.job.items", 0),
        ("billing.job.items", 1),
        ("billing.job.items", 2),
    ]


def test_a_sink_that_cannot_be_made_or_breaks_harms_nobody() -> None:
    def unmade() -> Any:
        raise ImportError("no such exporter")

    broken = Heard()
    broken.measurement = lambda *_: 1 / 0  # type: ignore[assignment,method-assign]
    for make in (unmade, lambda: broken):
        pipeline = Pipeline(make)
        pipeline.measured(ITEMS, 1, {})
        pipeline.ended(SPAN)
        assert pipeline.flush()
        pipeline.close()
        pipeline.measured(ITEMS, 1, {})  # after the end it is told to nobody
    assert broken.spans == [SPAN]


def test_the_environment_chooses_the_collector_and_says_which_process_it_is(
    collector: tuple[CollectorStandIn, str],
) -> None:
    stand_in, address = collector
    environment = {
        "BILLING_DATABASE": "postgresql://x@/x?host=/nowhere",
        "BILLING_TELEMETRY": "otlp",
        "BILLING_TELEMETRY_URL": f"{address}/",
        "BILLING_PROJECT": "hotels",
        "BILLING_REGION": "europe-west1",
        "K_SERVICE": "post-charge",
        "K_REVISION": "post-charge-00007",
    }
    wiring = Wiring(ProcessSettings.of(environment))
    assert wiring.telemetry is not None
    wiring.telemetry.ended(SPAN)
    wiring.close()

    assert [span.name for span in stand_in.spans()] == [SPAN.name]
    assert "faas.coldstarts" in stand_in.figures()
    resource = stand_in.metrics[0].resource_metrics[0].resource.attributes
    told = {each.key: each.value.string_value for each in resource}
    assert told.pop("service.instance.id")
    assert told.pop("service.version")
    assert told == {
        "service.name": "post-charge",
        "service.namespace": "billing",
        "faas.name": "post-charge",
        "faas.version": "post-charge-00007",
        "cloud.provider": "gcp",
        "cloud.platform": "gcp_cloud_run",
        "cloud.region": "europe-west1",
        "gcp.project_id": "hotels",
    }
    with pytest.raises(SettingMissing):
        _ = Wiring(ProcessSettings.of({**environment, "BILLING_TELEMETRY": "jaeger"})).telemetry


def test_where_nobody_listens_nothing_is_made() -> None:
    wiring = Wiring(ProcessSettings(databases={"main": "postgresql://x@/x?host=/nowhere"}))

    assert wiring.telemetry is None
    with begun(wiring.telemetry, Within(TRACE, OURS), "a request", "server"):
        assert not is_watched()
        with step("a call", "client"):
            measure(ITEMS, 1, {})


def test_steps_hang_below_one_another_and_name_what_failed() -> None:
    heard = Heard()

    def a_request() -> None:
        with begun(heard, Within(TRACE, OURS, CALLERS), "a request", "server"):
            with step("the first", "client") as first:
                first.attributes["db.system.name"] = "postgresql"
            with step("the second", "client"):
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        a_request()
    assert not is_watched()

    one, two, request = heard.spans
    assert [(each.name, each.parent_id, each.failed) for each in heard.spans] == [
        ("the first", OURS, ""),
        ("the second", OURS, "ZeroDivisionError"),
        ("a request", CALLERS, "ZeroDivisionError"),
    ]
    assert len({one.span_id, two.span_id, request.span_id}) == 3
    assert one.attributes == {"db.system.name": "postgresql"}


class Shut:
    """A breaker that lets so many through."""

    def __init__(self, admitted: int) -> None:
        self._admitted = admitted

    def admits(self, caller: str) -> CircuitState | None:
        self._admitted -= 1
        return CircuitState.CLOSED if self._admitted >= 0 else None

    def heard(self, caller: str, *, answered: bool) -> None:
        """Noted elsewhere."""


class SilentGateway:
    """A processor that does not answer."""

    def ask(self, *_: object) -> Unreachable:
        return Unreachable()


def test_calls_to_the_processor_are_spans_and_counted_by_what_came_of_them() -> None:
    """Two calls, of which one is let through and is not answered."""
    heard = Heard()
    gateway: Any = BreakingGateway(SilentGateway(), Shut(1))  # type: ignore[arg-type]
    with begun(heard, Within(TRACE, OURS), "job settle_refunds", "internal"):
        gateway.ask("rfd_1", "pi_1")
        gateway.ask("rfd_1", "pi_1")

    assert [(each.name, each.failed) for each in heard.spans] == [
        ("processor ask", "silent"),
        ("job settle_refunds", ""),
    ]
    counted = [about["billing.outcome"] for figure, _, about in heard.figures]
    assert counted == ["silent", "left_alone"]


def test_memory_is_what_a_person_looks_at() -> None:
    memory = Memory()
    pipeline = Pipeline(lambda: memory.sink({"service.name": "billing"}))
    pipeline.measured(REQUESTS, 0.25, {"http.route": "/health"})
    pipeline.ended(SPAN)
    assert pipeline.flush()

    told = {figure["name"]: figure for figure in memory.figures()}
    assert told["http.server.request.duration"]["points"] == [
        {
            "attributes": {"http.route": "/health"},
            "count": 1,
            "sum": 0.25,
            "max": 0.25,
            "classes": [{"upTo": 0.25, "count": 1}],
        }
    ]
    (span,) = memory.spans()
    assert span["attributes"] == {**SPAN.attributes, "error.type": SPAN.failed}
    assert (span["kind"], span["parent_id"], span["failed"]) == ("server", CALLERS, SPAN.failed)
    pipeline.close()
