"""Who may do what: every function times every scope, and what belongs to others.

The matrix is made from the declarations; the platform's scopes, and which of them was decided for
which function, stand in `decided` to hold the declarations against.
"""

from typing import Any
from uuid import uuid4

import pytest

from tests.hotel import Hotel, House, new_id
from tests.security.answers import is_problem
from tests.security.calls import Calls, functions
from tests.security.decided import DECIDED, SCOPES, STEP_UP_SCOPES

SIGNED_BESIDES = {"initiate_close"}
"""The closing actor signs the count as the co-signer does (BEY-1)."""
PROTECTED = [name for name, each in functions().items() if each.scope is not None]
PUBLIC = [name for name, each in functions().items() if each.scope is None]
OF_THE_TENANT = {
    "end_platform_incident",
    *("capture_credits", "release_credits", "show_credit_purchase"),
    *(
        "show_customer",
        "export_customer",
        "change_customer",
        "list_payment_methods",
        "add_payment_method",
    ),
    "remove_payment_method",
}
"""Credits are the tenant's, of whatever property its people are."""
OF_ONE_THING = [
    name
    for name in PROTECTED
    if "{" in functions()[name].path
    and functions()[name].platform_scope is None
    and name not in ("publish_plan_version", "list_behind_figure")
]
"""Plans are everybody's, figures nobody's; whose subscriptions are seen is tested with them."""
OF_ONE_HOUSE = [
    name
    for name in PROTECTED
    if (house := functions()[name].request.model_fields.get("property_id")) and house.is_required()
]


def scope_of(name: str) -> str:
    scope = functions()[name].scope
    assert scope is not None
    return scope


@pytest.mark.req("SEC-2")
def test_every_scope_is_one_of_the_platforms() -> None:
    assert {scope_of(name) for name in PROTECTED} <= SCOPES


@pytest.mark.req("SEC-2", "SEC-4")
@pytest.mark.parametrize("name", functions())
def test_what_needs_a_second_factor_by_its_scope_asks_for_one(name: str) -> None:
    by_scope = functions()[name].scope in STEP_UP_SCOPES

    assert functions()[name].step_up == (by_scope or name in SIGNED_BESIDES)


@pytest.mark.req("SEC-2", "INV-8", "API-8")
def test_every_function_asks_for_the_scope_that_was_decided() -> None:
    """Written down twice on purpose: a scope that changes, or a new function, is decided anew."""
    assert {name: each.scope for name, each in functions().items()} == DECIDED


@pytest.mark.req("SEC-1", "SEC-2")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", PROTECTED)
def test_asks_who_is_there(calls: Calls, name: str) -> None:
    for headers in (
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic eA=="},
    ):
        answer = calls.send(name, token=None, headers=headers)
        is_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.req("SEC-2")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", PROTECTED)
def test_refuses_every_scope_but_its_own_and_names_the_one_that_is_missing(
    calls: Calls, name: str
) -> None:
    own = scope_of(name)
    lookalikes = {own.upper(), own + ".all", own.rsplit(".", 1)[0], own + "\x20", "*", "billing.*"}
    enough = {own, functions()[name].platform_scope}
    others = SCOPES - enough | lookalikes
    for scope in sorted(others):
        answer = calls.send(name, token=calls.token(scope))
        is_problem(answer, 403, 401, code=None)
        if answer.status_code == 403:
            assert answer.json["code"] == "MELMASTOON.IAM.SCOPE_MISSING"
            assert answer.json["scope"] == own

    everything_else = calls.send(name, token=calls.token(*(SCOPES - enough)))
    is_problem(everything_else, 403, code="MELMASTOON.IAM.SCOPE_MISSING")


@pytest.mark.req("SEC-2")
@pytest.mark.parametrize("name", PROTECTED)
def test_its_own_scope_alone_is_enough(calls: Calls, name: str) -> None:
    own = Calls(calls.hotel)
    own.ready_for(name)
    if name == "close_folio":
        own.send("void_charge")

    answer = own.send(name, token=own.token(scope_of(name)))

    assert answer.status_code == functions()[name].status, answer.text


@pytest.mark.req("SEC-2", "INV-8", "API-8")
@pytest.mark.parametrize("name", PUBLIC)
def test_anybody_may_call_what_is_public(calls: Calls, name: str) -> None:
    """And a token that is none does not keep them out."""
    for headers in ({}, {"Authorization": "Bearer nothing"}):
        answer = calls.send(name, token=None, headers=headers)
        assert answer.status_code == 200, answer.text


def known_parts(problem: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in problem.items() if key not in ("traceId", "instance")}


@pytest.fixture(scope="module")
def elsewhere(house: House) -> Hotel:
    """The house of strangers."""
    return house.new_hotel()


def strangers(calls: Calls, elsewhere: Hotel) -> dict[str, dict[str, Any]]:
    """People with every scope who do not work in this house, as who they come."""
    house = calls.hotel.property_id
    abroad = {"tenant_id": elsewhere.tenant_id}
    return {
        "of another property": {"property_ids": [uuid4()]},
        "of no property": {"property_ids": []},
        "of another tenant": {**abroad, "property_ids": [elsewhere.property_id]},
        "of another tenant, who claims this house": {**abroad, "property_ids": [house]},
    }


@pytest.mark.req("SEC-3", "TEN-2")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", OF_ONE_THING)
def test_what_belongs_to_others_is_answered_like_what_is_not_there(
    calls: Calls, elsewhere: Hotel, name: str
) -> None:
    nowhere = {
        "folio_id": new_id("fol"),
        "charge_id": new_id("chg"),
        "invoice_id": new_id("inv"),
        "credit_note_id": new_id("cn"),
        "drawer_id": new_id("cdr"),
        "session_id": new_id("cds"),
        "signal_id": new_id("sig"),
        "reconciliation_id": new_id("rec"),
        "difference_id": new_id("prd"),
        "payout_id": new_id("pyo"),
        "account_id": new_id("cac"),
        "allocation_id": new_id("alc"),
        "write_off_id": new_id("wof"),
        "hold_id": new_id("hld"),
        "sending_id": new_id("snd"),
        "customer_id": new_id("cus"),
        "payment_method_id": new_id("pm"),
        "payment_intent_id": new_id("pin"),
        "purchase_id": new_id("pin"),
        "review_id": new_id("rvw"),
        "incident_id": new_id("pfi"),
    }
    unknown = calls.send(name, path=calls.path(name, **nowhere))
    is_problem(unknown, 404)

    for who, claims in strangers(calls, elsewhere).items():
        if name in OF_THE_TENANT and "tenant_id" not in claims:
            continue
        answer = calls.send(name, token=calls.token(scope_of(name), **claims))
        is_problem(answer, 404)
        assert known_parts(answer.json) == known_parts(unknown.json), who


@pytest.mark.req("SEC-3", "TEN-2")
def test_lists_hold_what_is_the_callers_own(calls: Calls, elsewhere: Hotel) -> None:
    for name in ("list_folios", "list_invoices", "list_credit_notes"):
        query = {"propertyId": str(calls.hotel.property_id)}
        assert calls.send(name, query=query).json["items"]
        for who, claims in strangers(calls, elsewhere).items():
            for asked in (query, {}, {} if name == "list_folios" else {"folioId": calls.folio}):
                answer = calls.send(name, query=asked, token=calls.token(**claims))
                assert answer.status_code == 200, answer.text
                assert answer.json == {"items": [], "nextCursor": None}, who


@pytest.mark.req("SEC-3")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", OF_ONE_HOUSE)
def test_does_nothing_in_a_house_that_is_not_the_callers(
    calls: Calls, elsewhere: Hotel, name: str
) -> None:
    """Whatever names a house by its id finds the caller's own, and no other of the tenant."""
    for claims in strangers(calls, elsewhere).values():
        answer = calls.send(name, token=calls.token(scope_of(name), **claims))
        is_problem(answer, 404, code="MELMASTOON.BILLING.PROPERTY_UNKNOWN")


@pytest.mark.req("SEC-3", "INV-8")
def test_an_invoice_is_verified_in_the_name_of_its_tenant_only(calls: Calls) -> None:
    good = calls.query("verify_invoice")
    other = calls.hotel.house.new_hotel()
    calls.send("regenerate_invoice")  # draws and signs it

    assert calls.send("verify_invoice", query=good).json["valid"] is True
    for tenant in (other.tenant_id, uuid4()):
        answer = calls.send("verify_invoice", query={**good, "tenant": str(tenant)})
        assert answer.json == {
            "valid": False,
            "signature": "broken",
            "status": "",
            "number": "",
            "date": None,
            "issuer": "",
            "language": "",
        }


@pytest.mark.req("API-4", "SEC-3")
def test_a_key_is_its_senders_own(calls: Calls) -> None:
    """The same key and the same request by somebody else is somebody else's request."""
    key = str(uuid4())
    body = {**calls.body("post_charge"), "id": None, "externalReference": None}

    first = calls.send("post_charge", key=key, body=body)
    second = calls.send("post_charge", key=key, body=body)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["lines"][0]["lineId"] != second.json["lines"][0]["lineId"]
    assert "Idempotency-Replayed" not in second.headers
