"""Listing folios: pages that stay right while folios are opened (API-5)."""

import base64
import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.hotel import Hotel, House, new_id
from tests.proofs import GENERAL, assert_refused, state


def _pages(hotel: Hotel, limit: int, **query: str) -> list[list[str]]:
    """All pages, by the ids on them."""
    pages, cursor = [], {}
    while True:
        page = hotel.get("/folios", limit=str(limit), **cursor, **query).json
        pages.append([item["folioId"] for item in page["items"]])
        if page["nextCursor"] is None:
            return pages
        cursor = {"cursor": page["nextCursor"]}


def _open(hotel: Hotel, count: int) -> list[str]:
    return [hotel.open_folio(id=new_id("fol")) for _ in range(count)]


@pytest.mark.req("API-5")
def test_answers_each_folio_once_page_by_page(hotel: Hotel) -> None:
    opened = _open(hotel, 7)

    pages = _pages(hotel, 3)

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [folio for page in pages for folio in page] == sorted(opened)
    assert _pages(hotel, 7) == [sorted(opened)]
    assert hotel.get("/folios").json["items"][0] == {
        name: value
        for name, value in hotel.get(f"/folios/{sorted(opened)[0]}").json.items()
        if name not in ("lines", "refunds")
    }


@pytest.mark.req("API-5")
def test_stays_right_while_folios_are_opened(hotel: Hotel) -> None:
    """Between two pages others are opened and one has changed: none is missed, none comes twice."""
    opened = _open(hotel, 6)
    first = hotel.get("/folios", limit="4").json

    later = _open(hotel, 3)
    hotel.charged(opened[0])
    second = hotel.get("/folios", limit="200", cursor=first["nextCursor"]).json

    ids = [item["folioId"] for page in (first, second) for item in page["items"]]
    assert ids == sorted(opened + later)
    assert second["nextCursor"] is None


@pytest.mark.req("API-5", "API-9")
def test_shows_none_twice_when_a_desktop_hands_in_an_older_folio(hotel: Hotel) -> None:
    """It was offline: its folio bears an id from before the first page, and stands there."""
    older = new_id("fol")
    opened = _open(hotel, 3)
    first = hotel.get("/folios", limit="2").json

    hotel.open_folio(id=older)
    second = hotel.get("/folios", limit="2", cursor=first["nextCursor"]).json

    assert older < opened[0]
    assert [item["folioId"] for item in second["items"]] == opened[2:]


@pytest.mark.req("API-5")
@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "ten", ""])
def test_refuses_a_limit_beyond_1_and_200(hotel: Hotel, limit: str) -> None:
    answer = hotel.get("/folios", limit=limit)

    assert_refused(answer, 400, GENERAL + "VALIDATION_FAILED")
    assert answer.json["errors"][0]["pointer"] == "/limit"


@pytest.mark.req("API-5")
def test_answers_fifty_unless_asked_for_more(hotel: Hotel) -> None:
    _open(hotel, 51)

    page = hotel.get("/folios").json

    assert len(page["items"]) == 50
    assert len(hotel.get("/folios", limit="200").json["items"]) == 51
    assert page["nextCursor"] is not None


def _cursor(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


@pytest.mark.req("API-5", "API-6")
@pytest.mark.parametrize(
    "cursor", ["AAAA", "e30", _cursor(["fol_1"]), _cursor("\x00"), _cursor("é"), _cursor(7)]
)
def test_refuses_a_cursor_that_no_list_has_given(hotel: Hotel, cursor: str) -> None:
    before = state(hotel)

    answer = hotel.get("/folios", cursor=cursor)

    assert_refused(answer, 422, GENERAL + "CURSOR_INVALID")
    assert state(hotel) == before


@pytest.mark.req("SEC-3")
def test_a_cursor_of_another_hotel_opens_nothing_there(house: House, hotel: Hotel) -> None:
    neighbour = house.new_hotel()
    _open(neighbour, 2)
    cursor = neighbour.get("/folios", limit="1").json["nextCursor"]

    page = hotel.get("/folios", cursor=cursor).json

    assert page == {"items": [], "nextCursor": None}


@pytest.mark.req("FOL-1")
def test_asks_by_property_state_reservation_and_business_date(house: House, clock) -> None:
    hotel = house.new_hotel()
    second = UUID(int=7)
    (first,) = hotel.settings()["properties"]
    hotel.write_settings(properties=[first, {**first, "id": str(second), "code": "HRT"}])
    clock("2026-03-10T10:00:00Z")
    old = hotel.open_folio(reservationId="R-1")
    clock("2026-03-11T10:00:00Z")
    closed = hotel.open_folio(reservationId="R-2")
    hotel.post(f"/folios/{closed}/close")
    both = hotel.token(property_ids=[hotel.property_id, second])
    body = {"propertyId": str(second), "guest": {"name": "B"}, "reservationId": "R-1"}
    other = hotel.post("/folios", body, token=both).json["folioId"]

    def found(**query: str) -> list[str]:
        return [item["folioId"] for item in hotel.get("/folios", token=both, **query).json["items"]]

    assert set(found()) == {old, closed, other}
    assert found(propertyId=str(second)) == [other]
    assert set(found(propertyId=str(hotel.property_id))) == {old, closed}
    assert found(status="closed") == [closed]
    assert set(found(status="open")) == {old, other}
    assert set(found(reservationId="R-1")) == {old, other}
    assert found(businessDate="2026-03-10") == [old]
    assert found(status="open", businessDate="2026-03-11") == [other]
    assert found(propertyId=str(uuid4())) == []


@pytest.mark.req("API-6")
@pytest.mark.parametrize(
    "query",
    [
        {"status": "lost"},
        {"propertyId": "7"},
        {"businessDate": "2026-02-30"},
        {"offset": "10"},
    ],
)
def test_refuses_a_question_that_it_does_not_know(hotel: Hotel, query: dict[str, str]) -> None:
    assert_refused(hotel.get("/folios", **query), 400, GENERAL + "VALIDATION_FAILED")
