"""Log lines: one JSON object each, of known fields, without a word that anybody said."""

import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from common.runtime.logging import (
    FIELDS,
    MAX_CAUSES,
    MAX_FRAMES,
    WITHHELD,
    AmountClass,
    AmountClasses,
    Log,
    Origin,
    Severity,
    take_over,
)

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
TENANT = UUID("7f1b0c9e-0000-4000-8000-000000000001")
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
DESK = Origin(TRACE, SPAN, TENANT, "usr_layla", "/api/v1/folios/{folio_id}/charges")
SECRET = "Zarghuna Kakar +93 70 123 4567 z.kakar@example.com eyJhbGciOiJFUzI1NiJ9.e30.c2ln"
FRAGMENTS = ("Zarghuna", "Kakar", "123 4567", "z.kakar", "example.com", "eyJ", "hunter2")

Lines = list[dict[str, object]]


@pytest.fixture
def log() -> Log:
    return Log(project="hotel-project", clock=lambda: NOON)


def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Read what was written, holding each line against the rules that hold for all."""
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out == "" or captured.out.endswith("\n")
    read = [json.loads(line) for line in captured.out.splitlines()]
    for line in read:
        assert line.keys() <= FIELDS
        assert {"severity", "message", "time"} <= line.keys()
    for fragment in FRAGMENTS:
        assert fragment not in captured.out
    return read


@pytest.mark.req("SEC-8")
def test_tells_of_a_request(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    log.request(
        DESK,
        method="POST",
        status=201,
        outcome="ok",
        latency_ms=12.3456,
        amount_class=AmountClass.MEDIUM,
        charge_kind="minibar",
    )
    assert lines(capsys) == [
        {
            "severity": "INFO",
            "message": "POST /api/v1/folios/{folio_id}/charges 201 ok",
            "time": "2026-03-01T12:00:00.250000Z",
            "traceId": TRACE,
            "spanId": SPAN,
            "tenantId": str(TENANT),
            "actorId": "usr_layla",
            "route": "/api/v1/folios/{folio_id}/charges",
            "method": "POST",
            "status": 201,
            "outcome": "ok",
            "latencyMs": 12.3,
            "amountClass": "medium",
            "chargeKind": "minibar",
            "logging.googleapis.com/trace": f"projects/hotel-project/traces/{TRACE}",
            "logging.googleapis.com/spanId": SPAN,
        }
    ]


@pytest.mark.req("SEC-8")
def test_tells_of_a_request_of_which_nothing_is_known(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    log.request(Origin(), method="GET", status=401, outcome="TOKEN_MISSING", latency_ms=0)
    assert lines(capsys) == [
        {
            "severity": "WARNING",
            "message": "GET - 401 TOKEN_MISSING",
            "time": "2026-03-01T12:00:00.250000Z",
            "method": "GET",
            "status": 401,
            "outcome": "TOKEN_MISSING",
            "latencyMs": 0,
        }
    ]


@pytest.mark.req("SEC-8")
@pytest.mark.parametrize(
    ("status", "severity"),
    [
        *((status, "INFO") for status in (200, 201, 304, 404, 409, 422)),
        *((status, "WARNING") for status in (401, 403, 429)),
        *((status, "ERROR") for status in (500, 503)),
    ],
)
def test_weighs_a_request_by_its_status(
    status: int, severity: str, log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    log.request(DESK, method="GET", status=status, outcome="x", latency_ms=1)
    assert [line["severity"] for line in lines(capsys)] == [severity]


@pytest.mark.req("SEC-8")
def test_joins_no_trace_without_a_project(capsys: pytest.CaptureFixture[str]) -> None:
    Log(clock=lambda: NOON).problem(DESK, code="OUTBOX_LATE")
    (line,) = lines(capsys)
    assert line["traceId"] == TRACE
    assert not any("googleapis" in name for name in line)


@pytest.mark.req("SEC-8")
def test_tells_of_a_job(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    log.job(Origin(), job="drain_outbox", outcome="ok", done=40, failed=0, latency_ms=5)
    log.job(Origin(), job="drain_outbox", outcome="partly", done=39, failed=1, latency_ms=5)
    good, bad = lines(capsys)
    assert (good["severity"], bad["severity"]) == ("INFO", "ERROR")
    assert good["message"] == "drain_outbox ok 40 0"
    assert (bad["done"], bad["failed"]) == (39, 1)


@pytest.mark.req("SEC-8")
def test_withholds_whatever_does_not_look_like_its_field(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    """A guest's words, put by mistake into each place where a text can be put."""
    origin = Origin(SECRET, SECRET, TENANT, SECRET, SECRET)
    log.request(origin, method=SECRET, status=200, outcome=SECRET, latency_ms=1, charge_kind=SECRET)
    log.request(
        Origin(actor_id="z.kakar@example.com", route="/folios/Zarghuna Kakar"),
        method="GET",
        status=200,
        outcome="ok\nseverity",
        latency_ms=1,
    )
    log.problem(origin, code=SECRET)
    log.job(origin, job=SECRET, outcome=SECRET, done=1, failed=0, latency_ms=1)
    log.library(SECRET, logging.ERROR, "place.py:1")
    first, second, *_ = read = lines(capsys)
    assert len(read) == 5
    for name in ("traceId", "spanId", "actorId", "route", "method", "outcome", "chargeKind"):
        assert first[name] == WITHHELD
    assert "logging.googleapis.com/trace" not in first
    assert (second["actorId"], second["route"], second["outcome"]) == (WITHHELD,) * 3


class OddlyNamed(Exception):
    """Carries its secret wherever an exception can."""

    def __repr__(self) -> str:
        return SECRET

    def __str__(self) -> str:
        return SECRET


def fail_deep_inside(guest: str, password: str = "hunter2") -> None:
    remark = f"{guest} {password}"
    try:
        raise ValueError(remark)
    except ValueError as cause:
        error = OddlyNamed(remark)
        error.add_note(remark)
        raise error from cause


@pytest.mark.req("SEC-8", "API-3")
def test_tells_an_exception_by_type_and_place_alone(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        fail_deep_inside(SECRET)
    except OddlyNamed as error:
        log.problem(DESK, code="UNEXPECTED", error=error)
    (line,) = lines(capsys)
    assert line["message"] == "UNEXPECTED"
    outer, inner = line["error"]  # type: ignore[misc]  # a list of two, or the test fails
    assert outer["type"].endswith("OddlyNamed")
    assert inner["type"] == "builtins.ValueError"
    file, number, function = outer["stack"][-1].split(":")
    assert (file, function) == ("tests/security/test_log_format.py", "fail_deep_inside")
    assert number.isdigit()
    assert not any(place.startswith("/") for each in (outer, inner) for place in each["stack"])


def sink(depth: int) -> None:
    if depth:
        sink(depth - 1)
    raise LookupError(SECRET)


@pytest.mark.req("SEC-8")
def test_cuts_a_long_story_short(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    error: BaseException | None = None
    for _ in range(MAX_CAUSES + 3):
        try:
            try:
                sink(MAX_FRAMES * 2)
            except LookupError as found:
                raise found from error
        except LookupError as found:
            error = found
    log.problem(DESK, code="UNEXPECTED", error=error)
    (line,) = lines(capsys)
    told = line["error"]
    assert isinstance(told, list)
    assert len(told) == MAX_CAUSES
    assert all(len(each["stack"]) == MAX_FRAMES for each in told)


@pytest.mark.req("SEC-8")
def test_shows_the_place_in_a_library_without_the_machine(
    log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        json.loads("{" + SECRET)
    except ValueError as error:
        log.problem(DESK, code="UNEXPECTED", error=error)
    (line,) = lines(capsys)
    stack = line["error"][0]["stack"]  # type: ignore[index]  # a list, or the test fails
    assert stack[-1].startswith("json/decoder.py:")


@pytest.mark.req("SEC-8")
@pytest.mark.parametrize(
    ("amount_minor", "size"),
    [
        *((amount, "small") for amount in (0, 9_999, -9_999)),
        *((amount, "medium") for amount in (10_000, 99_999, -10_000, -99_999)),
        *((amount, "large") for amount in (100_000, -100_000, 10**15)),
    ],
)
def test_classes_money_instead_of_naming_it(amount_minor: int, size: str) -> None:
    """Medium from 100.00, large from 1,000.00 of a currency with two decimals."""
    assert AmountClasses(10_000, 100_000).of(amount_minor) == size


@pytest.fixture
def taken_over(log: Log) -> Iterator[None]:
    """Let the log speak for libraries, and put everything back afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    take_over(log)
    yield
    logging.captureWarnings(False)
    root.handlers[:], level, sys.excepthook, threading.excepthook = before
    root.setLevel(level)


@pytest.mark.req("SEC-8")
@pytest.mark.usefixtures("taken_over")
def test_passes_on_that_a_library_spoke_and_not_what_it_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    library = logging.getLogger("some.library")
    library.info("GET /v1/%s", SECRET)
    library.warning("retrying for %s", SECRET)
    library.error("no answer: %s", SECRET, extra={"body": SECRET})
    try:
        raise ValueError(SECRET)
    except ValueError:
        library.exception("failed with %s", SECRET)
    read = lines(capsys)
    assert [line["severity"] for line in read] == ["WARNING", "ERROR", "ERROR"]
    assert {line["library"] for line in read} == {"some.library"}
    assert str(read[0]["place"]).startswith("tests/security/test_log_format.py:")


@pytest.mark.req("SEC-8")
@pytest.mark.usefixtures("taken_over")
def test_passes_on_that_there_was_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(SECRET, UserWarning, stacklevel=1)
    assert [line["library"] for line in lines(capsys)] == ["py.warnings"]


@pytest.mark.req("SEC-8")
@pytest.mark.usefixtures("taken_over")
def test_tells_of_an_error_that_nobody_caught(capsys: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=sink, args=(0,))
    thread.start()
    thread.join(30)
    sys.excepthook(ValueError, ValueError(SECRET), None)
    in_thread, in_main = lines(capsys)
    assert (in_thread["severity"], in_thread["message"]) == ("CRITICAL", "UNCAUGHT")
    assert in_main["error"] == [{"type": "builtins.ValueError", "stack": []}]


@pytest.mark.req("SEC-8")
def test_writes_whole_lines_from_many_threads(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    start = threading.Barrier(8)

    def speak() -> None:
        start.wait()
        for _ in range(200):
            log.request(DESK, method="GET", status=200, outcome="ok", latency_ms=1)

    threads = [threading.Thread(target=speak) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(lines(capsys)) == 1600


class Closed:
    def write(self, line: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise ValueError("I/O operation on closed file")


@pytest.mark.req("SEC-8")
def test_undoes_nothing_when_nobody_listens(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Closed())
    log.problem(DESK, code="OUTBOX_LATE", severity=Severity.WARNING)


@pytest.mark.req("SEC-6", "SEC-8")
def test_names_no_field_after_card_data() -> None:
    names = [name.lower() for name in FIELDS]
    assert not [n for n in names if n.startswith(("pan", "cvv", "cardholder", "card_number"))]
