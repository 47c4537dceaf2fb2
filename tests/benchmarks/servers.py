"""The servers that `make bench` compares: real processes of functions-framework, and pgbench."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from common.local.functions import ROOT
from tests.hotel import ISSUER, Hotel, House, charge

THREADS = 8
OURS = ROOT / "functions" / "folios" / "post_charge.py"
LEAN = Path(__file__).parent / "lean" / "main.py"

FLOOR = """\
\\set n random(1, {folios})
BEGIN;
SELECT set_config('search_path', '{schema}', true), set_config('app.tenant_id', '{tenant}', true);
SELECT id AS folio, last_line AS last, version AS version FROM folios
  WHERE id = (SELECT id FROM bench_folios WHERE n = :n) FOR UPDATE \\gset
INSERT INTO folio_lines (tenant_id, folio_id, sequence, id, type, kind, description, window_name,
  amount_micro, currency, business_date, source, settings_version, actor, occurred_at, recorded_at)
  SELECT '{tenant}'::uuid, :folio, :last + part, gen_random_uuid()::text, 'charge', 'room',
    '{{}}'::jsonb, 'guest', 100000000, 'USD', current_date, 'manual', 1, 'bench', now(), now()
  FROM generate_series(1, 2) AS part;
INSERT INTO ledger_entries (tenant_id, source, part, folio_id, property_id, debit_account,
  credit_account, amount_micro, currency, business_date, occurred_at, recorded_at)
  SELECT '{tenant}'::uuid, gen_random_uuid()::text, part, :folio, '{property}'::uuid,
    'guest_ledger', 'revenue', 100000000, 'USD', current_date, now(), now()
  FROM generate_series(1, 2) AS part;
UPDATE folios SET balance_micro = balance_micro + 110000000, last_line = last_line + 2,
  version = version + 1 WHERE id = :folio;
INSERT INTO billing_central.outbox (tenant_id, shard, ordering_key, sequence, event_id, event_type,
  event, recorded_at) VALUES ('{tenant}', 0, :folio, :version + 1, gen_random_uuid()::text, 'bench',
  repeat('x', 900), now());
INSERT INTO audit_entries (tenant_id, id, aggregate_kind, aggregate_id, sequence, action, actor,
  auth_strength, detail, digest_after, trace_id, occurred_at, recorded_at, previous_hash, hash)
  VALUES ('{tenant}', gen_random_uuid()::text, 'folio', :folio, :version + 1, 'bench', 'bench',
  'pwd',
  repeat('x', 700), '', '', now(), now(), '', '');
INSERT INTO idempotency_keys (tenant_id, key_hash, function, fingerprint, status, headers, body,
  recorded_at) VALUES ('{tenant}', uuid_send(gen_random_uuid()), 'bench', '', 201, '{{}}',
  repeat('x', 1200), now());
COMMIT;
"""


@dataclass
class Server:
    """A process that answers at a loopback port."""

    port: int
    process: subprocess.Popen[bytes]


@contextmanager
def service(house: House, folder: Path, source: Path = OURS) -> Iterator[Server]:
    """One function alone, as it is deployed, all guarantees on."""
    with (
        jwks(house) as url,
        functions_framework(source, settings_of(house, url), folder / "service.log") as server,
    ):
        yield server


def settings_of(house: House, jwks_url: str) -> dict[str, str]:
    """The environment of a deployed function."""
    settings = house.wiring.settings
    return {
        "BILLING_STACK": "local",
        "BILLING_DATABASE": settings.databases["main"],
        "BILLING_TOKEN_ISSUER": ISSUER,
        "BILLING_JWKS_URL": jwks_url,
        "BILLING_LOCAL_FOLDER": settings.local_folder,
    }


@contextmanager
def minimal(house: House, hotel: Hotel, folder: Path) -> Iterator[Server]:
    """The function of somebody in a hurry."""
    environment = {
        "MINIMAL_JWKS": json.dumps(house.identity.jwks()),
        "MINIMAL_TENANT": str(hotel.tenant_id),
        "MINIMAL_SCHEMA": hotel.schema,
        "MINIMAL_PROPERTY": str(hotel.property_id),
        "MINIMAL_SOCKET": str(house.server.socket),
    }
    source = Path(__file__).parent / "minimal" / "main.py"
    with functions_framework(source, environment, folder / "minimal.log") as server:
        yield server


def first_answer(
    source: Path, settings: dict[str, str], log: Path, path: str, headers: dict[str, str]
) -> float:
    """Seconds from the start of a process to its first answer to a charge, bytecode present."""
    started = time.perf_counter()
    with functions_framework(source, settings, log) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("POST", path, json.dumps(charge()), headers)
        status = connection.getresponse().status
        if status != 201:
            raise SystemExit(f"{source} answered {status}")
        return time.perf_counter() - started


@contextmanager
def functions_framework(source: Path, settings: dict[str, str], log: Path) -> Iterator[Server]:
    """A process of functions-framework with so many threads, until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT), "THREADS": str(THREADS)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the image holds compiled bytecode
    target = "post_charge" if source.stem == "main" else source.stem
    command = ["--source", str(source), "--target", target, "--host", "127.0.0.1"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "functions_framework", *command, "--port", str(port)],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            wait_for(port, process)
            yield Server(port, process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # no call is under way
            process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(4000):
        if process.poll() is not None:
            raise SystemExit("a server ended before it served")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.005)
    raise SystemExit("a server did not begin to serve")


@contextmanager
def jwks(house: House) -> Iterator[str]:
    """The identity service's keys over HTTP."""
    document = json.dumps(house.identity.jwks()).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks.json"
    finally:
        server.shutdown()


def floor(house: House, hotel: Hotel, folios: list[str], seconds: int, folder: Path) -> float:
    """Transactions a second of pgbench, doing the same durable work."""
    names = ",".join(f"({n}, '{folio}')" for n, folio in enumerate(folios, 1))
    schema = hotel.schema
    hotel.rows("DROP TABLE IF EXISTS {s}.bench_folios")
    hotel.rows(f"CREATE TABLE {schema}.bench_folios AS SELECT * FROM (VALUES {names}) AS f(n, id)")
    script = folder / "floor.sql"
    words = {"tenant": hotel.tenant_id, "property": hotel.property_id, "schema": schema}
    script.write_text(FLOOR.format(folios=len(folios), **words), encoding="utf-8")
    return pgbench(house, script, seconds, house.server.dsn(database="billing"))


def pgbench(house: House, script: Path, seconds: int, database: str) -> float:
    """Transactions a second of pgbench's own clients, as many as there are of ours."""
    command = [house.server.binary("pgbench"), "-n", "-M", "prepared", "-c", "8", "-j", "2"]
    ended = subprocess.run(
        [*command, "-T", str(seconds), "-f", str(script), database],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"tps = ([0-9.]+)", ended.stdout)
    if found is None:
        raise SystemExit(ended.stderr[-400:])
    return float(found[1])
