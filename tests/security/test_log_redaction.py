"""Nothing of what a guest or a clerk said stands in a log line (SEC-8).

Every function is called with marked secrets everywhere that a secret could be: in the body, the
query, the path, every header. It succeeds, it refuses, it breaks; what it writes to standard
output is read line by line.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from common.domain.refusal import Refusal
from common.local.functions import event_declarations
from common.ports.transactions import OutcomeUnknown
from common.postgres.connection import ServerRefused
from common.runtime.logging import FIELDS, WITHHELD, take_over
from common.sandbox.gateway import LOST
from tests.hotel import Hotel, usd, vat
from tests.refunding import card_payment, refund
from tests.security.calls import Calls, functions, raw, with_json_body
from tests.security.test_bad_input import places, put

NAME, MAIL, PHONE = "Zarghuna Kakar", "z.kakar@guest.example", "+93 70 123 4567"
CARD, SECRET = "4111 1111 1111 1111", "hunter2-9f1c"
SAID = f"{NAME}, {MAIL}, {PHONE}, {SECRET}"
FRAGMENTS = ("Zarghuna", "Kakar", "guest.example", "123 4567", CARD, "hunter2", "eyJ", "Bearer")
TOLD = {"traceId", "spanId", "route", "latencyMs", "outcome", "method", "status"}
FREE = {"name", "description", "reason", "explanation", "reference", "addressLines"}
TOKENS = {"reservationId", "externalReference", "paymentId", "paymentMethodToken", "taxId"}
HEADERS = {
    "User-Agent": SAID,
    "Cookie": f"session={SECRET}",
    "Referer": f"https://desk.example/?guest={SECRET}",
    "X-Forwarded-For": f"{SECRET}, 10.0.0.1",
    "traceparent": f"00-{SECRET}",
    "tracestate": SECRET,
}
Capture = pytest.CaptureFixture[str]
Lines = list[dict[str, Any]]


def lines(capsys: Capture) -> Lines:
    """What was written, each line held against what holds for all of them."""
    captured = capsys.readouterr()
    assert captured.err == ""
    for fragment in FRAGMENTS:
        assert fragment not in captured.out
    read: Lines = [json.loads(line) for line in captured.out.splitlines()]
    for line in read:
        assert line.keys() <= FIELDS
        assert {"severity", "message", "time"} <= line.keys()
    return read


def marked(body: Any) -> Any:
    """The body, with a secret in every text that may be anything."""
    for place, value in places(body):
        names = [step for step in place if isinstance(step, str)]
        if isinstance(value, str) and FREE & set(names):
            body = put(body, place, f"{SAID} {uuid4()}"[:190])
        elif isinstance(value, str) and value.startswith("pay_"):
            continue  # a payment of ours, and not the processor's
        elif isinstance(value, str) and names and names[-1] in TOKENS:
            body = put(body, place, f"{SECRET}-{uuid4()}")
    return body


def answered(read: Lines) -> dict[str, Any]:
    """The one line that tells how a request was answered."""
    (line,) = [each for each in read if "latencyMs" in each]
    assert line.keys() >= TOLD
    assert isinstance(line["latencyMs"], float)
    return line


@pytest.fixture
def fresh(calls: Calls) -> Calls:
    """Guests of one's own: one of the calls closes a folio, another one voids a charge."""
    return Calls(calls.hotel)


@pytest.mark.req("SEC-8")
@pytest.mark.parametrize("name", functions())
def test_a_function_that_answers_tells_nothing_of_what_it_was_told(
    fresh: Calls, name: str, capsys: Capture
) -> None:
    declaration = functions()[name]
    fresh.ready_for(name)
    if name == "close_folio":
        fresh.send("void_charge")
    body = fresh.body(name)
    query = {**fresh.query(name), **({"reservationId": SECRET} if name == "list_folios" else {})}
    token = fresh.token(sub="usr_layla")
    path = fresh.path(name)
    capsys.readouterr()

    answer = fresh.send(
        name,
        path=path,
        body=body if body is None or raw(declaration) else marked(body),
        query=query,
        token=token,
        key=f"{SECRET} {uuid4()}",
        headers=HEADERS,
    )

    assert answer.status_code < 400, answer.text
    line = answered(lines(capsys))
    assert line["route"] == declaration.full_path
    assert (line["outcome"], line["severity"]) == ("ok", "INFO")
    assert line["traceId"] in answer.headers["traceresponse"]
    if declaration.scope is not None:
        assert line["tenantId"] == str(fresh.hotel.tenant_id)
        assert line["actorId"] == "usr_layla"


def refusals(calls: Calls, name: str) -> Iterator[dict[str, Any]]:
    """Calls that are refused, each in a place further on the way."""
    declaration = functions()[name]
    if declaration.scope is not None:
        yield {"token": None}
        yield {"headers": {"Authorization": f"Bearer {SECRET}"}, "token": None}
        yield {"headers": {"Authorization": f"Basic {SECRET}"}, "token": None}
        yield {"token": calls.token("billing.nothing")}
        yield {"headers": {"X-Tenant-Id": SECRET}}
    if "{" in declaration.path:
        steps = declaration.full_path.split("/")
        yield {"path": "/".join(SAID if step.startswith("{") else step for step in steps)}
    if not declaration.without_transaction:
        yield {"query": {SAID: SAID}}
        yield {"query": {"limit": CARD, "tenant": CARD, "hash": CARD}}
    if name in with_json_body():
        body = calls.body(name)
        for bad in (CARD, f"{SAID}\x00", [SAID], {SAID: SAID}):
            yield {"body": {**body, "reason": bad, "description": bad, "guest": bad}}
        yield {"body": f"{{{SAID}".encode()}
        yield {"body": f'"{SAID}"'.encode(), "headers": {"Content-Type": SECRET}}
        yield {"key": f"{SECRET}\x7f"}


@pytest.mark.req("SEC-8", "SEC-6")
@pytest.mark.parametrize("name", functions())
def test_a_function_that_refuses_tells_nothing_either(
    calls: Calls, name: str, capsys: Capture
) -> None:
    tried = list(refusals(calls, name))
    capsys.readouterr()
    for attempt in tried:
        headers = {**HEADERS, **attempt.pop("headers", {})}
        answer = calls.send(name, headers=headers, **attempt)

        assert 400 <= answer.status_code < 500, answer.text
        line = answered(lines(capsys))
        assert line["route"] == functions()[name].full_path
        assert line["outcome"] == answer.json["code"]
        if answer.status_code in (401, 403):
            assert line["severity"] == "WARNING"


def breaking(error: BaseException) -> Callable[[Any], Any]:
    @contextmanager
    def opened(*_: object) -> Iterator[None]:
        quoted = SAID  # in a frame's variables, too
        raise error from ValueError(quoted)
        yield

    return opened


@pytest.mark.req("SEC-8", "API-3")
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError(SAID), 500),
        (ServerRefused({"C": "23505", "M": SAID, "D": SAID}), 500),
        (OutcomeUnknown(SAID), 503),
        (KeyError(SAID), 500),
    ],
)
@pytest.mark.parametrize("name", ["post_charge", "show_folio", "verify_invoice"])
def test_a_function_that_breaks_tells_where_but_not_what(
    calls: Calls,
    name: str,
    error: Exception,
    status: int,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calls.hotel.house.wiring.transactions, "open", breaking(error))
    capsys.readouterr()

    answer = calls.send(name, headers=HEADERS)

    assert answer.status_code == status
    assert not any(fragment in answer.text for fragment in FRAGMENTS)
    read = lines(capsys)
    assert answered(read)["severity"] == "ERROR"
    (trouble,) = [line for line in read if "error" in line]
    assert trouble["error"][0]["type"].endswith(type(error).__name__)
    assert any("test_log_redaction" in place for place in trouble["error"][0]["stack"])


@pytest.mark.req("SEC-8")
@pytest.mark.parametrize(
    ("cents", "amount_class"), [(9_999, "small"), (10_000, "medium"), (100_000, "large")]
)
def test_a_charge_is_told_by_its_size_and_its_kind(
    fresh: Calls, cents: int, amount_class: str, capsys: Capture
) -> None:
    """Tax included, a charge of 90.90 is one of 99.99; classes begin at 100.00 and at 1,000.00."""
    net = {9_999: 9_090, 10_000: 9_091, 100_000: 90_909}[cents]
    asked = {"kind": "minibar", "description": SAID, "unitAmount": usd(net)}
    fresh.ready_for("post_charge")
    capsys.readouterr()

    fresh.send("post_charge", body=asked)

    line = answered(lines(capsys))
    assert (line["amountClass"], line["chargeKind"]) == (amount_class, "minibar")
    assert not {"amount", "amountMicro", "description"} & line.keys()


@pytest.mark.req("SEC-8")
def test_what_moves_money_is_told_by_its_size_and_what_charges_by_its_kind(
    fresh: Calls, capsys: Capture
) -> None:
    told = {}
    moving = ("post_charge_batch", "post_adjustment", "transfer_lines", "record_payment")
    for name in (*moving, "transfer_deposit", "void_charge"):
        fresh.ready_for(name)
        capsys.readouterr()
        assert fresh.send(name).status_code == 201
        line = answered(lines(capsys))
        told[name] = line.get("amountClass"), line.get("chargeKind")

    assert told == {
        "post_charge_batch": ("medium", "spa"),
        "post_adjustment": ("small", "room"),
        "transfer_lines": ("small", "spa"),
        "record_payment": ("small", None),
        "transfer_deposit": ("small", None),
        "void_charge": ("medium", "room"),
    }


@pytest.mark.req("SEC-8")
def test_an_actor_who_is_called_by_an_address_is_not_told(calls: Calls, capsys: Capture) -> None:
    calls.send("list_folios", token=calls.token(sub=MAIL))

    assert answered(lines(capsys))["actorId"] == WITHHELD


def told_by_others(hotel: Hotel, calls: Calls) -> dict[str, dict[str, Any]]:
    """What the other services say in their events."""
    reservation = {
        "reservationId": f"{SECRET}-{uuid4()}",
        "propertyId": str(hotel.property_id),
        "guest": {"name": NAME, "email": MAIL, "phone": PHONE, "taxId": SECRET},
        "arrival": "2026-03-01",
        "departure": "2026-03-02",
        "remark": SAID,
    }
    settings = hotel.settings(issuer={"name": NAME, "country": "AF", "mail": MAIL})
    payment = {"paymentId": f"{SECRET}-{uuid4()}", "amount": usd(100), "paymentMethodToken": SECRET}
    lost = card_payment(hotel, calls.folio, usd(100), f"{LOST}{SECRET}")
    refunded = {
        "refundId": refund(hotel, calls.folio, lost, usd(100)).json["refund"]["refundId"],
        "folioId": calls.folio,
    }
    return {
        "on_reservation_confirmed": reservation,
        "on_reservation_checked_in": {**reservation, "reservationId": f"{SECRET}-{uuid4()}"},
        "on_reservation_canceled": {**reservation, "reservationId": f"{SECRET}-{uuid4()}"},
        "on_tenant_settings_updated": settings,
        "on_tenant_tax_rules_updated": {"taxRules": [vat(name=NAME)]},
        "on_payment_captured": {**payment, "folioId": calls.folio},
        "on_charge_posted": {
            "propertyId": str(hotel.property_id),
            "folioId": calls.folio,
            "pointOfSale": "BAR",
            "checkNumber": f"{SECRET}-{uuid4()}",
            "description": SAID,
            "unitAmount": usd(100),
        },
        "on_refund_succeeded": refunded,
        "on_signal_raised": {
            "folioId": calls.folio,
            "pattern": "folio_anomaly",
            "scorePpm": 5,
            "source": SECRET,
        },
        "on_refund_failed": {**refunded, "failureCode": SECRET},
        "on_invoice_generated": hotel.events("invoice.generated")[0]["data"],
        "on_credit_note_issued": hotel.events("credit_note.issued")[0]["data"],
        "on_tenant_created": {"tenantId": str(hotel.tenant_id), "name": NAME},
    }


@pytest.mark.req("SEC-8", "EVT-5")
@pytest.mark.parametrize("declaration", event_declarations(), ids=lambda each: each.name)
def test_an_event_leaves_nothing_of_itself_in_a_log(
    fresh: Calls, declaration: Any, capsys: Capture
) -> None:
    hotel, house = fresh.hotel, fresh.hotel.house
    wired = house.wiring.settings
    token = house.identity.issue_oidc_token(email=wired.oidc_account, audience=wired.oidc_audience)
    data = told_by_others(hotel, fresh)[declaration.name]
    for spoilt in ({}, {"guest": SAID, "taxRules": SAID, "issuer": CARD, "invoiceId": SAID}):
        event = {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "/others",
            "type": declaration.event_type,
            "tenantid": str(hotel.tenant_id),
            "data": {**data, **spoilt},
        }
        capsys.readouterr()

        house.client.post(
            f"/events/{declaration.name}",
            data=json.dumps(event),
            headers={
                **HEADERS,
                "Content-Type": "application/cloudevents+json",
                "Authorization": f"Bearer {token}",
            },
        )

        line = answered(lines(capsys))
        assert line["tenantId"] == str(hotel.tenant_id)
        assert line["actorId"] == f"system:{declaration.name}"


@pytest.mark.req("SEC-8")
def test_a_library_that_speaks_is_not_repeated(calls: Calls, capsys: Capture) -> None:
    root = logging.getLogger()
    kept = root.handlers[:], root.level
    try:
        take_over(calls.hotel.house.wiring.log)
        capsys.readouterr()
        logging.getLogger("werkzeug").error("%s", SAID, exc_info=Refusal(SAID))
        (line,) = lines(capsys)
    finally:
        root.handlers[:], root.level = kept
        logging.captureWarnings(False)
    assert line["library"] == "werkzeug"
