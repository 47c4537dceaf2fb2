"""Folios that open by themselves: at the confirmation, or at the check-in (FOL-2)."""

from functools import partial
from typing import Any

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.proofs import assert_books_are_right, assert_nothing_personal, state, told, trail
from tests.together import at_once

CONFIRMED, CHECKED_IN = "on_reservation_confirmed", "on_reservation_checked_in"
KEPT_ASIDE = ("inbox", "idempotency_keys")
RATE = {"base": "EUR", "quote": "USD", "source": "test", "takenAt": "2026-01-01T00:00:00Z"}


def reservation(hotel: Hotel, **more: Any) -> dict[str, Any]:
    return {
        "reservationId": "R-1",
        "propertyId": str(hotel.property_id),
        "guest": {"name": "Zarmina Ahmadi", "loyalty": "gold"},
        "arrival": "2026-03-01",
        "departure": "2026-03-04",
        "channel": "web",
        **more,
    }


def _folios(hotel: Hotel) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = hotel.get("/folios").json["items"]
    return items


@pytest.mark.req("FOL-2", "FOL-1", "EVT-3")
def test_opens_at_the_confirmation_where_the_tenant_opens_eagerly(hotel: Hotel) -> None:
    answer = hotel.deliver(CONFIRMED, reservation(hotel))

    assert answer.status_code == 204, answer.text
    (folio,) = _folios(hotel)
    assert (folio["reservationId"], folio["guestName"]) == ("R-1", "Zarmina Ahmadi")
    assert folio["stay"] == {"arrival": "2026-03-01", "departure": "2026-03-04"}
    assert (folio["balance"], folio["currency"]) == (usd(0), "USD")
    assert [rate["rate"] for rate in folio["fxSnapshots"]] == ["1.10"]


@pytest.mark.req("FOL-2", "MON-5")
def test_waits_for_the_check_in_where_it_is_deferred_and_takes_the_rates_of_then(
    hotel: Hotel,
) -> None:
    """Confirmed at 1.10, checked in at 1.25."""
    hotel.write_settings(eagerOpen=False)

    confirmed = hotel.deliver(CONFIRMED, reservation(hotel))
    early = _folios(hotel)
    hotel.write_settings(eagerOpen=False, fxRates=[{**RATE, "rate": "1.25"}])
    checked_in = hotel.deliver(CHECKED_IN, reservation(hotel))

    assert (confirmed.status_code, checked_in.status_code) == (204, 204)
    assert early == []
    (folio,) = _folios(hotel)
    assert [rate["rate"] for rate in folio["fxSnapshots"]] == ["1.25"]


@pytest.mark.req("FOL-2", "FOL-1", "MON-5")
def test_the_check_in_leaves_a_folio_that_is_open_as_it_is(hotel: Hotel) -> None:
    """With the rates of its confirmation, whatever they are by now; its stay has begun."""
    hotel.deliver(CONFIRMED, reservation(hotel))
    hotel.write_settings(fxRates=[{**RATE, "rate": "1.25"}])
    aside = (*KEPT_ASIDE, "stays")
    before = state(hotel, without=aside)

    hotel.deliver(CHECKED_IN, reservation(hotel))

    assert state(hotel, without=aside) == before
    assert hotel.rows("SELECT checked_in_at IS NOT NULL FROM {s}.stays") == [[True]]
    assert [rate["rate"] for rate in _folios(hotel)[0]["fxSnapshots"]] == ["1.10"]


@pytest.mark.req("EVT-5", "FOL-1")
def test_opens_one_folio_when_the_check_in_comes_first_and_everything_twice(
    hotel: Hotel,
) -> None:
    body = reservation(hotel)

    answers = [
        hotel.deliver(consumer, body, event_id=f"evt_{consumer}")
        for consumer in (CHECKED_IN, CONFIRMED, CONFIRMED, CHECKED_IN)
    ]

    assert {answer.status_code for answer in answers} == {204}
    assert told(hotel) == ["folio.opened"]
    assert hotel.letters() == []


@pytest.mark.req("EVT-5", "FOL-1")
def test_opens_one_folio_when_desk_confirmation_and_check_in_come_at_once(hotel: Hotel) -> None:
    body = reservation(hotel)
    desk = {
        "propertyId": body["propertyId"],
        "reservationId": "R-1",
        "guest": {"name": "Zarmina Ahmadi"},
    }

    opened, *taken = at_once(
        [
            partial(hotel.post, "/folios", desk),
            partial(hotel.deliver, CONFIRMED, body),
            partial(hotel.deliver, CHECKED_IN, body),
            partial(hotel.deliver, CHECKED_IN, body),
        ]
    )

    assert opened.status_code == 201
    assert {answer.status_code for answer in taken} == {204}
    (folio,) = _folios(hotel)
    assert folio["folioId"] == opened.json["folioId"]
    assert told(hotel) == ["folio.opened"]
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-5", "FOL-2")
@pytest.mark.parametrize("consumer", [CONFIRMED, CHECKED_IN])
@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("BILLING.PROPERTY_UNKNOWN", {"propertyId": "00000000-0000-4000-8000-000000000000"}),
        ("BILLING.STAY_INVALID", {"departure": "2026-02-28"}),
        ("BILLING.WINDOW_UNKNOWN", {"routing": {"spa": "company"}}),
        ("BILLING.CURRENCY_MISMATCH", {"fxSnapshots": [{**RATE, "quote": "GBP", "rate": "1"}]}),
        ("BILLING.FX_RATE_INVALID", {"fxSnapshots": [{**RATE, "rate": "0"}]}),
        ("GENERAL.VALIDATION_FAILED", {"arrival": None}),
        ("BILLING.PAN_DETECTED", {"guest": {"name": "4111 1111 1111 1111"}}),
    ],
)
def test_keeps_with_its_reason_what_cannot_be_opened(
    hotel: Hotel, consumer: str, code: str, more: dict[str, Any]
) -> None:
    before = state(hotel)

    answer = hotel.deliver(consumer, reservation(hotel, **more))

    assert answer.status_code == 204
    assert state(hotel) == before
    if code == "BILLING.PAN_DETECTED":
        return  # the letter was withheld: its message cannot be searched for the tenant
    assert [letter.split(":")[0] for letter in hotel.letters()] == [f"MELMASTOON.{code}"]


@pytest.mark.req("EVT-1", "AUD-1", "GDPR-1")
def test_tells_that_it_was_opened_and_not_for_whom(hotel: Hotel) -> None:
    hotel.deliver(CONFIRMED, reservation(hotel))

    (event,) = hotel.events("folio.opened")
    assert event["data"]["reservationId"] == "R-1"
    (entry,) = trail(hotel, "folio.opened")
    assert (entry["actor"], entry["auth_strength"]) == (f"system:{CONFIRMED}", "service")
    assert_books_are_right(hotel)
    assert_nothing_personal(hotel, "Zarmina", "gold")


@pytest.mark.req("FOL-2", "FOL-1")
def test_a_reservation_opened_by_an_event_is_the_desks_folio_too(hotel: Hotel) -> None:
    """The clerk who opens it again is answered the folio that is there, whatever id they bring."""
    hotel.deliver(CONFIRMED, reservation(hotel))

    answer = hotel.post(
        "/folios",
        {
            "id": new_id("fol"),
            "propertyId": str(hotel.property_id),
            "reservationId": "R-1",
            "guest": {"name": "Somebody else"},
        },
    )

    assert answer.json["folioId"] == _folios(hotel)[0]["folioId"]
