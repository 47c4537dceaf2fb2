"""Cash drawers: put into use, renamed, frozen with a reason, listed for those who work there."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from common.runtime.declaration import declaration_of
from functions.cash.change_drawer import change_drawer
from functions.cash.create_drawer import create_drawer
from tests.hotel import Hotel, new_id, usd
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    told,
    trail,
)
from tests.till import OPERATE, Till, new_drawer, open_drawer
from tests.together import at_once

FREEZE = {"active": False, "reason": "The lock is broken"}
REFUSED_CHANGES: list[tuple[str, int, dict[str, Any]]] = [
    ("CASH_DRAWER_UNKNOWN", 404, FREEZE),
    ("REASON_MISSING", 422, {"active": False}),
]


def change(hotel: Hotel, drawer: str, body: dict[str, Any], **more: Any) -> Any:
    return hotel.call("PATCH", f"/cash-drawers/{drawer}", body, **more)


@pytest.mark.req("CASH-1", "API-9")
def test_puts_a_drawer_into_use(hotel: Hotel) -> None:
    drawer = new_id("cdr")

    answer = hotel.post(
        "/cash-drawers", {"id": drawer, "propertyId": str(hotel.property_id), "name": "Bar"}
    )

    assert answer.status_code == 201, answer.text
    assert answer.json == {
        "cashDrawerId": drawer,
        "propertyId": str(hotel.property_id),
        "name": "Bar",
        "active": True,
        "version": 1,
    }
    assert answer.headers["ETag"] == '"1"'
    assert_books_are_right(hotel)


@pytest.mark.req("CASH-1", "SEC-3")
@pytest.mark.parametrize("where", ["nowhere", "where the caller does not work"])
def test_puts_none_into_a_house_that_is_not_the_callers(hotel: Hotel, where: str) -> None:
    elsewhere = hotel.token(property_ids=[uuid4()])
    asked = str(uuid4() if where == "nowhere" else hotel.property_id)
    before = state(hotel)

    answer = hotel.post("/cash-drawers", {"propertyId": asked, "name": "Bar"}, token=elsewhere)

    assert_refused(answer, 404, "PROPERTY_UNKNOWN")
    assert state(hotel) == before


@pytest.mark.req("API-4")
def test_puts_one_into_use_for_a_request_that_comes_twice(hotel: Hotel) -> None:
    body = {"propertyId": str(hotel.property_id), "name": "Bar"}

    assert_answers_once(hotel, "/cash-drawers", body, {**body, "name": "Lobby"})


@pytest.mark.req("API-9")
def test_of_two_with_one_id_one_wins(hotel: Hotel) -> None:
    body = {"id": new_id("cdr"), "propertyId": str(hotel.property_id)}
    calls = [partial(hotel.post, "/cash-drawers", {**body, "name": name}) for name in "AB"]

    answers = at_once(calls)

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert hotel.rows("SELECT count(*) FROM {s}.cash_drawers") == [[1]]


@pytest.mark.req("CASH-6", "AUD-1")
def test_a_frozen_drawer_opens_no_session_and_lets_the_running_one_be_closed(hotel: Hotel) -> None:
    till = Till.opened(hotel, usd(10_000))
    other = new_drawer(hotel)

    frozen = [change(hotel, drawer, FREEZE, token=hotel.token(sub="boss")) for drawer in
              (till.drawer, other)]  # fmt: skip

    assert [(each.status_code, each.json["active"]) for each in frozen] == [(200, False)] * 2
    assert_refused(open_drawer(hotel, other, usd(1)), 409, "CASH_DRAWER_FROZEN")
    assert till.pay(usd(100)).status_code == 201, "what runs goes on"
    assert till.initiate(usd(10_100)).status_code == 200
    assert till.close(usd(10_100)).status_code == 200
    assert_refused(open_drawer(hotel, till.drawer, usd(1)), 409, "CASH_DRAWER_FROZEN")
    entries = trail(hotel, "cash_drawer.frozen")
    assert {(each["actor"], each["reason"]) for each in entries} == {("boss", "The lock is broken")}
    assert_books_are_right(hotel)


@pytest.mark.req("CASH-6")
def test_a_drawer_is_taken_into_use_again_with_a_reason(hotel: Hotel) -> None:
    drawer = new_drawer(hotel)
    change(hotel, drawer, FREEZE)

    answer = change(hotel, drawer, {"active": True, "reason": "Repaired", "name": "Bar"})

    assert (answer.json["active"], answer.json["name"]) == (True, "Bar")
    assert open_drawer(hotel, drawer, usd(1)).status_code == 201
    kinds = [each["action"] for each in trail(hotel) if each["aggregate_kind"] == "cash_drawer"]
    assert kinds == [
        "cash_drawer.created", "cash_drawer.frozen", "cash_drawer.renamed", "cash_drawer.thawed",
    ]  # fmt: skip
    assert told(hotel) == ["cash_drawer.opened"], "what becomes of a drawer stays in the house"


@pytest.mark.req("CASH-6", "API-3")
@pytest.mark.parametrize(("code", "status", "body"), REFUSED_CHANGES)
def test_refuses_a_change_and_makes_none(
    hotel: Hotel, code: str, status: int, body: dict[str, Any]
) -> None:
    drawer = new_drawer(hotel)
    before = state(hotel)

    asked = new_id("cdr") if code == "CASH_DRAWER_UNKNOWN" else drawer
    answer = change(hotel, asked, body)

    assert_refused(answer, status, code)
    assert state(hotel) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    changing = {refusal.code for refusal in declaration_of(change_drawer).refusals}
    creating = {refusal.code for refusal in declaration_of(create_drawer).refusals}

    assert changing == {code for code, _, _ in REFUSED_CHANGES}
    assert creating == {"PROPERTY_UNKNOWN"}


@pytest.mark.req("API-4", "API-10")
def test_changes_a_drawer_once_and_only_as_it_was_seen(hotel: Hotel) -> None:
    drawer, key = new_drawer(hotel), str(uuid4())

    first = change(hotel, drawer, FREEZE, key=key)
    again = change(hotel, drawer, FREEZE, key=key)
    stale = change(hotel, drawer, {"name": "Bar"}, headers={"If-Match": '"1"'})

    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert_refused(stale, 412, "MELMASTOON.GENERAL.VERSION_STALE")
    assert len(trail(hotel, "cash_drawer.frozen")) == 1


@pytest.mark.req("CASH-1", "CASH-6")
def test_freezing_and_opening_at_once_leave_no_session_that_began_after_the_frost(
    hotel: Hotel,
) -> None:
    drawer = new_drawer(hotel)

    frozen, opened = at_once(
        [partial(change, hotel, drawer, FREEZE), partial(open_drawer, hotel, drawer, usd(100))]
    )

    assert frozen.status_code == 200
    assert opened.status_code in (201, 409)
    order = [(each["action"], each["recorded_at"]) for each in trail(hotel)]
    names = [name for name, _ in sorted(order, key=lambda each: each[1])]
    if opened.status_code == 409:
        assert "cash_drawer.opened" not in names
    assert_books_are_right(hotel)


@pytest.mark.req("API-5", "SEC-3")
def test_lists_the_drawers_of_the_callers_houses_page_by_page(hotel: Hotel) -> None:
    drawers = [new_drawer(hotel, name=f"Till {number}") for number in range(3)]
    change(hotel, drawers[1], FREEZE)
    token = hotel.token(OPERATE)

    first = hotel.get("/cash-drawers", token=token, limit="2").json
    second = hotel.get("/cash-drawers", token=token, limit="2", cursor=first["nextCursor"]).json
    frozen = hotel.get("/cash-drawers", token=token, state="frozen").json
    here = hotel.get("/cash-drawers", token=token, propertyId=str(hotel.property_id)).json
    elsewhere = hotel.get("/cash-drawers", token=hotel.token(OPERATE, property_ids=[uuid4()])).json

    listed = [each["cashDrawerId"] for each in [*first["items"], *second["items"]]]
    assert listed == sorted(drawers)
    assert second["nextCursor"] is None
    assert [each["cashDrawerId"] for each in frozen["items"]] == [drawers[1]]
    assert len(here["items"]) == 3
    assert elsewhere == {"items": [], "nextCursor": None}
    assert_refused(
        hotel.get("/cash-drawers", token=token, cursor="e30"),
        422,
        "MELMASTOON.GENERAL.CURSOR_INVALID",
    )
