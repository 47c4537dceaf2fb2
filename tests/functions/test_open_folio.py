"""Opening a folio: once for a reservation and window, with the rates of its day pinned."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.open_folio import open_folio
from tests.hotel import Hotel, charge, new_id, usd
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_nothing_personal,
    assert_refused,
    state,
    told,
    trail,
)
from tests.together import at_once

EUR_USD = {
    "base": "EUR",
    "quote": "USD",
    "rate": "1.2",
    "source": "desk",
    "takenAt": "2026-02-01T08:00:00Z",
}
REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("PROPERTY_UNKNOWN", 404, {"propertyId": str(uuid4())}),
    ("WINDOW_UNKNOWN", 422, {"routing": {"spa": "company"}}),
    ("STAY_INVALID", 422, {"stay": {"arrival": "2026-03-02", "departure": "2026-03-01"}}),
    ("CURRENCY_MISMATCH", 422, {"fxSnapshots": [{**EUR_USD, "quote": "GBP"}]}),
    ("FX_RATE_INVALID", 422, {"fxSnapshots": [{**EUR_USD, "rate": "0"}]}),
    ("FX_RATE_INVALID", 422, {"fxSnapshots": [EUR_USD, EUR_USD]}),
    ("CURRENCY_UNKNOWN", 422, {"currency": "XXX"}),
]


def opening(hotel: Hotel, **more: Any) -> dict[str, Any]:
    return {"propertyId": str(hotel.property_id), "guest": {"name": "Zarmina Ahmadi"}, **more}


@pytest.mark.req("FOL-1", "MON-5")
def test_opens_a_folio_with_windows_and_todays_rates(hotel: Hotel) -> None:
    given = opening(
        hotel,
        reservationId="R-1",
        stay={"arrival": "2026-03-01", "departure": "2026-03-04"},
        windows=["company"],
        routing={"room": "company"},
    )

    answer = hotel.post("/folios", given)

    assert answer.status_code == 201, answer.text
    folio = answer.json
    assert (folio["status"], folio["balance"], folio["version"]) == ("open", usd(0), 1)
    assert (folio["window"], folio["windows"]) == ("guest", ["guest", "company"])
    assert (folio["guestName"], folio["reservationId"]) == ("Zarmina Ahmadi", "R-1")
    assert folio["stay"] == given["stay"]
    assert [(rate["base"], rate["rate"]) for rate in folio["fxSnapshots"]] == [("EUR", "1.10")]
    assert answer.headers["ETag"] == '"1"'
    shown = hotel.get(f"/folios/{folio['folioId']}")
    assert shown.headers["ETag"] == '"1"'
    assert shown.json == {**folio, "lines": [], "refunds": []}


@pytest.mark.req("FOL-1", "MON-5")
def test_keeps_the_pinned_rate_when_the_tenants_rates_change(hotel: Hotel) -> None:
    """100 EUR at the pinned 1.10 are 110.00 USD, whatever a euro is worth later."""
    folio = hotel.open_folio()
    hotel.charged(folio)
    hotel.write_settings(fxRates=[{**EUR_USD, "rate": "9.99"}])

    hotel.paid(folio, {"amountMicro": 100_000_000, "currency": "EUR"})

    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(0)


@pytest.mark.req("FOL-1", "MON-5")
def test_pins_the_rates_that_are_given_instead(hotel: Hotel) -> None:
    answer = hotel.post("/folios", opening(hotel, fxSnapshots=[EUR_USD]))

    assert answer.json["fxSnapshots"] == [EUR_USD]


@pytest.mark.req("FOL-1", "MON-4")
def test_keeps_another_currency_than_the_propertys(hotel: Hotel) -> None:
    answer = hotel.post("/folios", opening(hotel, currency="AFN"))

    assert answer.json["currency"] == "AFN"
    assert answer.json["fxSnapshots"] == []
    path = f"/folios/{answer.json['folioId']}/charges"
    assert_refused(hotel.post(path, charge()), 422, "CURRENCY_MISMATCH")


@pytest.mark.req("FOL-1", "API-3")
@pytest.mark.parametrize(("code", "status", "more"), REFUSALS)
def test_refuses_and_changes_nothing(
    hotel: Hotel, code: str, status: int, more: dict[str, Any]
) -> None:
    before = state(hotel)

    answer = hotel.post("/folios", opening(hotel, **more))

    assert_refused(answer, status, code)
    assert state(hotel) == before


@pytest.mark.req("SEC-3")
def test_does_not_tell_that_a_property_outside_the_token_exists(hotel: Hotel) -> None:
    """A property of this tenant that the clerk may not see reads like one that is not there."""
    token = hotel.token(property_ids=[uuid4()])

    hidden = hotel.post("/folios", opening(hotel), token=token)
    absent = hotel.post("/folios", opening(hotel, propertyId=str(uuid4())), token=token)

    assert_refused(hidden, 404, "PROPERTY_UNKNOWN")
    assert hidden.json["detail"] == absent.json["detail"]
    assert hotel.rows("SELECT count(*) FROM {s}.folios") == [[0]]


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(open_folio).refusals}

    assert declared <= {code for code, _, _ in REFUSALS}


@pytest.mark.req("API-4")
def test_answers_a_retry_with_the_first_answer_and_one_effect(hotel: Hotel) -> None:
    assert_answers_once(
        hotel, "/folios", opening(hotel), opening(hotel, guest={"name": "Somebody else"})
    )


@pytest.mark.req("FOL-1")
def test_opens_without_a_key_because_no_money_moves(hotel: Hotel) -> None:
    answers = [hotel.post("/folios", opening(hotel), key=None) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json["folioId"] != answers[1].json["folioId"]


@pytest.mark.req("FOL-1")
def test_answers_the_first_folio_when_a_reservation_is_opened_again(hotel: Hotel) -> None:
    first = hotel.post("/folios", opening(hotel, reservationId="R-1"))
    hotel.charged(first.json["folioId"])
    before = state(hotel, without=("idempotency_keys",))

    again = hotel.post(
        "/folios",
        opening(hotel, reservationId="R-1", guest={"name": "Somebody else"}, id=new_id("fol")),
        token=hotel.token(sub="night-clerk"),
    )

    assert again.status_code == 201
    assert again.json["folioId"] == first.json["folioId"]
    assert (again.json["guestName"], again.json["balance"]) == ("Zarmina Ahmadi", usd(11_000))
    assert state(hotel, without=("idempotency_keys",)) == before


@pytest.mark.req("FOL-1")
def test_opens_another_folio_for_another_window_of_the_reservation(hotel: Hotel) -> None:
    answers = [
        hotel.post("/folios", opening(hotel, reservationId="R-1", window=window))
        for window in ("guest", "company")
    ]

    assert answers[0].json["folioId"] != answers[1].json["folioId"]


@pytest.mark.req("FOL-1")
def test_opens_one_folio_when_two_open_the_reservation_at_once(hotel: Hotel) -> None:
    body = opening(hotel, reservationId="R-1")

    answers = at_once([partial(hotel.post, "/folios", body)] * 8)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["folioId"] for answer in answers}) == 1
    assert hotel.rows("SELECT count(*) FROM {s}.folios") == [[1]]
    assert told(hotel) == ["folio.opened"]


@pytest.mark.req("EVT-1", "AUD-1", "GDPR-1")
def test_tells_that_it_was_opened_and_not_for_whom(hotel: Hotel) -> None:
    body = opening(
        hotel,
        guest={"name": "Zarmina Ahmadi", "addressLines": ["Flower Street 9"], "taxId": "T-4711"},
        reservationId="R-1",
    )

    folio = hotel.post("/folios", body, token=hotel.token(sub="laila")).json

    (event,) = hotel.events("folio.opened")
    assert (event["subject"], event["sequence"]) == (folio["folioId"], "1")
    assert event["data"]["reservationId"] == "R-1"
    assert event["tenantid"] == str(hotel.tenant_id)
    (entry,) = trail(hotel, "folio.opened")
    assert (entry["actor"], entry["digest_before"]) == ("laila", None)
    assert_books_are_right(hotel)
    assert_nothing_personal(hotel, "Zarmina", "Flower", "T-4711")
