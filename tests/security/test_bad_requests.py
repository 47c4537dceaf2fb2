"""Bad requests: headers, lengths, paths, queries and tokens that a function cannot keep to.

Each has its own problem document, changes nothing, and is not repeated.
"""

import json
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest

from tests.security.answers import INVALID, MARK, is_problem
from tests.security.books import books_of
from tests.security.calls import Calls, functions, with_json_body
from tests.security.forging import unbase64url

GOOD = b'{"reason":"Wrong room"}'
HEADERS: dict[str, tuple[dict[str, str], int]] = {
    "no content type": ({"Content-Type": ""}, 415),
    "text": ({"Content-Type": "text/plain"}, 415),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "some JSON": ({"Content-Type": "application/problem+json"}, 415),
    "UTF-16": ({"Content-Type": "application/json; charset=utf-16"}, 415),
    "Latin": ({"Content-Type": "application/json; charset=iso-8859-1"}, 415),
    "gzip": ({"Content-Encoding": "gzip"}, 415),
    "two encodings": ({"Content-Encoding": "identity, br"}, 415),
    "a key of 256": ({"Idempotency-Key": "k" * 256}, 400),
    "no key at all": ({"Idempotency-Key": ""}, 400),
    "a key in Latin": ({"Idempotency-Key": "clé"}, 400),
    "a weak tag": ({"If-Match": 'W/"7"'}, 400),
    "a bare version": ({"If-Match": "7"}, 400),
    "a long version": ({"If-Match": f'"{10**20}"'}, 400),
}
NAMES_A_TENANT = ("create_subscription", "refund_subscription_invoice")
"""What the platform's staff asks of a tenant that no path names."""


@pytest.mark.req("API-4", "API-6", "API-10")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("kind", HEADERS)
def test_refuses_headers_that_it_cannot_keep_to(calls: Calls, kind: str) -> None:
    headers, status = HEADERS[kind]
    is_problem(calls.send("void_charge", body=GOOD, headers=headers), status)


@pytest.mark.req("API-6")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("length", "status"), [("5", 400), ("100", 400), (str(2**40), 413), ("-1", 400), (MARK, 400)]
)
def test_refuses_a_body_that_is_not_as_long_as_it_says(
    calls: Calls, length: str, status: int
) -> None:
    answer = calls.send("void_charge", body=GOOD, environ={"CONTENT_LENGTH": length})

    is_problem(answer, status)


class Endless(BytesIO):
    """A sender that never comes to an end, and counts what is taken."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert 0 < size <= 2**21, "nobody reads without a bound"
        self.taken += size
        return b" " * size


@pytest.mark.req("API-6")
@pytest.mark.usefixtures("unchanged")
def test_stops_reading_a_body_without_an_end(calls: Calls) -> None:
    sender = Endless()
    environ = {"wsgi.input": sender, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}

    is_problem(calls.send("void_charge", environ=environ), 413)

    assert sender.taken <= 2**21


@pytest.mark.req("API-4", "API-6")
def test_refuses_a_key_that_came_with_another_body(calls: Calls) -> None:
    token, key, body = calls.token(), str(uuid4()), calls.body("post_charge")
    assert calls.send("post_charge", token=token, key=key, body=body).status_code == 201
    before = books_of(calls.hotel.house, calls.hotel.tenant_id)

    answer = calls.send("post_charge", token=token, key=key, body={**body, "persons": 1})

    is_problem(answer, 422, code="MELMASTOON.GENERAL.IDEMPOTENCY_KEY_REUSED")
    assert books_of(calls.hotel.house, calls.hotel.tenant_id) == before


@pytest.mark.req("API-4")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", [n for n, each in functions().items() if each.moves_money])
def test_moves_no_money_without_a_key(calls: Calls, name: str) -> None:
    answer = calls.send(name, key=None)

    is_problem(answer, 400, code="MELMASTOON.GENERAL.IDEMPOTENCY_KEY_REQUIRED")


@pytest.mark.req("API-4", "MON-6")
@pytest.mark.parametrize(
    "name",
    [n for n, each in functions().items() if not (each.moves_money or each.signed_by)],
)
def test_what_needs_no_key_posts_nothing_to_the_ledger(calls: Calls, name: str) -> None:
    before = books_of(calls.hotel.house, calls.hotel.tenant_id)

    answer = calls.send(name)

    after = books_of(calls.hotel.house, calls.hotel.tenant_id)
    assert answer.status_code < 400 or name in ("get_credit_note_pdf", "send_credit_note")
    assert not [t for t in after if t.endswith("ledger_entries") and after[t] != before[t]]


@pytest.mark.req("API-6", "API-3")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", [n for n, each in functions().items() if "{" in each.path])
@pytest.mark.parametrize("kind", ["short", "lower", "other", "escaped", "blank", "break", "long"])
def test_refuses_a_malformed_id_in_the_path(calls: Calls, name: str, kind: str) -> None:
    for parameter, good in calls.named(name).items():
        if parameter == "plan" or (parameter in ("tenant_id", "figure") and kind == "lower"):
            continue  # a plan's name has no form of its own; two are right in lower case
        bad = {
            "short": "fol_123",
            "lower": good.lower(),
            "other": "evt_" + good[4:],
            "escaped": f"%00{MARK} {MARK}",
            "blank": f"{good}%20",
            "break": f"{good}%0a",
            "long": good * 20,
        }[kind]
        path = calls.path(name, **{parameter: bad})
        is_problem(calls.send(name, path=path), 400, code=INVALID)


@pytest.mark.req("API-6")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", with_json_body())
def test_refuses_what_is_given_in_two_places_or_in_the_wrong_one(calls: Calls, name: str) -> None:
    """In path and body, and in the query, which others log, where a body should hold it."""
    good = calls.body(name)
    if "{folio_id}" in functions()[name].path:
        for alias in ("folioId", "folio_id"):
            is_problem(calls.send(name, body={**good, alias: calls.folio}), 400, code=INVALID)
    for query in ({"reason": MARK}, {"folioId": calls.folio}, {"noSuchField": "1"}):
        is_problem(calls.send(name, query=query), 400, code=INVALID)


QUERIES = [
    "limit=1&limit=1",
    "limit=0",
    "limit=201",
    "limit=5.0",
    "limit=1_0",
    "limit=%2B5",
    "limit=+5",
    "limit=٥",
    "limit=" + "9" * 5000,
    "limit=",
    "cursor=",
    "cursor=!",
    f"cursor={MARK}",
    "cursor=" + "W1tb" * 100,
    "cursor=" + "A" * 401,
    "businessDate=0",
    "businessDate=1700000000",
    "businessDate=2026-02-30",
    "businessDate=2026-03-01T00:00:00Z",
    f"propertyId={MARK}",
    "propertyId=%00",
    f"noSuchField={MARK}",
    f"{MARK}%20{MARK}=1",
    "property_id=7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11",
]


@pytest.mark.req("API-5", "API-6")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("name", ["list_folios", "list_invoices"])
def test_refuses_a_query_that_it_cannot_read(calls: Calls, name: str, query: str) -> None:
    is_problem(calls.send(name, query=query), 400, 422)


@pytest.mark.req("API-6", "INV-8")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("query", ["", f"tenant={MARK}", "tenant=1&tenant=2", "content=1"])
@pytest.mark.parametrize("name", ["verify_invoice", "verify_invoice_file"])
def test_public_functions_refuse_a_query_that_they_cannot_read(
    calls: Calls, name: str, query: str
) -> None:
    is_problem(calls.send(name, query=query), 400, code=INVALID)


@pytest.mark.req("SEC-1")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", [n for n, each in functions().items() if each.scope])
def test_refuses_a_token_that_has_expired(calls: Calls, name: str) -> None:
    token = calls.token()
    payload = json.loads(unbase64url(token.split(".")[1]))
    past = {**payload, "iat": payload["iat"] - 7200, "exp": payload["exp"] - 7200}
    identity = calls.hotel.house.identity

    answer = calls.send(name, token=identity.sign(past, typ="at+jwt", algorithm="ES256"))

    is_problem(answer, 401, code="MELMASTOON.IAM.TOKEN_EXPIRED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.req("SEC-3", "AUD-1")
@pytest.mark.parametrize("name", [n for n, each in functions().items() if each.scope])
def test_refuses_another_tenant_wherever_it_is_named_and_writes_that_down(
    calls: Calls, name: str
) -> None:
    thief, other = f"thief-{uuid4()}", str(uuid4())
    token = calls.token(sub=thief)
    attempts: list[dict[str, Any]] = [
        {"headers": {"X-Tenant-Id": other}},
        {"headers": {"X-Tenant-Id": MARK}},
    ]
    if functions()[name].platform_scope is None:
        attempts.append({"query": {"tenantId": other}})
    if name in with_json_body() and functions()[name].platform_scope is None:
        attempts += [{"body": {"tenantId": each}} for each in (other, 7, None, {"a": other})]
    before = books_of(calls.hotel.house, calls.hotel.tenant_id)

    for attempt in attempts:
        answer = calls.send(name, token=token, **attempt)
        is_problem(answer, 403, code="MELMASTOON.GENERAL.CROSS_TENANT_REFERENCE")
        assert other not in answer.text

    after = books_of(calls.hotel.house, calls.hotel.tenant_id)
    assert {table.split(".")[1] for table in after if after[table] != before[table]} == {
        "audit_entries"
    }
    written_down = calls.hotel.rows(
        "SELECT action, reason FROM {s}.audit_entries WHERE actor = :thief", thief=thief
    )
    assert written_down == len(attempts) * [
        ["security.attempt_refused", "MELMASTOON.GENERAL.CROSS_TENANT_REFERENCE"]
    ]


@pytest.mark.req("SEC-3", "API-6")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", [n for n in with_json_body() if n not in NAMES_A_TENANT])
def test_takes_no_tenant_from_a_body_even_if_it_is_the_callers(calls: Calls, name: str) -> None:
    body = {**calls.body(name), "tenantId": str(calls.hotel.tenant_id)}

    is_problem(calls.send(name, body=body), 400, code=INVALID)


@pytest.mark.req("API-2", "API-3")
@pytest.mark.parametrize(
    ("name", "method"),
    [
        (name, method)
        for name, each in functions().items()
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "BREW")
        if (method, each.path) not in {(other.method, other.path) for other in functions().values()}
    ],
)
def test_refuses_another_method(calls: Calls, name: str, method: str) -> None:
    answer = calls.hotel.house.client.open(calls.path(name), method=method)

    is_problem(answer, 405, code="MELMASTOON.GENERAL.METHOD_NOT_ALLOWED")
    assert functions()[name].method in answer.headers["Allow"]


@pytest.mark.req("API-2", "API-3", "SEC-6")
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/v1",
        "/api/v2/folios",
        "/api/v1/folios/",
        f"/api/v1/{MARK} {MARK}",
        "/api/v1/folios/4111111111111111/nothing",
        "/api/v1/folios/%2e%2e/%2e%2e/health",
        "//api/v1/folios",
        "/dev/token",
    ],
)
def test_a_path_that_is_nobodys_is_unknown(calls: Calls, path: str) -> None:
    answer = calls.hotel.house.client.get(path)

    is_problem(answer, 404, code="MELMASTOON.GENERAL.PATH_UNKNOWN")
    assert "4111111" not in answer.text
