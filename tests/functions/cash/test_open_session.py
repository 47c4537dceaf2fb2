"""Opening a drawer with a counted float from the safe: one session at a time."""

from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.cash.open_session import open_session
from tests.hotel import Hotel, new_id, usd
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    told,
    trail,
)
from tests.till import Till, by_pieces, counted, new_drawer, open_drawer
from tests.together import at_once

EUROS = {"amountMicro": 50_000_000, "currency": "EUR"}
CROOKED = {"amount": usd(100), "denominations": [{"valueMicro": 500_000, "pieces": 1}]}
REFUSALS: list[tuple[str, int, list[dict[str, Any]]]] = [
    ("CASH_DRAWER_UNKNOWN", 404, counted(usd(100))),
    ("CASH_DRAWER_FROZEN", 409, counted(usd(100))),
    ("CASH_DRAWER_OPEN", 409, counted(usd(100))),
    ("CASH_COUNT_INVALID", 422, [CROOKED]),
    ("CASH_COUNT_INVALID", 422, counted(usd(100), usd(200))),
    ("PROPERTY_UNKNOWN", 404, counted(usd(100))),
]


@pytest.mark.req("CASH-1", "CASH-2", "CASH-3", "MON-6")
def test_takes_the_float_out_of_the_safe_in_each_currency(hotel: Hotel) -> None:
    """Two fifties are 100.00 USD; 50.00 EUR are given as a sum."""
    drawer = new_drawer(hotel)
    opening = [by_pieces("USD", (5_000, 2)), {"amount": EUROS}]

    answer = hotel.post(
        f"/cash-drawers/{drawer}/sessions", {"opening": opening}, token=hotel.token(sub="karim")
    )

    assert answer.status_code == 201, answer.text
    told_of = answer.json
    assert (told_of["status"], told_of["openedBy"], told_of["counts"]) == ("open", "karim", 0)
    assert told_of["expected"] is None, "it is counted blind"
    session = told_of["cashSessionId"]
    entries = hotel.rows(
        "SELECT debit_account, credit_account, amount_micro, currency, cash_session_id, folio_id"
        " FROM {s}.ledger_entries ORDER BY currency"
    )
    assert entries == [
        [f"cash:{session}", "cash_safe", 50_000_000, "EUR", session, None],
        [f"cash:{session}", "cash_safe", 100_000_000, "USD", session, None],
    ]
    assert_books_are_right(hotel)


@pytest.mark.req("CASH-1")
def test_opens_with_nothing_in_it(hotel: Hotel) -> None:
    for opening in ([], counted(usd(0))):
        answer = hotel.post(f"/cash-drawers/{new_drawer(hotel)}/sessions", {"opening": opening})
        assert answer.status_code == 201, answer.text
    assert hotel.rows("SELECT count(*) FROM {s}.ledger_entries") == [[0]]


@pytest.mark.req("CASH-1", "CASH-6", "API-3")
@pytest.mark.parametrize(("code", "status", "opening"), REFUSALS)
def test_refuses_and_changes_nothing(
    hotel: Hotel, code: str, status: int, opening: list[dict[str, Any]]
) -> None:
    drawer = new_drawer(hotel)
    if code == "CASH_DRAWER_OPEN":
        assert open_drawer(hotel, drawer, usd(100)).status_code == 201
    if code == "CASH_DRAWER_FROZEN":
        frozen = {"active": False, "reason": "Broken"}
        assert hotel.call("PATCH", f"/cash-drawers/{drawer}", frozen).status_code == 200
    if code == "PROPERTY_UNKNOWN":
        hotel.write_settings(properties=[])
    before = state(hotel)

    asked = new_id("cdr") if code == "CASH_DRAWER_UNKNOWN" else drawer
    answer = hotel.post(f"/cash-drawers/{asked}/sessions", {"opening": opening})

    assert_refused(answer, status, code)
    assert state(hotel) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(open_session).refusals}

    assert declared == {code for code, _, _ in REFUSALS}


@pytest.mark.req("API-4", "API-9")
def test_answers_a_retry_with_the_first_answer_and_one_effect(hotel: Hotel) -> None:
    path = f"/cash-drawers/{new_drawer(hotel)}/sessions"
    body = {"id": new_id("cds"), "opening": counted(usd(100))}

    assert_answers_once(hotel, path, body, {**body, "opening": counted(usd(101))})
    other = hotel.post(path, {**body, "opening": counted(usd(101))})
    assert_refused(other, 409, "MELMASTOON.GENERAL.ID_CONFLICT")


@pytest.mark.req("CASH-1")
def test_of_many_who_open_one_drawer_at_once_one_does(hotel: Hotel) -> None:
    drawer = new_drawer(hotel)

    answers = at_once(
        [partial(open_drawer, hotel, drawer, usd(100), by=f"clerk-{n}") for n in range(8)]
    )

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201, *[409] * 7]
    assert {a.json["code"] for a in answers if a.status_code == 409} == {
        "MELMASTOON.BILLING.CASH_DRAWER_OPEN"
    }
    assert hotel.rows("SELECT count(*) FROM {s}.cash_sessions") == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.req("CASH-1")
def test_a_drawer_is_opened_again_when_it_is_closed_and_not_while_it_waits(hotel: Hotel) -> None:
    till = Till.opened(hotel, usd(100))
    till.initiate(usd(100))

    waiting = open_drawer(hotel, till.drawer, usd(100))
    till.close(usd(100))
    closed = open_drawer(hotel, till.drawer, usd(100))

    assert_refused(waiting, 409, "CASH_DRAWER_OPEN")
    assert closed.status_code == 201


@pytest.mark.req("EVT-1", "EVT-2", "AUD-1", "CASH-3")
def test_tells_that_it_was_opened_and_not_with_how_much(hotel: Hotel) -> None:
    till = Till.opened(hotel, usd(12_345), by="laila")

    (event,) = hotel.events("cash_drawer.opened")
    assert told(hotel) == ["cash_drawer.opened"]
    assert event["data"]["cashSessionId"] == till.session
    assert event["data"]["openedBy"] == "laila"
    assert "amountMicro" not in str(event)
    (entry,) = trail(hotel, "cash_drawer.opened")
    assert (entry["actor"], entry["aggregate_id"]) == ("laila", till.session)
    assert "123450000" not in str(entry)


@pytest.mark.req("CASH-11")
@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-03-01T22:29:59+00:00", "2026-03-01"),
        ("2026-03-01T22:30:01+00:00", "2026-03-02"),
    ],
)
def test_belongs_to_the_business_date_of_the_house(hotel: Hotel, clock: Any, instant: str, day: str
) -> None:  # fmt: skip
    """In Kabul (UTC+4:30) the day ends at three in the morning."""
    clock(instant)

    till = Till.opened(hotel, usd(100))

    assert till.shown()["businessDate"] == day
    dates = hotel.rows("SELECT DISTINCT business_date::text FROM {s}.ledger_entries")
    assert dates == [[day]]
