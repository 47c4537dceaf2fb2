"""Each function starts alone under functions-framework, as its container starts it (API-2, PERF-1).

One of them is served by a real process with gunicorn, asked over a socket, with the keys of the
identity service fetched over HTTP; all of them are imported by their path and asked once.
"""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from common.local.functions import ROOT, declarations
from common.runtime.declaration import Declaration, EventDeclaration, HttpDeclaration
from tests.adapters.collector_stand_in import CollectorStandIn, collector_served
from tests.hotel import ISSUER, Hotel, House, charge, usd

LISTENING = re.compile(r"Listening at: http://127\.0\.0\.1:(\d+)")
PROBLEM = "application/problem+json"


@contextmanager
def key_server(house: House) -> Iterator[str]:
    """The identity service's JWKS at an address."""

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(house.identity.jwks()).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks.json"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Function:
    """A served function, its address, and where its output goes."""

    port: int
    output: Path

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, str, dict[str, Any]]:
        """Status, content type and document of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            data = json.dumps(body) if isinstance(body, dict) else body
            connection.request(method, path, data, {"Content-Type": "application/json", **sent})
            answer = connection.getresponse()
            told = answer.read()
            return answer.status, answer.headers["Content-Type"], json.loads(told or b"{}")
        finally:
            connection.close()

    def say(self, request: bytes) -> bytes:
        """Write bytes to the socket, and nothing more, and read the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="module")
def function(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Function]:
    """post_charge, alone, with eight threads. What it measured has left it when it has ended."""
    collector = CollectorStandIn()
    wired = house.wiring.settings
    output = tmp_path_factory.mktemp("function") / "stdout"
    source = "functions/folios/post_charge.py"
    command = ["--source", source, "--target", "post_charge", "--host", "127.0.0.1", "--port", "0"]
    with (
        key_server(house) as address,
        collector_served(collector) as collector_address,
        output.open("wb") as stdout,
    ):
        process = subprocess.Popen(
            [sys.executable, "-m", "functions_framework", *command],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "THREADS": "8",
                "GUNICORN_LOG_LEVEL": "info",
                "BILLING_STACK": "local",
                "BILLING_DATABASE": wired.databases["main"],
                "BILLING_TOKEN_ISSUER": ISSUER,
                "BILLING_JWKS_URL": address,
                "BILLING_LOCAL_FOLDER": wired.local_folder,
                "BILLING_TELEMETRY": "otlp",
                "BILLING_TELEMETRY_URL": collector_address,
            },
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        try:
            said = next(filter(LISTENING.search, process.stderr), "")
            found = LISTENING.search(said)
            assert found, "it has not begun to listen"
            reader = threading.Thread(target=process.stderr.read)
            reader.start()
            yield Function(int(found[1]), output)
        finally:
            process.terminate()
            process.wait(30)
            reader.join(30)
            process.stderr.close()
        names = {span.name for span in collector.spans()}
        assert "POST /api/v1/folios/{folio_id}/charges" in names
        assert collector.figures()["faas.coldstarts"]


def charging(hotel: Hotel) -> dict[str, str]:
    return {"Authorization": f"Bearer {hotel.token()}", "Idempotency_Key": str(uuid4())}


@pytest.mark.req("API-2", "FOL-3", "SEC-1")
def test_a_function_alone_posts_a_charge_into_the_same_books(
    function: Function, hotel: Hotel
) -> None:
    """100.00 and 10 % of it, seen by the laptop's other functions at once."""
    folio = hotel.open_folio()

    status, kind, answer = function.ask(
        "POST", f"/api/v1/folios/{folio}/charges", charge("room", 10_000), **charging(hotel)
    )

    assert (status, kind) == (201, "application/json"), answer
    assert answer["balance"] == usd(11_000)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(11_000)


@pytest.mark.req("FOL-4", "TEN-2b")
def test_its_eight_threads_lose_no_charge_and_mix_no_tenant(
    function: Function, house: House
) -> None:
    hotels = [house.new_hotel() for _ in range(3)]
    folios = [(hotel, hotel.open_folio()) for hotel in hotels]

    def post(turn: int) -> int:
        hotel, folio = folios[turn % 3]
        path = f"/api/v1/folios/{folio}/charges"
        status, _, answer = function.ask("POST", path, charge("room", 100), **charging(hotel))
        assert answer["folioId"] == folio
        return status

    with ThreadPoolExecutor(24) as pool:
        assert set(pool.map(post, range(72))) == {201}

    for hotel, folio in folios:
        shown = hotel.get(f"/folios/{folio}").json
        assert shown["balance"] == usd(24 * 110)
        assert [line["sequence"] for line in shown["lines"]] == list(range(1, 49))


@pytest.mark.req("API-2", "API-3")
def test_it_answers_at_its_own_path_and_by_its_own_method_only(
    function: Function, hotel: Hotel
) -> None:
    folio = hotel.open_folio()
    for method, path, wanted in (
        ("POST", "/api/v1/folios", 404),
        ("POST", f"/api/v1/folios/{folio}/payments", 404),
        ("POST", "/", 404),
        ("POST", "/dev/token", 404),
        ("GET", "/health", 404),
        ("GET", f"/api/v1/folios/{folio}/charges", 405),
        ("PUT", f"/api/v1/folios/{folio}/charges", 405),
        ("POST", f"/api/v1/folios/{folio}/charges", 401),
    ):
        status, kind, answer = function.ask(method, path)
        assert (status, kind, answer["status"]) == (wanted, PROBLEM, wanted), path


BROKEN = {
    "too short": b"Content-Length: 100\r\n\r\n{}",
    "no chunk": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "half a chunk": b"Transfer-Encoding: chunked\r\n\r\nff\r\n{}",
    "too large": b"Content-Length: 2097152\r\n\r\n" + b" " * 2**21,
    "chunks too large": b"Transfer-Encoding: chunked\r\n\r\n"
    + (b"10000\r\n" + b" " * 65_536 + b"\r\n") * 20
    + b"0\r\n\r\n",
    "nothing": b"\r\n",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}{}{",
    "a negative length": b"Content-Length: -1\r\n\r\n{}",
}


@pytest.mark.req("API-6")
@pytest.mark.parametrize("kind", BROKEN)
def test_a_body_that_breaks_off_is_the_senders_fault(
    function: Function, hotel: Hotel, kind: str
) -> None:
    """Over a real socket, where a server has errors of its own for it."""
    head = f"POST /api/v1/folios/{hotel.open_folio()}/charges HTTP/1.1\r\nHost: billing\r\n"
    for name, value in charging(hotel).items():
        head += f"{name.replace('_', '-')}: {value}\r\n"

    answer = function.say(
        head.encode() + b"Content-Type: application/json\r\nConnection: close\r\n" + BROKEN[kind]
    )

    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413")), answer[:300]
    assert hotel.rows("SELECT count(*) FROM {s}.folio_lines") == [[0]]


@pytest.mark.req("SEC-8")
def test_its_output_is_its_log(function: Function, hotel: Hotel) -> None:
    before = len(function.output.read_text().splitlines())

    function.ask("POST", f"/api/v1/folios/{hotel.open_folio()}/charges", {}, **charging(hotel))

    (line,) = function.output.read_text().splitlines()[before:]
    told = json.loads(line)
    assert told["route"] == "/api/v1/folios/{folio_id}/charges"
    assert told["tenantId"] == str(hotel.tenant_id)


@pytest.fixture(scope="module")
def started() -> dict[str, dict[str, Any]]:
    """How each function started, by its name."""
    sources = {each.name: each.module.replace(".", "/") + ".py" for each in declarations()}
    settings = {
        "BILLING_STACK": "google",
        "BILLING_DATABASE": "postgresql://billing@/billing?host=/nowhere",
        "BILLING_TOKEN_ISSUER": ISSUER,
        "BILLING_JWKS_URL": "http://127.0.0.1:1/jwks.json",
    }
    ended = subprocess.run(
        [sys.executable, "tests/functions/alone.py", *sources.values()],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        check=True,
    )
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [each["source"] for each in told] == list(sources.values())
    return dict(zip(sources, told, strict=True))


ALL = pytest.mark.parametrize("declaration", declarations(), ids=lambda each: each.name)


@pytest.mark.req("API-2")
@ALL
def test_file_target_and_declaration_bear_one_name(
    started: dict[str, dict[str, Any]], declaration: Declaration
) -> None:
    told = started[declaration.name]

    assert told["target"] == told["declared"] == Path(told["source"]).stem == declaration.name


@pytest.mark.req("API-2", "PERF-1")
@ALL
def test_nothing_happens_when_a_function_is_imported(
    started: dict[str, dict[str, Any]], declaration: Declaration
) -> None:
    told = started[declaration.name]

    assert (told["readers"], told["sockets"], told["threads"]) == ([], [], 0)
    assert not told["wired"], "the adapters come with the first request"


@pytest.mark.req("API-2", "SEC-2", "SEC-5", "API-8")
@ALL
def test_alone_it_knows_what_to_do_with_a_stranger(
    started: dict[str, dict[str, Any]], declaration: Declaration
) -> None:
    """Without a database and without the identity service: who is public says that it cannot."""
    told = started[declaration.name]
    match declaration:
        case HttpDeclaration(name="health"):
            wanted = 200, "application/json"
        case HttpDeclaration(name="ready"):
            wanted = 503, "application/json"
        case HttpDeclaration(signed_by=str()):
            wanted = 400, PROBLEM  # it is not signed, and nobody is asked whose it is
        case HttpDeclaration(scope=None):
            wanted = 503, PROBLEM
        case HttpDeclaration() | EventDeclaration():
            wanted = 401, PROBLEM
        case _:
            raise AssertionError(declaration)

    assert (told["status"], told["type"]) == wanted
