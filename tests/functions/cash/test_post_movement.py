"""Cash that is paid in, paid out or dropped: with a reason, and never while a count waits."""

from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.cash.post_movement import post_movement
from tests.hotel import Hotel, new_id, usd
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    told,
    trail,
)
from tests.till import Till
from tests.together import at_once

TAXI = {"kind": "paid_out", "amount": usd(700), "reason": "Taxi for a guest"}
REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("CASH_SESSION_UNKNOWN", 404, TAXI),
    ("CASH_SESSION_NOT_OPEN", 409, TAXI),
    ("AMOUNT_NOT_POSITIVE", 422, {**TAXI, "amount": usd(0)}),
    ("AMOUNT_NOT_POSITIVE", 422, {**TAXI, "amount": usd(-1)}),
    ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400, {**TAXI, "kind": "turned_in"}),
    ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400, {**TAXI, "reason": ""}),
]


@pytest.fixture
def till(hotel: Hotel) -> Till:
    return Till.opened(hotel, usd(10_000))


@pytest.mark.req("CASH-2", "MON-6")
@pytest.mark.parametrize(
    ("kind", "debit", "credit", "left"),
    [
        ("paid_in", "drawer", "cash_paid_in", 10_700),
        ("paid_out", "cash_paid_out", "drawer", 9_300),
        ("drop", "cash_safe", "drawer", 9_300),
    ],
)
def test_moves_the_float(till: Till, kind: str, debit: str, credit: str, left: int) -> None:
    """100.00, and 7.00 more or less."""
    answer = till.move(kind, usd(700))

    assert answer.status_code == 201, answer.text
    movement = answer.json["movement"]
    assert (movement["kind"], movement["amount"]) == (kind, usd(700))
    assert till.account() == {"USD": left}
    (entry,) = till.hotel.rows(
        "SELECT debit_account, credit_account FROM {s}.ledger_entries WHERE source = :id",
        id=movement["movementId"],
    )
    names = {f"cash:{till.session}": "drawer"}
    assert [names.get(account, account) for account in entry] == [debit, credit]
    assert_books_are_right(till.hotel)


@pytest.mark.req("CASH-3")
def test_takes_out_more_than_there_should_be_as_a_refusal_would_tell(till: Till) -> None:
    """100.00 should be there. Whoever could try 100.01 would know."""
    for cents in (10_001, 1):
        assert till.move("drop", usd(cents)).status_code == 201
    assert till.account() == {"USD": -2}
    assert_books_are_right(till.hotel)


@pytest.mark.req("CASH-2", "API-3")
@pytest.mark.parametrize(("code", "status", "body"), REFUSALS)
def test_refuses_and_changes_nothing(
    till: Till, code: str, status: int, body: dict[str, Any]
) -> None:
    if code == "CASH_SESSION_NOT_OPEN":
        assert till.initiate(usd(10_000)).status_code == 200
    before = state(till.hotel)

    asked = new_id("cds") if code == "CASH_SESSION_UNKNOWN" else till.session
    answer = till.hotel.post(f"/cash-sessions/{asked}/movements", body)

    assert_refused(answer, status, code)
    assert state(till.hotel) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(post_movement).refusals}

    assert declared <= {code for code, _, _ in REFUSALS}


@pytest.mark.req("API-4", "API-9")
def test_answers_a_retry_with_the_first_answer_and_one_effect(till: Till) -> None:
    path, body = till.path("/movements"), {**TAXI, "id": new_id("cmv")}

    assert_answers_once(till.hotel, path, body, {**body, "amount": usd(701)})
    other = till.hotel.post(path, {**body, "amount": usd(701)})
    assert_refused(other, 409, "MELMASTOON.GENERAL.ID_CONFLICT")


@pytest.mark.req("CASH-2")
def test_loses_none_of_many_at_once(till: Till) -> None:
    """100.00 less twenty times 1.00."""
    answers = at_once([partial(till.move, "drop", usd(100)) for _ in range(20)])

    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json["version"] for answer in answers) == list(range(2, 22))
    assert till.account() == {"USD": 8_000}
    assert_books_are_right(till.hotel)


@pytest.mark.req("EVT-1", "EVT-2", "AUD-1", "CASH-3")
def test_tells_that_cash_moved_and_not_how_much(till: Till) -> None:
    till.move("drop", usd(4_321), "Too much in the drawer")

    assert told(till.hotel) == ["cash_drawer.opened", "cash_drawer.cash_moved"]
    (event,) = till.hotel.events("cash_drawer.cash_moved")
    assert (event["data"]["kind"], event["data"]["reason"]) == ("drop", "Too much in the drawer")
    assert "43210000" not in str(event)
    (entry,) = trail(till.hotel, "cash_drawer.cash_moved")
    assert (entry["actor"], entry["reason"]) == ("karim", "Too much in the drawer")
