"""A difference is explained by a third person; a count may be sent back (CASH-5, CASH-8)."""

from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.cash.acknowledge_discrepancy import acknowledge_discrepancy
from functions.cash.return_to_open import return_to_open
from tests.hotel import Hotel, new_id, usd
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.till import CLOSE, Till, signed
from tests.together import at_once

STEP_UP = "MELMASTOON.IAM.STEP_UP_"
ACKNOWLEDGING: list[tuple[str, int, str]] = [
    ("CASH_SESSION_UNKNOWN", 404, "farid"),
    ("CASH_NOTHING_TO_ACKNOWLEDGE", 409, "farid"),
    ("CASH_SAME_PERSON", 403, "karim"),
    ("CASH_SAME_PERSON", 403, "laila"),
]
RETURNING: list[tuple[str, int, int]] = [
    ("CASH_SESSION_UNKNOWN", 404, 1),
    ("CASH_SESSION_NOT_PENDING", 409, 1),
    ("CASH_COUNT_DIFFERS", 409, 2),
]


def waiting(hotel: Hotel) -> Till:
    """A count of 95.00 where 100.00 are due."""
    till = Till.opened(hotel, usd(10_000))
    assert till.initiate(usd(9_500)).status_code == 200
    return till


def short(hotel: Hotel) -> Till:
    """A drawer that was closed 5.00 short."""
    till = waiting(hotel)
    assert till.close(usd(9_500)).status_code == 200
    return till


@pytest.mark.req("CASH-1", "CASH-5", "SEC-4", "AUD-1")
def test_a_difference_is_explained_by_a_third_person(hotel: Hotel) -> None:
    till = short(hotel)

    answer = till.acknowledge(explanation="A note was torn")

    assert answer.status_code == 200, answer.text
    assert (answer.json["status"], answer.json["acknowledgedBy"], answer.json["explanation"]) == (
        "acknowledged", "farid", "A note was torn",
    )  # fmt: skip
    (row,) = hotel.rows(
        "SELECT acknowledged_by, acknowledging_token_id, acknowledging_assertion_hash, explanation"
        " FROM {s}.cash_sessions"
    )
    (entry,) = trail(hotel, "cash_drawer.acknowledged")
    assert [
        entry["actor"],
        entry["step_up_token_id"],
        entry["assertion_hash"],
        entry["reason"],
    ] == (row)
    assert_books_are_right(hotel)


@pytest.mark.req("CASH-5", "API-3")
@pytest.mark.parametrize(("code", "status", "who"), ACKNOWLEDGING)
def test_refuses_an_explanation_and_changes_nothing(
    hotel: Hotel, code: str, status: int, who: str
) -> None:
    till = waiting(hotel) if code == "CASH_NOTHING_TO_ACKNOWLEDGE" else short(hotel)
    if code == "CASH_SESSION_UNKNOWN":
        till.session = new_id("cds")
    before = state(hotel, without=("audit_entries",))

    answer = till.acknowledge(by=who)

    assert_refused(answer, status, code)
    assert state(hotel, without=("audit_entries",)) == before
    attempts = [each["actor"] for each in trail(hotel, "security.attempt_refused")]
    assert attempts == ([who] if code == "CASH_SAME_PERSON" else [])


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    acknowledging = {each.code for each in declaration_of(acknowledge_discrepancy).refusals}
    returning = {each.code for each in declaration_of(return_to_open).refusals}

    assert acknowledging == {code for code, _, _ in ACKNOWLEDGING}
    assert returning == {code for code, _, _ in RETURNING}


@pytest.mark.req("CASH-5", "API-4")
def test_of_many_explanations_at_once_one_stands_and_comes_again_as_it_was(hotel: Hotel) -> None:
    till = short(hotel)
    calls = [
        partial(till.acknowledge, by=f"boss-{n}", explanation=f"Reason {n}", key=f"key-{n}")
        for n in range(5)
    ]

    answers = at_once(calls)

    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 4]
    ((place, first),) = [(n, a) for n, a in enumerate(answers) if a.status_code == 200]
    again = till.acknowledge(by=f"boss-{place}", explanation=f"Reason {place}", key=f"key-{place}")
    assert again.data == first.data
    assert len(trail(hotel, "cash_drawer.acknowledged")) == 1
    assert_books_are_right(hotel)


@pytest.mark.req("CASH-5", "EVT-2")
def test_tells_who_explained_it(hotel: Hotel) -> None:
    short(hotel).acknowledge(explanation="A note was torn")

    assert told(hotel)[-1] == "cash_drawer.acknowledged"
    data = hotel.events("cash_drawer.acknowledged")[0]["data"]
    assert (data["acknowledgedBy"], data["explanation"]) == ("farid", "A note was torn")


@pytest.mark.req("CASH-8", "CASH-1", "SEC-4", "AUD-1")
def test_a_count_is_sent_back_with_a_reason_and_cash_moves_again(hotel: Hotel) -> None:
    till = waiting(hotel)

    answer = till.send_back()

    assert answer.status_code == 200, answer.text
    assert (answer.json["status"], answer.json["counts"], answer.json["closedBy"]) == (
        "open", 1, None,
    )  # fmt: skip
    assert till.pay(usd(100)).status_code == 201
    assert till.initiate(usd(10_100), number=2).status_code == 200
    assert till.close(usd(10_100), number=2).json["result"] == "balanced"
    (entry,) = trail(hotel, "cash_drawer.returned_to_open")
    assert (entry["actor"], entry["reason"]) == ("laila", "The coins were not counted")
    assert entry["step_up_token_id"] is not None
    assert_books_are_right(hotel)


@pytest.mark.req("CASH-8", "API-3")
@pytest.mark.parametrize(("code", "status", "number"), RETURNING)
def test_refuses_to_send_a_count_back_and_changes_nothing(
    hotel: Hotel, code: str, status: int, number: int
) -> None:
    till = short(hotel) if code == "CASH_SESSION_NOT_PENDING" else waiting(hotel)
    if code == "CASH_SESSION_UNKNOWN":
        till.session = new_id("cds")
    before = state(hotel)

    answer = till.send_back(number=number)

    assert_refused(answer, status, code)
    assert state(hotel) == before


@pytest.mark.req("CASH-8", "SEC-4")
def test_sends_nothing_back_that_was_not_confirmed(hotel: Hotel) -> None:
    """A confirmation of the close is none of sending the count back, and the other way round."""
    till = waiting(hotel)
    close = till.shown()["stepUpContexts"]["close"]
    assert till.shown()["stepUpContexts"]["returnToOpen"] == signed(
        deed="cash_drawer.return_to_open",
        tenant=str(hotel.tenant_id),
        session=till.session,
        number=1,
    )
    body = {
        "countNumber": 1,
        "reason": "The coins",
        "stepUpToken": hotel.confirmation("laila", CLOSE, close),
    }

    answer = hotel.post(till.path("/return-to-open"), body, token=hotel.token(sub="laila"))

    assert_refused(answer, 403, STEP_UP + "CONTEXT")


@pytest.mark.req("CASH-1", "CASH-8")
def test_closing_and_sending_back_at_once_leave_one_of_the_two(hotel: Hotel) -> None:
    for _ in range(5):
        till = waiting(hotel)

        closed, returned = at_once(
            [partial(till.close, usd(9_500)), partial(till.send_back, by="farid")]
        )

        statuses: list[Any] = sorted([closed.status_code, returned.status_code])
        assert statuses == [200, 409]
        shown = till.shown()["status"]
        assert shown == ("closed" if closed.status_code == 200 else "open")
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-2")
def test_tells_that_a_count_was_sent_back(hotel: Hotel) -> None:
    waiting(hotel).send_back()

    assert told(hotel)[-1] == "cash_drawer.returned_to_open"
    data = hotel.events("cash_drawer.returned_to_open")[0]["data"]
    assert (data["countNumber"], data["reason"]) == (1, "The coins were not counted")
