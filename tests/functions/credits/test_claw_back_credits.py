"""What is refunded is taken back, exact to the lot; what was spent of it is owed (CRD-5)."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.hotel import Hotel
from tests.prepaying import (
    SCOPE,
    available,
    balance,
    bought,
    capture,
    claw_back,
    confirmed,
    deduct,
    entries,
    granted,
    held,
    lots,
    micro,
    release,
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


def test_takes_what_is_left_of_the_purchase_and_leaves_everything_else(hotel: Hotel) -> None:
    """10 bought and refunded, 5 bought before and 3 given: these 8 stay."""
    bought(hotel, 5)
    key = bought(hotel, 10)
    granted(hotel, 3)

    answer = claw_back(hotel, key, 10)

    assert answer.status_code == 201, answer.text
    assert (answer.json["takenMicro"], answer.json["debtMicro"]) == (10_000_000, 0)
    assert lots(hotel) == [["purchase", 5, 0], ["purchase", 0, 0], ["promotion", 3, 0]]
    assert (available(hotel), balance(hotel)["debtMicro"]) == (8_000_000, 0)
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_what_was_spent_is_owed_and_the_next_purchase_pays_it(hotel: Hotel) -> None:
    """10 bought, 7 spent, all refunded: 3 taken, 7 owed. Of the next 10, 7 pay and 3 are left."""
    key = bought(hotel, 10)
    deduct(hotel, 7)

    answer = claw_back(hotel, key, 10)
    owing = balance(hotel)
    bought(hotel, 10)

    assert (answer.json["takenMicro"], answer.json["debtMicro"]) == (3_000_000, 7_000_000)
    assert (owing["availableMicro"], owing["debtMicro"]) == (0, 7_000_000)
    assert (available(hotel), balance(hotel)["debtMicro"]) == (3_000_000, 0)
    assert entries(hotel)[2:] == [
        ["claw_back", -3, 0, 7],
        ["grant", 10, 0, 0],
        ["debt_paid", -7, 0, -7],
    ]
    assert broken(hotel) == []


def test_a_small_purchase_pays_a_part_and_a_gift_pays_nothing(hotel: Hotel) -> None:
    """7 are owed: 4 bought leave 3 of the debt and nothing to spend; a gift of 5 is spent."""
    key = bought(hotel, 7)
    deduct(hotel, 7)
    claw_back(hotel, key, 7)

    bought(hotel, 4)
    granted(hotel, 5)

    assert (available(hotel), balance(hotel)["debtMicro"]) == (5_000_000, 3_000_000)
    assert broken(hotel) == []


def test_finds_the_credits_wherever_they_were_moved(hotel: Hotel) -> None:
    """10 bought, 6 of them moved to the spa, 2 of these spent there: 4 + 4 taken, 2 owed."""
    key = bought(hotel, 10)
    transfer(hotel, 6, "spa")
    deduct(hotel, 2, account="spa")

    answer = claw_back(hotel, key, 10)

    assert (answer.json["takenMicro"], answer.json["debtMicro"]) == (8_000_000, 2_000_000)
    assert (available(hotel), available(hotel, "spa")) == (0, 0)
    assert (balance(hotel)["debtMicro"], balance(hotel, "spa")["debtMicro"]) == (2_000_000, 0)
    assert told(hotel).count("credits.clawed_back") == 2
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_what_has_expired_is_neither_taken_nor_owed(
    hotel: Hotel, clock: Callable[[str], None]
) -> None:
    """10 bought until noon, 3 spent: refunded in the afternoon, 3 are owed and 7 are gone."""
    clock("2026-03-01T10:00:00+00:00")
    key = bought(hotel, 10, expiresAt="2026-03-01T12:00:00Z")
    deduct(hotel, 3)
    clock("2026-03-01T15:00:00+00:00")

    answer = claw_back(hotel, key, 10)

    assert (answer.json["takenMicro"], answer.json["debtMicro"]) == (0, 3_000_000)
    assert broken(hotel) == []


@pytest.mark.req("BEY-7")
def test_what_paid_another_purchases_debt_was_spent(hotel: Hotel) -> None:
    """10 bought and spent, refunded, 10 bought for the debt, refunded: 10 are owed as before."""
    first = bought(hotel, 10)
    deduct(hotel, 10)
    claw_back(hotel, first, 10)
    second = bought(hotel, 10)
    assert balance(hotel)["debtMicro"] == 0

    answer = claw_back(hotel, second, 10)

    assert (answer.json["takenMicro"], answer.json["debtMicro"]) == (0, 10_000_000)
    assert broken(hotel) == []


def test_what_is_promised_to_a_hold_is_owed_and_stays_promised(hotel: Hotel) -> None:
    """4 of 10 are held: 6 taken and 4 owed; the hold can be captured, or comes back to be spent."""
    key = bought(hotel, 10)
    hold_id = held(hotel, 4)

    answer = claw_back(hotel, key, 10)

    assert (answer.json["takenMicro"], answer.json["debtMicro"]) == (6_000_000, 4_000_000)
    assert capture(hotel, hold_id, 3).status_code == 200
    assert (available(hotel), balance(hotel)["debtMicro"]) == (1_000_000, 4_000_000)
    assert broken(hotel) == []


def test_parts_of_a_purchase_are_taken_back_one_after_the_other(hotel: Hotel) -> None:
    """10 bought, 4 spent. 5 refunded: 5 taken. 3 more: 1 taken, 2 owed. 2 more: 2 owed. No more."""
    key = bought(hotel, 10)
    deduct(hotel, 4)

    answers = [claw_back(hotel, key, part).json for part in (5, 3, 2)]
    before = state(hotel)
    refused = claw_back(hotel, key, 1)

    assert [(a["takenMicro"], a["debtMicro"]) for a in answers] == [
        (5_000_000, 0),
        (1_000_000, 2_000_000),
        (0, 2_000_000),
    ]
    assert_refused(refused, 422, "CLAW_BACK_EXCEEDS_GRANT")
    assert refused.json["leftMicro"] == 0
    assert state(hotel) == before
    assert broken(hotel) == []


def test_a_refund_and_its_webhook_take_back_once(hotel: Hotel) -> None:
    key = bought(hotel, 10)
    assert claw_back(hotel, key, 5, "refund:rfd_1").status_code == 201
    before = state(hotel)

    again = claw_back(hotel, key, 5, "refund:rfd_1")

    assert_refused(again, 409, "CREDITS_TAKEN_BACK_ALREADY")
    assert state(hotel) == before


def test_six_who_learn_of_one_refund_at_once_take_back_once(hotel: Hotel) -> None:
    key = bought(hotel, 10)

    answers = at_once([partial(claw_back, hotel, key, 5, "refund:rfd_1")] * 6)

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert available(hotel) == 5_000_000
    assert broken(hotel) == []


def test_a_refund_beside_a_deduction_takes_what_is_left_or_a_debt(hotel: Hotel) -> None:
    """10 bought: whoever comes first, 6 were spent and 6 owed, or nobody could spend any."""
    key = bought(hotel, 10)

    spent, taken = at_once([lambda: deduct(hotel, 6), lambda: claw_back(hotel, key, 10)])

    assert taken.status_code == 201
    assert spent.status_code in (201, 402)
    owed = 6_000_000 if spent.status_code == 201 else 0
    assert (available(hotel), balance(hotel)["debtMicro"]) == (0, owed)
    assert broken(hotel) == []


def test_refuses_what_was_never_granted(hotel: Hotel) -> None:
    before = state(hotel)

    assert_refused(claw_back(hotel, "purchase:nobody", 1), 404, "CREDIT_GRANT_UNKNOWN")

    assert state(hotel) == before


@pytest.mark.req("AUD-1", "EVT-2")
def test_tells_what_was_taken_and_why(hotel: Hotel) -> None:
    key = bought(hotel, 10)
    claw_back(hotel, key, 4, "dispute:dp_1")

    (event,) = hotel.events("credits.clawed_back")
    assert (event["data"]["sourceKey"], event["data"]["balanceMicro"]) == (
        "dispute:dp_1",
        6_000_000,
    )
    (entry,) = trail(hotel, "credits.clawed_back")
    assert entry["reason"] == "The purchase was refunded"


@pytest.mark.req("API-4")
def test_a_retry_gets_the_same_answer(hotel: Hotel) -> None:
    key = bought(hotel, 10)
    body = {
        "grantKey": key,
        "sourceKey": "refund:rfd_1",
        "creditsMicro": micro(4),
        "reason": "Refunded",
    }
    context = signed(
        deed="credits.claw_back",
        tenant=str(hotel.tenant_id),
        grantKey=key,
        sourceKey="refund:rfd_1",
        creditsMicro=micro(4),
    )
    sent = confirmed(hotel, body, context, "platform-1")
    token = hotel.token(SCOPE, sub="platform-1")

    other = {**sent, "reason": "Another"}
    assert_answers_once(hotel, "/credits/claw-backs", sent, other, token=token)

    assert available(hotel) == 6_000_000


def test_a_debt_is_waived_with_a_reason_and_never_more_than_it_is(hotel: Hotel) -> None:
    """7 are owed: 8 cannot be waived, 5 are, and 2 are left."""
    key = bought(hotel, 7)
    deduct(hotel, 7)
    claw_back(hotel, key, 7)

    refused = waive(hotel, 8)
    answer = waive(hotel, 5)

    assert_refused(refused, 422, "WAIVER_EXCEEDS_DEBT")
    assert refused.json["debtMicro"] == 7_000_000
    assert answer.status_code == 201, answer.text
    assert answer.json["debtMicro"] == 2_000_000
    assert trail(hotel, "credits.debt_waived")[0]["reason"] == "They had a bad year"
    assert told(hotel)[-1] == "credits.debt_waived"
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_two_waivers_at_once_waive_a_debt_once(hotel: Hotel) -> None:
    key = bought(hotel, 7)
    deduct(hotel, 7)
    claw_back(hotel, key, 7)

    answers = at_once([lambda: waive(hotel, 7), lambda: waive(hotel, 7)])

    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert balance(hotel)["debtMicro"] == 0
    assert broken(hotel) == []


def test_a_waiver_names_an_account_that_there_is(hotel: Hotel) -> None:
    assert_refused(waive(hotel, 1, "spa"), 404, "CREDIT_ACCOUNT_UNKNOWN")


def test_a_released_hold_after_a_refund_is_spent_against_the_debt(hotel: Hotel) -> None:
    """What came back of the hold is 4 to spend, and 4 are owed for it: nothing was won."""
    key = bought(hotel, 4)
    hold_id = held(hotel, 4)
    claw_back(hotel, key, 4)
    release(hotel, hold_id)

    assert (available(hotel), balance(hotel)["debtMicro"]) == (4_000_000, 4_000_000)
    assert broken(hotel) == []
