"""Fuzz: what the OpenAPI document says, the service does, whatever is sent (REL-7, API-1).

Schemathesis makes requests from the document, good ones and bad ones, and holds each answer against
it: no 5xx; a status, a content type and headers that are told; a body that fits its schema, its
code among those that the function says it can answer. The seed is fixed; so are the numbers.
"""

import json
from collections import Counter
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from common.cli.generated import load_refusals
from common.local.functions import http_declarations
from common.runtime.declaration import JSON
from common.runtime.exchange import camel
from common.runtime.openapi import openapi
from tests.hotel import House
from tests.paying import a_token, letters
from tests.security.calls import Calls, functions, with_json_body

PROBLEM = "application/problem+json"
EXAMPLES = 30
HOW_MANY = {
    "regenerate_invoice": 10,  # it draws a page for every request
    "start_trial": 5,  # five a day are begun on a device
    "purchase_credits": 6,  # ten an hour are sold to a tenant
    "transfer_deposit": 100,  # its amount must fit what is there
    "record_payment": 60,  # its method must fit what else is told
    "post_charge": 200,  # what it costs must be in minor units of a currency that there is
    "post_charge_batch": 200,  # all of its charges must be good at once
}
FIXED = settings(
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
ALWAYS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FIXED_FORM = {
    "health",
    "ready",
    "list_plans",
    "list_platform_tax_rules",
}  # nothing is asked, so nothing can be asked badly
CURRENCIES = ("USD", "USD", "USD", "EUR", "JPY", "KWD")


@schemathesis.serializer("application/pdf")
def pdf(_: Any, value: Any) -> bytes:
    """A file is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def desk(house: House) -> Calls:
    made = Calls.of(house.new_hotel())
    for name in ("send_invoice", "send_credit_note"):
        made.ready_for(name)
    return made


@pytest.fixture(scope="module")
def operations(house: House) -> dict[str, Any]:
    """The document's operations, on the running service. Tokens are another test's matter."""
    load_refusals()
    document = openapi(http_declarations())
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["security"] = []
    schema = schemathesis.openapi.from_dict(document)
    schema.app = house.client.application
    found = [result.ok() for result in schema.get_all_operations()]
    return {each.definition.raw["operationId"]: each for each in found}


def plausible(part: Any, desk: Calls, turn: int) -> Any:
    """What was made up, with things of this house in it, so that it gets past the door."""
    match part:
        case dict():
            told = {name: plausible(value, desk, turn) for name, value in part.items()}
            if "amountMicro" in told and isinstance(told["amountMicro"], int):
                told["amountMicro"] = (told["amountMicro"] % 50 + 1) * 10**6
            for name in {"currency", "base", "quote"} & told.keys():
                told[name] = CURRENCIES[turn % len(CURRENCIES)]
            known = {
                "propertyId": str(desk.hotel.property_id),
                "chargeId": desk.charge,
                "eventId": desk.webhook,
                "customerId": desk.payer.customer,
                "paymentIntentId": desk.payer.intents[0],
                "paymentMethodId": desk.payer.guests_card
                if "paymentIntentId" in told
                else desk.payer.card,
                "folioId": desk.payer.folio if "customerId" in told else told.get("folioId"),
                "token": a_token(),
                "email": f"{letters()}@guest.example",
                "phone": "+93 70 123 4567",
                "toFolioId": (desk.deposit if "chargeIds" in told else desk.shared)[0],
                "chargeIds": [desk.shared[1]],
                "creditNoteId": desk.debtor.note,
                "serviceDate": "2026-03-01",
                "quantity": "2",
                "amount": told.get("amount") if "unitAmount" not in told else None,
                "description": "Made up",
                "window": "guest",
                "windows": [],
                "routing": {},
                "denominations": [],
                "recipients": ["guest@example.com"],
                "language": "fr",
            }
            if {"creditsMicro", "paymentMethodId"} <= told.keys():
                known |= {"account": "main", "creditsMicro": 500 * 10**6}
                known |= {"thresholdMicro": 10**6, "monthlyCapMicro": 10**9}
            if "amount" in told:
                told.pop("sharePpm", None)  # one or the other
            return told | {name: value for name, value in known.items() if name in told}
        case list():
            return [plausible(each, desk, turn) for each in part]
        case float():
            return int(part)  # JSON Schema takes 1.0 for an integer, and we do not
        case _:
            return part


def send(case: Case, desk: Calls) -> Any:
    """Send it as somebody who may do everything, from an address of their own."""
    token = desk.token()
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": f"{token[-32:]}, 10.0.0.1"}
    return case.call(headers=headers)


@pytest.mark.req("REL-7", "API-1", "API-3", "API-6")
@pytest.mark.parametrize("name", functions())
def test_what_the_document_allows_is_answered_as_it_says(
    operations: dict[str, Any], desk: Calls, name: str
) -> None:
    statuses: Counter[int] = Counter()

    @settings(FIXED, max_examples=HOW_MANY.get(name, EXAMPLES))
    @given(
        case=operations[name].as_strategy(generation_mode=GenerationMode.POSITIVE),
        turn=st.integers(0, 11),
    )
    def ask(case: Case, turn: int) -> None:
        if turn > 2:
            known = {camel(each): value for each, value in desk.named(name).items()}
            for parameter in known.keys() & (case.path_parameters or {}).keys():
                case.path_parameters[parameter] = known[parameter]
            if isinstance(case.body, dict):
                case.body = plausible(case.body, desk, turn)
            if "propertyId" in (case.query or {}):
                case.query["propertyId"] = str(desk.hotel.property_id)
            if name == "show_auto_top_up":
                case.query = {"account": "main"}
            (case.headers or {}).pop("If-Match", None)
        answer = send(case, desk)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=ALWAYS)

    ask()

    refuses = functions()[name].step_up or functions()[name].platform_scope
    unconfirmed = {403} if refuses else set()  # or of a tenant that was made up
    done, refused = {200, 201, 202, 302}, {400, 402, 404, 409, 412, 422}
    assert statuses.keys() <= done | refused | unconfirmed, statuses
    done_is_done = name in ("close_folio", "void_charge") or name.endswith("_pdf")
    done_is_done |= name == "backfill_taxes"  # among folios that are made up none is there
    done_is_done |= name == "take_stripe_event"  # nothing that is made up is signed
    done_is_done |= name == "start_trial"  # who has subscribed tries no more
    done_is_done |= name == "record_usage"  # made-up instants are years away
    done_is_done |= name == "request_payout"  # an account that was made up is proven by nobody
    if not done_is_done and not unconfirmed:
        assert statuses.keys() & {200, 201, 202}, "nothing that was made up got past the door"


@pytest.mark.req("REL-7", "API-1", "API-6")
@pytest.mark.parametrize("name", [name for name in functions() if name not in FIXED_FORM])
def test_what_the_document_forbids_is_refused_as_it_says(
    operations: dict[str, Any], desk: Calls, name: str
) -> None:
    @settings(FIXED, max_examples=min(HOW_MANY.get(name, EXAMPLES), EXAMPLES))
    @given(case=operations[name].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def ask(case: Case) -> None:
        case.validate_response(send(case, desk), checks=[*ALWAYS, negative_data_rejection])

    ask()


HEADERS = [
    "Accept",
    "Accept-Language",
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Expect",
    "Host",
    "Idempotency-Key",
    "If-Match",
    "Range",
    "Transfer-Encoding",
    "X-Forwarded-For",
    "X-Tenant-Id",
    "traceparent",
]
PRINTABLE = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")
)
CROOKED = [
    '"7"',
    "*",
    'W/"1"',
    '"\u00b2"',
    "application/json;charset=\x22",
    "text/html;q=nan, */*;q=-1",
    "Bearer a.b.c",
    "bytes=0-",
    "chunked",
    "00-" + "0" * 32 + "-" + "1" * 16 + "-01",
    ",,,",
    "a, b, c",
]


@pytest.mark.req("REL-7", "API-6", "API-7")
def test_no_header_query_or_body_makes_it_fall_over(desk: Calls) -> None:
    @settings(FIXED, max_examples=500)
    @given(
        name=st.sampled_from(sorted(functions().keys() - {"ready"})),
        headers=st.dictionaries(
            st.sampled_from(HEADERS), PRINTABLE | st.sampled_from(CROOKED), max_size=5
        ),
        query=st.none() | st.binary(max_size=30),
        body=st.none() | st.binary(max_size=60),
    )
    def ask(name: str, headers: dict[str, str], query: bytes | None, body: bytes | None) -> None:
        given: dict[str, Any] = {} if query is None else {"query": quote(query, safe="=&")}
        if body is not None and functions()[name].method != "GET":
            given["body"] = body
        answer = desk.send(name, headers=headers, **given)
        assert answer.status_code < 500, answer.text
        given = {*functions()[name].given, *functions()[name].pages}
        assert answer.content_type.split(";")[0] in {JSON, PROBLEM, *given}
        assert (answer.content_type == PROBLEM) == (answer.status_code >= 400)

    ask()


@pytest.mark.req("REL-7", "API-6")
@pytest.mark.parametrize("name", with_json_body())
def test_no_slip_of_a_byte_makes_it_fall_over(desk: Calls, name: str) -> None:
    """A good body with some bytes changed is another good body, or it is refused."""
    good = json.dumps(desk.body(name), ensure_ascii=False).encode()

    @settings(FIXED, max_examples=80)
    @given(st.lists(st.tuples(st.integers(0, len(good) - 1), st.binary(max_size=3)), max_size=3))
    def ask(slips: list[tuple[int, bytes]]) -> None:
        body = bytearray(good)
        for place, slip in slips:
            body[place : place + 1] = slip
        answer = desk.send(name, body=bytes(body))
        assert answer.status_code < 500, answer.text
        assert (answer.content_type == PROBLEM) == (answer.status_code >= 400)

    ask()


@pytest.mark.req("REL-7", "FOL-4", "MON-6")
def test_the_books_are_right_after_all_that(desk: Calls) -> None:
    """Every balance is the sum of its lines, and its lines are numbered without a gap."""
    wrong = desk.hotel.rows(
        "SELECT f.id FROM {s}.folios f LEFT JOIN {s}.folio_lines l ON l.folio_id = f.id"
        " GROUP BY f.id, f.balance_micro"
        " HAVING f.balance_micro <> coalesce(sum(l.amount_micro), 0)"
        " OR count(l.sequence) <> coalesce(max(l.sequence), 0)"
    )
    assert wrong == []
