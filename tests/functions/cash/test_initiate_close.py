"""Counting a drawer and signing the count: what is due is read then, and no cash moves after it."""

from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.cash.initiate_close import initiate_close
from tests.hotel import Hotel, new_id, usd
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.till import CLOSE, Till, by_pieces, counted
from tests.together import at_once

CROOKED = [{"amount": usd(100), "denominations": [{"valueMicro": 500_000, "pieces": 1}]}]
STEP_UP = "MELMASTOON.IAM.STEP_UP_"
REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("CASH_SESSION_UNKNOWN", 404, {}),
    ("CASH_SESSION_NOT_OPEN", 409, {}),
    ("CASH_COUNT_INVALID", 422, {"count": CROOKED, "token": "any"}),
    ("CASH_COUNT_DIFFERS", 409, {"number": 2}),
]


@pytest.fixture
def till(hotel: Hotel) -> Till:
    return Till.opened(hotel, usd(10_000))


@pytest.mark.req("CASH-1", "CASH-2", "CASH-3", "BEY-1")
def test_waits_for_a_second_person_with_a_count_by_pieces_in_two_currencies(till: Till) -> None:
    """A hundred, four twenties, five quarters: 181.25 USD. And 70.00 EUR that nobody expects."""
    count = [
        by_pieces("USD", (10_000, 1), (2_000, 4), (25, 5)),
        {"amount": {"amountMicro": 70_000_000, "currency": "EUR"}},
    ]

    answer = till.initiate(count=count)

    assert answer.status_code == 200, answer.text
    told_of = answer.json
    assert (told_of["status"], told_of["closedBy"], told_of["counts"]) == (
        "pending_close", "karim", 1,
    )  # fmt: skip
    assert [part["amount"]["amountMicro"] for part in told_of["count"]] == [70_000_000, 181_250_000]
    assert told_of["countSha256"] == told_of["stepUpContexts"]["close"] == till.context(count)
    ((expected, token_id, assertion),) = till.hotel.rows(
        "SELECT expected, closing_token_id, closing_assertion_hash FROM {s}.cash_sessions"
    )
    assert expected == [{"currency": "USD", "amountMicro": 100_000_000}]
    (entry,) = trail(till.hotel, "cash_drawer.close_initiated")
    assert (entry["step_up_token_id"], entry["assertion_hash"]) == (token_id, assertion)
    assert_books_are_right(till.hotel)


@pytest.mark.req("CASH-2", "API-3")
@pytest.mark.parametrize(("code", "status", "given"), REFUSALS)
def test_refuses_and_changes_nothing(
    till: Till, code: str, status: int, given: dict[str, Any]
) -> None:
    if code == "CASH_SESSION_NOT_OPEN":
        assert till.initiate(usd(10_000)).status_code == 200
        given = {"number": 2}
    if code == "CASH_SESSION_UNKNOWN":
        till.session = new_id("cds")
    before = state(till.hotel)

    answer = till.initiate(usd(9_000), **given)

    assert_refused(answer, status, code)
    assert state(till.hotel) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(initiate_close).refusals}

    assert declared == {code for code, _, _ in REFUSALS}


@pytest.mark.req("BEY-1", "SEC-4")
@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("REQUIRED", {}),
        ("CONTEXT", {"count": counted(usd(10_001))}),
        ("CONTEXT", {"count": [by_pieces("USD", (10_000, 1))]}),
        ("CONTEXT", {"number": 2}),
        ("CONTEXT", {"by": "laila"}),
        ("ACTOR", {"sub": "laila"}),
        ("SCOPE", {"scope": CLOSE}),
    ],
)
def test_takes_no_count_that_who_counted_has_not_signed(
    till: Till, code: str, changed: dict[str, Any]
) -> None:
    """The count is 100.00, made by Karim for the first time; what was signed is something else."""
    asked = {"by": "karim", "number": 1, "count": counted(usd(10_000))} | changed
    context = till.context(asked["count"], number=asked["number"], by=asked["by"])
    token = till.hotel.confirmation(
        changed.get("sub", "karim"), changed.get("scope", "billing.cash_drawer.operate"), context
    )
    before = state(till.hotel)

    answer = till.initiate(usd(10_000), token="" if code == "REQUIRED" else token)

    assert_refused(answer, 403, STEP_UP + code)
    assert state(till.hotel) == before


@pytest.mark.req("CASH-7", "API-4")
def test_a_count_that_comes_again_after_a_reconnect_is_answered_as_the_first(till: Till) -> None:
    """Even when its confirmation has expired since; with another count it is refused."""
    first = till.initiate(usd(10_000), key="desktop-7")
    after = state(till.hotel)

    again = till.initiate(usd(10_000), key="desktop-7")
    late = till.initiate(usd(10_000), key="desktop-7", token="gone")
    other = till.initiate(usd(9_999), key="desktop-7")
    anew = till.initiate(usd(10_000))

    assert again.data == late.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert_refused(other, 422, "MELMASTOON.GENERAL.IDEMPOTENCY_KEY_REUSED")
    assert_refused(anew, 409, "CASH_SESSION_NOT_OPEN")
    assert state(till.hotel) == after


@pytest.mark.req("CASH-1")
def test_of_two_who_count_at_once_one_does(till: Till) -> None:
    answers = at_once([partial(till.initiate, usd(10_000 + n), by=f"clerk-{n}") for n in range(6)])

    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    assert len(trail(till.hotel, "cash_drawer.close_initiated")) == 1
    assert_books_are_right(till.hotel)


@pytest.mark.req("EVT-1", "EVT-2", "CASH-3")
def test_tells_that_a_count_waits_and_not_what_was_counted(till: Till) -> None:
    till.initiate(usd(10_000))

    assert told(till.hotel) == ["cash_drawer.opened", "cash_drawer.close_initiated"]
    data = till.hotel.events("cash_drawer.close_initiated")[0]["data"]
    assert (data["closedBy"], data["countNumber"]) == ("karim", 1)
    assert "amountMicro" not in str(data)
