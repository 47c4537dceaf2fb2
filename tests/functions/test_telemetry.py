"""What is measured: traces from a request to its events, figures, no word of a guest (OPS-4)."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import Client

from common.local.functions import job_declarations
from common.local.operations import Operations
from common.runtime.job import Orders
from common.wiring import Wiring
from tests.hotel import Hotel, House, charge

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UNSAMPLED = "00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
TRACE, PARENT = CALLER[3:35], CALLER[36:52]
GUEST, NOTE = "Zarghuna Barakzai", "allergic to pistachios"
CHARGES = "/api/v1/folios/{folio_id}/charges"


@pytest.fixture
def watched(hotel: Hotel, house: House) -> Iterator[Hotel]:
    """The hotel at an instance that keeps what it measures; no event of others waits."""
    house.sql("DELETE FROM billing_central.outbox")
    beside = house.beside(telemetry="memory")
    yield replace(hotel, house=beside)
    beside.close()


@pytest.fixture
def jobs(house: House) -> Iterator[Wiring]:
    """A job's process on the same database."""
    login = {"main": house.server.dsn("billing_job", "billing")}
    beside = house.beside(telemetry="memory", databases=login, public_url="http://127.0.0.1:1")
    yield beside.wiring
    beside.close()


def spans_of(wiring: Wiring, trace_id: str = TRACE) -> list[dict[str, Any]]:
    assert wiring.telemetry is not None
    assert wiring.telemetry.flush()
    return [span for span in wiring.memory.spans() if span["trace_id"] == trace_id]


def points_of(wiring: Wiring, name: str) -> list[dict[str, Any]]:
    assert wiring.telemetry is not None
    assert wiring.telemetry.flush()
    found = {figure["name"]: figure["points"] for figure in wiring.memory.figures()}
    points: list[dict[str, Any]] = found.get(name, [])
    return points


def run(wiring: Wiring, name: str, *tenants: Any) -> None:
    declaration = next(job for job in job_declarations() if job.name == name)
    orders = Orders(once=declaration.keeps_watch, tenants=tenants)
    wiring.job_shell.run(declaration, orders, stop=threading.Event(), tell=lambda _: None)


@pytest.mark.req("OPS-4", "API-7")
def test_a_request_its_round_trips_and_its_events_are_one_trace(
    watched: Hotel, jobs: Wiring
) -> None:
    """The caller's trace holds our span, ours holds those of the database, and what publishes the
    event in another process, minutes later, hangs below ours."""
    wiring = watched.house.wiring
    folio = watched.open_folio()

    answer = watched.post(f"/folios/{folio}/charges", charge(), headers={"traceparent": CALLER})
    run(jobs, "drain_outbox")

    assert answer.status_code == 201, answer.text
    *inside, server = spans_of(wiring)  # a span is told when it ends
    assert (server["name"], server["kind"]) == (f"POST {CHARGES}", "server")
    assert (server["trace_id"], server["parent_id"]) == (TRACE, PARENT)
    assert answer.headers["traceresponse"] == f"00-{TRACE}-{server['span_id']}-01"
    assert server["attributes"]["http.response.status_code"] == 201
    assert server["attributes"]["billing.outcome"] == "ok"
    assert {span["parent_id"] for span in inside} == {server["span_id"]}
    assert 2 <= len(inside) <= 4, "a round trip is a span, and a charge takes few"
    assert all(span["attributes"]["db.system.name"] == "postgresql" for span in inside)
    assert inside[-1]["name"].endswith("INSERT COMMIT")
    assert "$1::jsonb" in inside[-1]["attributes"]["db.query.text"]
    sent = spans_of(jobs)
    assert {span["parent_id"] for span in sent} == {server["span_id"]}
    assert {(span["kind"], span["attributes"]["messaging.message.type"]) for span in sent} == {
        ("producer", "melmastoon.billing.charge.posted.v1")
    }


@pytest.mark.req("OPS-4", "SEC-8")
def test_says_no_word_of_a_guest_and_no_amount(watched: Hotel) -> None:
    """What a guest or a clerk wrote, and the sum of 12345.67, stand in no span and no figure."""
    folio = watched.open_folio(guest={"name": GUEST})
    body = charge(cents=1_234_567, description=NOTE)
    answer = watched.post(f"/folios/{folio}/charges", body, key=GUEST)
    refused = watched.post(f"/folios/{folio}/charges", {**body, "kind": NOTE})
    wiring = watched.house.wiring

    assert (answer.status_code, refused.status_code) == (201, 400)
    assert wiring.telemetry is not None
    assert wiring.telemetry.flush()
    told = repr([wiring.memory.spans(), wiring.memory.figures()])
    assert CHARGES in told
    for secret in (GUEST, NOTE, "1234567", "12345670000", folio, answer.json["lines"][0]["lineId"]):
        assert secret not in told


@pytest.mark.req("OPS-4")
def test_counts_requests_by_route_and_refusals_by_code(watched: Hotel) -> None:
    """Two charges, one of them again by its key, one refused for its kind."""
    folio = watched.open_folio()
    for _ in range(2):
        watched.post(f"/folios/{folio}/charges", charge(), key="once")
    watched.post(f"/folios/{folio}/charges", {**charge(), "kind": "?"})
    wiring = watched.house.wiring

    counted = {
        (
            point["attributes"]["billing.outcome"],
            point["attributes"]["http.response.status_code"],
        ): (point["count"])
        for point in points_of(wiring, "http.server.request.duration")
        if point["attributes"]["http.route"] == CHARGES
    }
    assert counted == {("ok", 201): 2, ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400): 1}
    assert [point["value"] for point in points_of(wiring, "faas.coldstarts")] == [1]


@pytest.mark.req("OPS-4")
def test_a_trace_that_its_caller_does_not_keep_is_counted_and_not_told(watched: Hotel) -> None:
    watched.get("/folios", headers={"traceparent": UNSAMPLED})
    wiring = watched.house.wiring

    assert spans_of(wiring, UNSAMPLED[3:35]) == []
    assert [point["count"] for point in points_of(wiring, "http.server.request.duration")] == [1]


@pytest.mark.req("OPS-4", "API-7")
def test_an_event_is_taken_in_within_the_trace_of_its_fact(watched: Hotel) -> None:
    """Pub/Sub's own delivery is another trace; the effect belongs to the one of the event. An event
    that names none is a step of its delivery."""
    folio = watched.open_folio()
    check = {
        "propertyId": str(watched.property_id),
        "folioId": folio,
        "pointOfSale": "BAR",
        "checkNumber": "4711",
        "description": "Two coffees",
        "unitAmount": charge()["unitAmount"],
    }
    assert watched.deliver("on_charge_posted", check, traceparent=CALLER).status_code == 204
    plain = watched.deliver("on_charge_posted", {**check, "checkNumber": "4712"})

    wiring = watched.house.wiring
    *inside, consumer = spans_of(wiring)
    assert (consumer["kind"], consumer["parent_id"]) == ("consumer", PARENT)
    assert consumer["name"].startswith("process ")
    assert {span["parent_id"] for span in inside} == {consumer["span_id"]}
    *_, step, server = spans_of(wiring, plain.headers["traceresponse"][3:35])
    assert (step["kind"], step["parent_id"]) == ("consumer", server["span_id"])
    counted = points_of(wiring, "http.server.request.duration")
    assert {
        point["count"]
        for point in counted
        if point["attributes"]["http.route"] == "events/on_charge_posted"
    } == {2}


@pytest.mark.req("OPS-4")
def test_measures_the_outbox_and_what_left_it(watched: Hotel, jobs: Wiring) -> None:
    """The levels whenever somebody looks, and by the drainer each minute; one folio is closed."""
    watched.closed_folio()
    assert watched.get("/health/ready", token=None).status_code == 200
    run(jobs, "drain_outbox")

    ages = points_of(watched.house.wiring, "billing.outbox.oldest.age")
    assert [point["value"] >= 0 for point in ages] == [True]
    breakers = points_of(watched.house.wiring, "billing.breaker.open")
    assert {(each["attributes"]["billing.peer"], each["value"]) for each in breakers} == {
        ("gateway", 0),
        ("orchestrator", 0),
    }
    sent = {
        point["attributes"]["messaging.message.type"]: point["value"]
        for point in points_of(jobs, "messaging.client.sent.messages")
    }
    assert sent["melmastoon.billing.folio.opened.v1"] >= 1
    (lag,) = points_of(jobs, "billing.outbox.lag")
    taken = [
        point["value"]
        for point in points_of(jobs, "messaging.client.sent.messages")
        if point["attributes"]["billing.outcome"] == "acknowledged"
    ]
    assert lag["count"] == sum(taken)
    for level in ("billing.outbox.oldest.age", "billing.breaker.open"):
        assert points_of(jobs, level), level
    assert [point["value"] for point in points_of(jobs, "billing.recovery")] == [0]
    (closed,) = points_of(jobs, "billing.folio.closed")
    assert closed["attributes"] == {"billing.amount.class": "none", "billing.direction": "even"}


@pytest.mark.req("OPS-4")
def test_counts_what_jobs_have_done(watched: Hotel, jobs: Wiring) -> None:
    """One tenant's books are checked: one item, under a span of the job's own."""
    run(jobs, "check_books", watched.tenant_id)

    (items,) = points_of(jobs, "billing.job.items")
    assert items["value"] == 1
    assert points_of(jobs, "billing.job.due") == [], "of some tenants it is no level"
    assert items["attributes"] == {"billing.job": "check_books", "billing.outcome": "done"}
    assert [span["kind"] for span in jobs.memory.spans() if span["name"] == "job check_books"] == [
        "internal"
    ]


@pytest.mark.req("OPS-4")
def test_the_console_shows_the_same_figures(watched: Hotel, jobs: Wiring) -> None:
    folio = watched.open_folio()
    watched.post(f"/folios/{folio}/charges", charge(), headers={"traceparent": CALLER})
    run(jobs, "drain_outbox")
    console = Client(Operations(processes={"functions": watched.house.wiring, "jobs": jobs}))

    shown = {each["name"]: each for each in console.get("/ops/figures").json["figures"]}
    page = console.get("/ops")
    traces = {each["traceId"]: each["spans"] for each in console.get("/ops/traces").json["traces"]}

    requests = shown["http.server.request.duration"]["points"]
    assert [
        (point["process"], point["count"])
        for point in requests
        if point["attributes"]["http.route"] == CHARGES
    ] == [("functions", 1)]
    assert {point["process"] for point in shown["billing.outbox.oldest.age"]["points"]} == {
        "functions",
        "jobs",
    }
    assert {span["process"] for span in traces[TRACE]} == {"functions", "jobs"}
    assert page.status_code == 200
    assert all(name in page.text for name in (*shown, CHARGES, TRACE))
    assert console.get("/ops/else").status_code == 404
    assert console.post("/ops").status_code == 405
