"""A dispute is won: everything is as if nothing had been taken back (CRD-5, BEY-7)."""

from functools import partial

import pytest

from tests.hotel import Hotel
from tests.prepaying import (
    SCOPE,
    available,
    balance,
    bought,
    claw_back,
    confirmed,
    deduct,
    entries,
    lots,
    reverse,
    transfer,
    waive,
)
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    told,
    trail,
)
from tests.till import signed
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("CRD-5", "BEY-7")


def test_what_was_taken_comes_back_and_what_is_owed_is_owed_no_more(hotel: Hotel) -> None:
    """10 bought, 7 spent, disputed: 3 taken, 7 owed. Won: 3 to spend, nothing owed."""
    key = bought(hotel, 10)
    deduct(hotel, 7)
    claw_back(hotel, key, 10, "dispute:dp_1")

    answer = reverse(hotel, "dispute:dp_1")

    assert answer.status_code == 201, answer.text
    shown = answer.json
    assert (shown["returnedMicro"], shown["cancelledMicro"]) == (3_000_000, 7_000_000)
    assert (shown["availableMicro"], shown["debtMicro"]) == (3_000_000, 0)
    assert lots(hotel) == [["purchase", 3, 0]]
    assert entries(hotel)[2:] == [["claw_back", -3, 0, 7], ["give_back", 3, 0, -7]]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_what_a_purchase_has_paid_of_the_debt_comes_back_as_credits(hotel: Hotel) -> None:
    """10 and 10 bought, 7 spent: 13 are the tenant's, once the dispute is won."""
    key = bought(hotel, 10)
    deduct(hotel, 7)
    claw_back(hotel, key, 10, "dispute:dp_1")
    bought(hotel, 10)
    assert available(hotel) == 3_000_000

    reverse(hotel, "dispute:dp_1")

    assert (available(hotel), balance(hotel)["debtMicro"]) == (13_000_000, 0)
    assert broken(hotel) == []


def test_what_was_waived_does_not_come_back(hotel: Hotel) -> None:
    """Nobody paid for the 7 that were spent but the purchase itself: 3 are left of its 10."""
    key = bought(hotel, 10)
    deduct(hotel, 7)
    claw_back(hotel, key, 10, "dispute:dp_1")
    waive(hotel, 7)

    reverse(hotel, "dispute:dp_1")

    assert (available(hotel), balance(hotel)["debtMicro"]) == (3_000_000, 0)
    assert broken(hotel) == []


def test_each_claw_back_gets_its_own_debt_back(hotel: Hotel) -> None:
    """5 and 4 bought and spent, both disputed: 9 owed, 5 waived (the first), 4 paid (the second).

    The first is won: nothing of it was paid, so nothing comes back. The second: its 4 do.
    """
    first, second = bought(hotel, 5), bought(hotel, 4)
    deduct(hotel, 9)
    claw_back(hotel, first, 5, "dispute:dp_1")
    claw_back(hotel, second, 4, "dispute:dp_2")
    waive(hotel, 5)
    bought(hotel, 4)

    assert reverse(hotel, "dispute:dp_1").json["returnedMicro"] == 0
    assert reverse(hotel, "dispute:dp_2").json["returnedMicro"] == 4_000_000
    assert available(hotel) == 4_000_000
    assert broken(hotel) == []


def test_refunded_again_after_the_dispute_was_won(hotel: Hotel) -> None:
    """Refunded 4, disputed the other 6 and won, then refunded these 6: 10 taken, none left."""
    key = bought(hotel, 10)
    claw_back(hotel, key, 4, "refund:rfd_1")
    claw_back(hotel, key, 6, "dispute:dp_1")
    assert_refused(claw_back(hotel, key, 1), 422, "CLAW_BACK_EXCEEDS_GRANT")
    reverse(hotel, "dispute:dp_1")

    again = claw_back(hotel, key, 6, "refund:rfd_2")

    assert (again.json["takenMicro"], again.json["debtMicro"]) == (6_000_000, 0)
    assert available(hotel) == 0
    assert_refused(claw_back(hotel, key, 1), 422, "CLAW_BACK_EXCEEDS_GRANT")
    assert broken(hotel) == []


def test_comes_back_where_it_was_granted(hotel: Hotel) -> None:
    """4 of 10 were moved to the spa when they were taken; all 10 come back to the main account."""
    key = bought(hotel, 10)
    transfer(hotel, 4, "spa")
    claw_back(hotel, key, 10, "dispute:dp_1")

    reverse(hotel, "dispute:dp_1")

    assert (available(hotel), available(hotel, "spa")) == (10_000_000, 0)
    assert broken(hotel) == []


def test_refuses_what_was_not_taken_or_has_come_back(hotel: Hotel) -> None:
    key = bought(hotel, 10)
    claw_back(hotel, key, 10, "dispute:dp_1")
    assert reverse(hotel, "dispute:dp_1").status_code == 201
    before = state(hotel)

    assert_refused(reverse(hotel, "dispute:dp_2"), 404, "CLAW_BACK_UNKNOWN")
    assert_refused(reverse(hotel, "dispute:dp_1"), 409, "CLAW_BACK_REVERSED")
    again = claw_back(hotel, key, 10, "dispute:dp_1")
    assert_refused(again, 409, "CREDITS_TAKEN_BACK_ALREADY")
    assert state(hotel) == before


def test_four_who_hear_that_it_was_won_give_back_once(hotel: Hotel) -> None:
    key = bought(hotel, 10)
    claw_back(hotel, key, 10, "dispute:dp_1")

    answers = at_once([partial(reverse, hotel, "dispute:dp_1")] * 4)

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert available(hotel) == 10_000_000
    assert broken(hotel) == []


@pytest.mark.req("EVT-2", "AUD-1")
def test_tells_what_came_back_and_why(hotel: Hotel) -> None:
    key = bought(hotel, 10)
    claw_back(hotel, key, 10, "dispute:dp_1")
    reverse(hotel, "dispute:dp_1")

    assert told(hotel)[-1] == "credits.given_back"
    data = hotel.events("credits.given_back")[0]["data"]
    assert (data["sourceKey"], data["balanceMicro"]) == ("dispute:dp_1", 10_000_000)
    assert trail(hotel, "credits.given_back")[0]["reason"] == "The dispute was won"


@pytest.mark.req("API-4")
def test_a_retry_gets_the_same_answer(hotel: Hotel) -> None:
    key = bought(hotel, 10)
    claw_back(hotel, key, 10, "dispute:dp_1")
    body = {"sourceKey": "dispute:dp_1", "reason": "Won"}
    context = signed(
        deed="credits.reverse_claw_back", tenant=str(hotel.tenant_id), sourceKey="dispute:dp_1"
    )
    sent = confirmed(hotel, body, context, "platform-1")
    token = hotel.token(SCOPE, sub="platform-1")

    other = {**sent, "reason": "Another"}
    assert_answers_once(hotel, "/credits/claw-backs/reverse", sent, other, token=token)
