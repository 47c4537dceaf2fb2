"""/dev/* is the laptop's alone (LOC-3): it does what it should there, and exists nowhere else."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import Client, TestResponse

from common.domain.identifiers import PropertyId, RefundId
from common.domain.money import Currency, Money
from common.domain.reconciliation import CardRecord, CardRecords
from common.local.clock import MovableClock
from common.local.development import Development
from common.local.documents import DocumentFolder
from common.local.doors import PUSHED_PATH, Doors
from common.local.files import write_once
from common.local.publishing import PushPublisher, consumers_at
from common.ports.answers import Succeeded, Unknown, Unreachable
from common.ports.gateway import Wanted
from common.ports.publishing import Message
from common.runtime.step_up import context_of
from common.sandbox.gateway import SandboxGateway
from common.sandbox.outage import SandboxOutage
from tests.architecture.source_tree import ROOT
from tests.hotel import Hotel, new_id, usd
from tests.paying import confirm, pay
from tests.webhooks import Webhook, captured

pytestmark = pytest.mark.req("LOC-3")

# Every function as it is deployed: loaded by functions-framework from its file, wired for Google.
DEPLOYED = """
import json, sys
from pathlib import Path
from functions_framework import create_app

answers = {}
for file in sorted(Path("functions").glob("*/*.py")):
    if file.stem != "__init__":
        client = create_app(target=file.stem, source=str(file)).test_client()
        answers[file.stem] = [
            (each.status_code, each.get_data(as_text=True))
            for each in (
                client.post("/dev/token", json={"sub": "amina", "scopes": []}),
                client.get("/dev/jwks.json"),
                client.post("/dev/clock", json={"moveSeconds": 1}),
                client.post("/dev/captures", json={"paymentId": "psp_1"}),
                client.post("/dev/challenges", json={"paymentIntentId": "pin_1"}),
                client.post("/dev/processor", json={"answers": False}),
                client.post("/dev/webhook-signature", json={}),
                client.post("/dev/doors", json={}),
            )
        ]
loaded = sorted(name for name in sys.modules if name.startswith("common.local"))
Path(sys.argv[1]).write_text(json.dumps({"answers": answers, "loaded": loaded}))
"""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    result = tmp_path_factory.mktemp("deployed") / "result.json"
    inherited = {name: each for name, each in os.environ.items() if not name.startswith("BILLING_")}
    done = subprocess.run(
        [sys.executable, "-c", DEPLOYED, str(result)],
        cwd=ROOT,
        env=inherited
        | {
            "PYTHONPATH": str(ROOT),
            "BILLING_DATABASE": "postgresql://billing_function@127.0.0.1:1/billing",
            "BILLING_TOKEN_ISSUER": "https://identity.example",
            "BILLING_JWKS_URL": "http://127.0.0.1:1/jwks.json",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(result.read_text())
    return found


def test_no_deployed_function_answers_there(deployed: dict[str, Any]) -> None:
    """404; a consumer of events asks for Google's token before it looks at anything."""
    for name, answers in deployed["answers"].items():
        expected = "TOKEN_MISSING" if name.startswith("on_") else "PATH_UNKNOWN"
        for status, body in answers:
            assert status in ((401, 405) if name.startswith("on_") else (404,)), name
            assert "accessToken" not in body
            assert status == 405 or expected in body, name


def test_no_deployed_function_loads_anything_of_the_laptop(deployed: dict[str, Any]) -> None:
    assert len(deployed["answers"]) > 20
    assert deployed["loaded"] == []


class Desk:
    """The routes, on the identity service and the tenant of a test's hotel."""

    def __init__(self, hotel: Hotel, folder: Path) -> None:
        self.folder = folder
        self.clock = MovableClock(folder / "clock")
        self.documents = DocumentFolder(folder / "documents", "http://desk", self.clock.now)
        self.processor = SandboxGateway(folder / "processor", write_once, self.clock.now)
        self.client = Client(
            Development(
                identity=hotel.house.identity,
                clock=self.clock,
                documents=self.documents,
                processor=self.processor,
                cards=hotel.house.wiring.sandbox_cards,
                outage=SandboxOutage(folder / "processor", write_once),
                webhook_secret=hotel.house.wiring.webhook_secrets[0],
                doors=Doors(),
                tenant_id=hotel.tenant_id,
                property_ids=(hotel.property_id,),
            )
        )

    def post(self, path: str, body: object, **more: Any) -> TestResponse:
        return self.client.post(path, json=body, **more)


@pytest.fixture
def desk(hotel: Hotel, tmp_path: Path) -> Desk:
    return Desk(hotel, tmp_path)


def test_a_token_opens_what_its_scopes_say(hotel: Hotel, desk: Desk) -> None:
    answer = desk.post("/dev/token", {"sub": "amina", "scopes": ["billing.folio.read"]})
    token = answer.json["accessToken"]

    assert answer.status_code == 200
    assert hotel.get("/folios", token=token).status_code == 200
    assert hotel.get("/invoices", token=token).status_code == 403


def test_a_token_sees_the_properties_it_was_asked_for_only(hotel: Hotel, desk: Desk) -> None:
    folio = hotel.open_folio()
    asked = {"sub": "amina", "scopes": ["billing.folio.read"], "propertyIds": []}

    token = desk.post("/dev/token", asked).json["accessToken"]

    assert hotel.get(f"/folios/{folio}", token=token).status_code == 404


def test_a_guest_confirms_a_payment_to_the_bank(hotel: Hotel, desk: Desk) -> None:
    intent = pay(hotel, hotel.open_folio(), usd(700), "sandbox_3ds").json["paymentIntentId"]

    answer = desk.post("/dev/challenges", {"paymentIntentId": intent, "confirms": True})

    assert answer.status_code == 200
    assert confirm(hotel, intent).json["status"] == "succeeded"


def test_a_capture_is_kept_by_the_processor(hotel: Hotel, desk: Desk) -> None:
    """Once, as it was made first; among the records of its own property alone."""
    charged = {"paymentId": "psp_1", "propertyId": str(hotel.property_id), "amount": usd(1_300)}

    for asked in (charged, {**charged, "amount": usd(1)}):
        assert desk.post("/dev/captures", asked).status_code == 200

    hour = timedelta(hours=1)
    wanted = {"since": desk.clock.now() - hour, "until": desk.clock.now() + hour}
    wanted |= {"tenant_id": hotel.tenant_id, "payment_ids": (), "refund_ids": ()}
    here = desk.processor.records(Wanted(property_id=PropertyId(hotel.property_id), **wanted))
    there = desk.processor.records(Wanted(property_id=PropertyId(uuid4()), **wanted))
    assert here == CardRecords((CardRecord("psp_1", Money(13_000_000, Currency("USD"))),))
    assert there == CardRecords()


@pytest.mark.req("GW-4")
def test_a_processor_that_is_down_answers_nobody_and_does_nothing(hotel: Hotel, desk: Desk) -> None:
    """It is down for whoever shares its folder; what was asked for meanwhile was never made."""
    amount, refund = Money(1_000_000, Currency("USD")), RefundId(new_id("rfd"))

    assert desk.post("/dev/processor", {"answers": False}).status_code == 200
    elsewhere = SandboxGateway(desk.folder / "processor", write_once, desk.clock.now)
    unanswered = [elsewhere.refund(refund, "psp_1", amount), elsewhere.ask(refund, "psp_1")]
    assert desk.post("/dev/processor", {"answers": True}).status_code == 200

    assert unanswered == [Unreachable(), Unreachable()]
    assert elsewhere.ask(refund, "psp_1") == Unknown()
    assert elsewhere.refund(refund, "psp_1", amount) == Succeeded()


@pytest.mark.req("WH-1")
def test_the_processor_signs_what_it_sends(hotel: Hotel, desk: Desk) -> None:
    """The bytes as they are: with another one the signature is of something else."""
    content = json.dumps(captured(hotel, hotel.open_folio(), 700)).encode()
    asked = {"data": content, "content_type": "application/json"}

    header = desk.client.post("/dev/webhook-signature", **asked).json["header"]

    assert Webhook(hotel).post(content + b" ", header).status_code == 400
    assert Webhook(hotel).post(content, header).json["outcome"] == "applied"


@pytest.mark.req("SUB-7", "EVT-4")
def test_the_tenant_service_keeps_the_doors_of_whom_it_hears(hotel: Hotel, desk: Desk) -> None:
    """By the broker's own pushes, at least once: suspended keeps out, reactivated lets in, and what
    comes a second time changes nothing."""
    known = consumers_at("http://desk", f"http://desk{PUSHED_PATH}")
    assert consumers_at("http://desk") == {
        kind: kept
        for kind, urls in known.items()
        if (kept := [url for url in urls if not url.endswith(PUSHED_PATH)])
    }
    opener: Any = _Opener(desk)
    broker = PushPublisher(known.__getitem__, lambda: "signed", desk.clock.now, opener)
    suspended, reactivated = (
        Message(
            event_id=new_id("evt"),
            ordering_key="one",
            attributes={
                "ce-specversion": "1.0",
                "ce-id": new_id("evt"),
                "ce-source": f"/billing/tenants/{hotel.tenant_id}",
                "ce-type": f"melmastoon.billing.subscription.{fact}.v1",
                "ce-tenantid": str(hotel.tenant_id),
            },
            data=json.dumps({"status": status}).encode(),
        )
        for fact, status in (("suspended", "suspended"), ("reactivated", "active"))
    )
    path, seen = f"{PUSHED_PATH}/{hotel.tenant_id}", []

    for message in (suspended, reactivated, suspended):
        assert list(broker.publish([message])) == [None]
        seen.append(desk.client.get(path).json["open"])

    assert seen == [False, True, True]
    assert [
        each.rpartition("subscription.")[2] for each in desk.client.get(path).json["heard"]
    ] == [
        "suspended.v1",
        "reactivated.v1",
    ]


class _Opener:
    """Brings a push to the routes of a desk, in the place of a connection."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def request(self, method: str, url: str, **sent: Any) -> Any:
        answer = self.desk.client.open(
            url.removeprefix("http://desk"),
            method=method,
            data=sent["body"],
            headers=sent["headers"],
        )
        return SimpleNamespace(status=answer.status_code)


def test_a_step_up_token_confirms_what_it_was_asked_for(hotel: Hotel, desk: Desk) -> None:
    context = context_of(target="fol_1")
    asked = {"sub": "amina", "scope": "billing.folio.reopen", "context": context}
    token = desk.post("/dev/step-up", asked).json["stepUpToken"]
    actor = hotel.house.wiring.http_edge.tokens.verify(hotel.token(sub="amina"))

    confirmed = hotel.house.wiring.http_edge.verify_step_up(
        token, actor, "billing.folio.reopen", context
    )

    assert confirmed.scope == "billing.folio.reopen"


def test_the_clock_moves_on_for_everybody_who_reads_it(desk: Desk, tmp_path: Path) -> None:
    before = desk.clock.now()

    answer = desk.post("/dev/clock", {"moveSeconds": 3600})

    moved = (MovableClock(tmp_path / "clock").now() - before).total_seconds()
    assert answer.status_code == 200
    assert 3600 <= moved < 3660


def test_only_public_halves_of_the_keys_are_published(desk: Desk) -> None:
    keys = desk.client.get("/dev/jwks.json").json["keys"]

    assert {key["alg"] for key in keys} == {"ES256", "RS256"}
    assert all({"d", "p", "q", "k"}.isdisjoint(key) for key in keys)


def test_a_document_is_read_by_its_link_and_not_by_another(hotel: Hotel, desk: Desk) -> None:
    desk.documents.put(hotel.tenant_id, "invoices/1.pdf", b"%PDF-1.7")
    link = desk.documents.link(hotel.tenant_id, "invoices/1.pdf", 300).removeprefix("http://desk")

    read = desk.client.get(link)

    assert (read.status_code, read.data, read.content_type) == (200, b"%PDF-1.7", "application/pdf")
    assert desk.client.get(link[:-2] + "xx").status_code == 403
    missing = desk.documents.link(hotel.tenant_id, "invoices/2.pdf", 300)
    assert desk.client.get(missing.removeprefix("http://desk")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/dev/token", {"sub": "amina"}, 400),
        ("POST", "/dev/token", {"sub": "amina", "scopes": [], "admin": True}, 400),
        ("POST", "/dev/token", {"sub": "amina", "scopes": [], "lifetimeSeconds": 10**9}, 400),
        ("POST", "/dev/step-up", {"sub": "amina", "scope": "x", "context": "short"}, 400),
        ("POST", "/dev/clock", {"moveSeconds": -1}, 400),
        ("POST", "/dev/captures", {"paymentId": "psp_1"}, 400),
        ("GET", "/dev/captures", None, 405),
        ("POST", "/dev/challenges", {"confirms": True}, 400),
        ("POST", "/dev/challenges", {"paymentIntentId": new_id("pin")}, 404),
        ("POST", "/dev/clock", {"moveSeconds": 1.5}, 400),
        ("POST", "/dev/processor", {"answers": "no"}, 400),
        ("GET", "/dev/webhook-signature", None, 405),
        ("POST", "/dev/doors", {"message": {"attributes": {}}}, 400),
        ("GET", "/dev/doors", None, 405),
        ("GET", "/dev/doors/nobody", None, 404),
        ("GET", "/dev/doors/5b1f1c0e-7a58-4d0c-9f0e-3f6d3a0f4c11", None, 404),
        ("GET", "/dev/token", None, 405),
        ("GET", "/dev/secrets", None, 404),
        ("GET", "/dev/documents/nothing", None, 403),
    ],
)
def test_refuses_what_it_does_not_take(
    desk: Desk, method: str, path: str, body: object, status: int
) -> None:
    answer = desk.client.open(path, method=method, json=body)

    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"


def test_takes_json_only_so_that_no_page_of_another_site_can_ask(desk: Desk) -> None:
    answer = desk.client.post(
        "/dev/token", data='{"sub": "amina", "scopes": []}', content_type="text/plain"
    )

    assert answer.status_code == 415
