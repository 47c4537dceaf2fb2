"""Credits move between the accounts of a tenant: none is made, lost or renewed by it (CRD-1)."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.hotel import Hotel, House
from tests.prepaying import (
    available,
    bought,
    claw_back,
    deduct,
    entries,
    granted,
    held,
    lots,
    transfer,
)
from tests.proofs import assert_answers_once, assert_books_are_right, assert_refused, state, told
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("CRD-1")


def test_moves_credits_to_an_account_that_opens_with_them(hotel: Hotel) -> None:
    granted(hotel, 10)

    answer = transfer(hotel, 4, "spa", reason="For the spa's own messages")

    assert answer.status_code == 201, answer.text
    left, reached = answer.json["left"], answer.json["reached"]
    assert (left["account"], left["availableMicro"]) == ("main", 6_000_000)
    assert (reached["account"], reached["availableMicro"]) == ("spa", 4_000_000)
    assert (left["entry"]["kind"], reached["entry"]["kind"]) == ("transfer_out", "transfer_in")
    assert left["entry"]["reason"] == "For the spa's own messages"
    assert (available(hotel), available(hotel, "spa")) == (6_000_000, 4_000_000)
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("CRD-2")
def test_what_moves_keeps_its_source_and_its_end(
    hotel: Hotel, clock: Callable[[str], None]
) -> None:
    """5 until noon of the next day: moving them does not make them last any longer."""
    clock("2026-03-01T12:00:00+00:00")
    granted(hotel, 5, expiresAt="2026-03-02T12:00:00Z")
    bought(hotel, 5)

    transfer(hotel, 7, "spa")

    assert lots(hotel) == [["promotion", 0, 0], ["purchase", 3, 0]]
    assert sorted(lots(hotel, "spa")) == [["promotion", 5, 0], ["purchase", 2, 0]]
    clock("2026-03-02T12:00:01+00:00")
    assert available(hotel, "spa") == 2_000_000
    assert broken(hotel) == []


def test_credits_that_come_back_are_the_lot_that_they_were(hotel: Hotel) -> None:
    """There, back and there again: one lot in each account, however often."""
    granted(hotel, 10)
    for _ in range(3):
        assert transfer(hotel, 10, "spa").status_code == 201
        assert transfer(hotel, 10, "main", fromAccount="spa").status_code == 201

    assert lots(hotel) == [["promotion", 10, 0]]
    assert lots(hotel, "spa") == [["promotion", 0, 0]]
    assert broken(hotel) == []


@pytest.mark.req("CRD-5")
def test_what_was_bought_pays_the_debt_of_the_account_that_it_reaches(hotel: Hotel) -> None:
    """10 were bought, spent and refunded: 10 are owed. The spa's account, which owes nothing, has 3
    as a gift and 12 that were bought. 14 move: 3 stay a gift, 10 of the 11 pay the debt."""
    key = bought(hotel, 10)
    deduct(hotel, 10)
    assert claw_back(hotel, key, 10).json["debtMicro"] == 10_000_000
    granted(hotel, 3, account="spa")
    bought(hotel, 12, account="spa")

    answer = transfer(hotel, 14, "main", fromAccount="spa")

    reached = answer.json["reached"]
    assert (reached["entry"]["kind"], reached["entry"]["amountMicro"]) == (
        "transfer_in",
        14_000_000,
    )
    assert (reached["availableMicro"], reached["debtMicro"]) == (4_000_000, 0)
    assert entries(hotel)[-1][:2] == ["debt_paid", -10]
    assert sorted(lots(hotel))[0] == ["promotion", 3, 0]
    transferred = hotel.events("credits.transferred")[-1]["data"]
    assert [each["kind"] for each in transferred["entries"]] == ["transfer_in", "debt_paid"]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_refuses_what_cannot_move(house: House) -> None:
    """10 are there, of which 4 are held; the other account may hold 8 at most."""
    hotel = house.new_hotel(credits={"maximumBalance": 8})
    bought(hotel, 20)
    held(hotel, 4)
    before = state(hotel)

    assert_refused(transfer(hotel, 17, "spa"), 402, "INSUFFICIENT_CREDITS")
    assert_refused(transfer(hotel, 9, "spa"), 422, "CREDIT_BALANCE_LIMIT")
    assert_refused(transfer(hotel, 1, "main"), 422, "CREDIT_TRANSFER_SAME_ACCOUNT")
    nobody = transfer(hotel, 1, "main", fromAccount="nobody")
    assert_refused(nobody, 404, "CREDIT_ACCOUNT_UNKNOWN")
    assert state(hotel) == before


@pytest.mark.req("API-4")
def test_a_retry_gets_the_same_answer_and_moves_once(hotel: Hotel) -> None:
    granted(hotel, 10)
    body = {"toAccount": "spa", "creditsMicro": 4_000_000}

    assert_answers_once(hotel, "/credits/transfer", body, {**body, "creditsMicro": 5})

    assert available(hotel, "spa") == 4_000_000


def test_eight_at_once_in_both_directions_come_to_what_they_should(hotel: Hotel) -> None:
    """Four move 3 there, four move 2 back: 20 - 12 + 8 and 20 + 12 - 8, and nobody waits."""
    granted(hotel, 20)
    granted(hotel, 20, account="spa")
    there = [partial(transfer, hotel, 3, "spa")] * 4
    back = [partial(transfer, hotel, 2, "main", fromAccount="spa")] * 4

    answers = at_once([*there, *back])

    assert [answer.status_code for answer in answers] == [201] * 8
    assert (available(hotel), available(hotel, "spa")) == (16_000_000, 24_000_000)
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_accounts_are_held_in_one_order_whichever_is_asked_first(hotel: Hotel) -> None:
    """Who holds the account with the smaller id lets nobody have the other one meanwhile."""
    granted(hotel, 10)
    granted(hotel, 10, account="spa")
    (first, last) = (
        row[0] for row in hotel.rows("SELECT name FROM {s}.credit_accounts ORDER BY id")
    )
    lock = f"SELECT FROM {hotel.schema}.credit_accounts WHERE name = :name FOR UPDATE NOWAIT"
    with hotel.house.session() as holder, hotel.house.session() as other:
        holder.run("BEGIN")
        holder.run(lock, name=first)

        def then_free() -> None:
            hotel.house.until_waiting(holder)
            other.run(lock, name=last)
            holder.run("ROLLBACK")

        moved, _ = at_once(
            [lambda: transfer(hotel, 1, first, fromAccount=last), then_free]  # type: ignore[list-item]
        )

    assert moved.status_code == 201


def test_one_credit_goes_to_one_of_two(hotel: Hotel) -> None:
    granted(hotel, 1)

    answers = at_once([partial(transfer, hotel, 1, name) for name in ("spa", "bar")])

    assert sorted(answer.status_code for answer in answers) == [201, 402]
    assert broken(hotel) == []


@pytest.mark.req("EVT-2")
def test_both_accounts_tell_their_half(hotel: Hotel) -> None:
    granted(hotel, 10)
    transfer(hotel, 4, "spa")
    deduct(hotel, 4, account="spa")

    assert told(hotel) == [
        "credits.granted",
        "credits.transferred",
        "credits.transferred",
        "credits.deducted",
    ]
    left, reached = (event["data"] for event in hotel.events("credits.transferred"))
    assert (left["account"], reached["account"]) == ("main", "spa")
    assert {(e["fromAccount"], e["toAccount"]) for e in (left, reached)} == {("main", "spa")}
    assert entries(hotel, "spa") == [["transfer_in", 4, 0, 0], ["spend", -4, 0, 0]]
