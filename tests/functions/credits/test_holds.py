"""Credits are set aside, and captured or released once; what is held is nobody else's (CRD-1)."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from tests.hotel import Hotel, House, new_id
from tests.prepaying import (
    available,
    balance,
    bought,
    capture,
    deduct,
    entries,
    granted,
    held,
    hold,
    lots,
    release,
    transfer,
    use,
)
from tests.proofs import assert_answers_once, assert_books_are_right, assert_refused, state, told
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("CRD-1")


def test_sets_credits_aside_that_nobody_else_can_spend(hotel: Hotel) -> None:
    """10 are there, 6 are held: 4 can be spent, and the balance of the books is still 10."""
    granted(hotel, 10)

    answer = hold(hotel, 6)

    assert answer.status_code == 201, answer.text
    shown = answer.json
    assert shown["hold"]["status"] == "open"
    assert (shown["hold"]["creditsMicro"], shown["hold"]["service"]) == (6_000_000, "concierge")
    assert (shown["availableMicro"], shown["heldMicro"]) == (4_000_000, 6_000_000)
    assert (shown["entry"]["amountMicro"], shown["entry"]["balanceMicro"]) == (0, 10_000_000)
    assert_refused(deduct(hotel, 5), 402, "INSUFFICIENT_CREDITS")
    assert_refused(hold(hotel, 5), 402, "INSUFFICIENT_CREDITS")
    assert_refused(transfer(hotel, 5, "spa"), 402, "INSUFFICIENT_CREDITS")
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("CRD-2")
def test_a_capture_spends_in_turn_and_frees_the_rest(hotel: Hotel) -> None:
    """A gift of 4 and 10 bought: 6 are held (4 and 2), 5 captured (4 and 1), 1 is free again."""
    bought(hotel, 10)
    granted(hotel, 4)
    hold_id = held(hotel, 6)
    assert lots(hotel) == [["purchase", 10, 2], ["promotion", 4, 4]]

    answer = capture(hotel, hold_id, 5)

    assert answer.status_code == 200, answer.text
    shown = answer.json
    assert (shown["hold"]["status"], shown["hold"]["capturedMicro"]) == ("captured", 5_000_000)
    assert (shown["availableMicro"], shown["heldMicro"]) == (9_000_000, 0)
    assert lots(hotel) == [["purchase", 9, 0], ["promotion", 0, 0]]
    assert entries(hotel)[2:] == [["hold", 0, 6, 0], ["capture", -5, -6, 0]]
    assert broken(hotel) == []


def test_a_release_frees_all_of_it(hotel: Hotel) -> None:
    granted(hotel, 10)
    hold_id = held(hotel, 6)

    answer = release(hotel, hold_id)

    assert answer.status_code == 200, answer.text
    assert (answer.json["availableMicro"], answer.json["heldMicro"]) == (10_000_000, 0)
    assert entries(hotel)[1:] == [["hold", 0, 6, 0], ["release", 0, -6, 0]]
    assert broken(hotel) == []


def test_a_hold_ends_once(hotel: Hotel) -> None:
    granted(hotel, 10)
    captured, released = held(hotel, 3), held(hotel, 3)
    assert capture(hotel, captured, 2).status_code == 200
    assert release(hotel, released).status_code == 200
    before = state(hotel)

    for hold_id, status in ((captured, "captured"), (released, "released")):
        for answer in (capture(hotel, hold_id, 1), release(hotel, hold_id)):
            assert_refused(answer, 409, "CREDIT_HOLD_ENDED")
            assert answer.json["holdStatus"] == status
    assert state(hotel) == before


def test_no_more_is_captured_than_was_held(hotel: Hotel) -> None:
    granted(hotel, 10)
    hold_id = held(hotel, 3)

    refused = capture(hotel, hold_id, 4)

    assert_refused(refused, 422, "CAPTURE_EXCEEDS_HOLD")
    assert refused.json["heldMicro"] == 3_000_000
    assert capture(hotel, hold_id, 3).status_code == 200


@pytest.mark.req("TEN-2")
def test_an_unknown_hold_is_unknown_and_so_is_another_tenants(hotel: Hotel, house: House) -> None:
    other = house.new_hotel()
    granted(other, 10)
    theirs = held(other, 3)

    for hold_id in (theirs, new_id("hld")):
        assert_refused(capture(hotel, hold_id, 1), 404, "CREDIT_HOLD_UNKNOWN")
        assert_refused(release(hotel, hold_id), 404, "CREDIT_HOLD_UNKNOWN")
    assert balance(other)["heldMicro"] == 3_000_000


def test_a_hold_ends_by_itself_and_the_next_movement_says_so(
    hotel: Hotel, clock: Callable[[str], None]
) -> None:
    """6 of 10 for a minute: a minute later all 10 can be spent, and are."""
    clock("2026-03-01T12:00:00+00:00")
    granted(hotel, 10)
    hold_id = held(hotel, 6, lastsSeconds=60)
    assert_refused(deduct(hotel, 10), 402, "INSUFFICIENT_CREDITS")

    clock("2026-03-01T12:01:02+00:00")

    assert (available(hotel), balance(hotel)["heldMicro"]) == (10_000_000, 0)
    over = capture(hotel, hold_id, 1)
    assert_refused(over, 409, "CREDIT_HOLD_ENDED")
    assert over.json["holdStatus"] == "expired"
    answer = deduct(hotel, 10)
    assert (answer.json["entry"]["kind"], answer.json["availableMicro"]) == ("spend", 0)
    assert entries(hotel)[1:] == [["hold", 0, 6, 0], ["release", 0, -6, 0], ["spend", -10, 0, 0]]
    kinds = [each["kind"] for each in hotel.events("credits.deducted")[0]["data"]["entries"]]
    assert kinds == ["release", "spend"]
    assert hotel.rows("SELECT status FROM {s}.credit_holds") == [["expired"]]
    assert broken(hotel) == []


@pytest.mark.req("CRD-4")
def test_what_is_promised_can_be_captured_though_its_lot_expires(
    hotel: Hotel, clock: Callable[[str], None]
) -> None:
    """5 until noon, 3 of them held before it for an hour: a quarter past, 2 of these are spent.

    The one that comes back has expired with the rest: nothing can be spent any more.
    """
    clock("2026-03-01T11:45:00+00:00")
    granted(hotel, 5, expiresAt="2026-03-01T12:00:00Z")
    hold_id = held(hotel, 3)

    clock("2026-03-01T12:15:00+00:00")
    assert (available(hotel), balance(hotel)["heldMicro"]) == (0, 3_000_000)
    answer = capture(hotel, hold_id, 2)

    assert answer.status_code == 200, answer.text
    assert answer.json["availableMicro"] == 0
    assert lots(hotel) == [["promotion", 3, 0]]
    assert broken(hotel) == []


@pytest.mark.req("CRD-8")
def test_an_unlimited_plan_holds_nothing_and_meters_what_was_captured(house: House) -> None:
    hotel = house.new_hotel(credits={"unlimited": True})
    hold_id = held(hotel, 6)
    assert balance(hotel)["heldMicro"] == 0

    answer = capture(hotel, hold_id, 5)

    entry = answer.json["entry"]
    assert (entry["kind"], entry["amountMicro"], entry["meteredMicro"]) == ("capture", 0, 5_000_000)
    assert release(hotel, held(hotel, 2)).status_code == 200
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("API-4", "API-9")
def test_retries_get_the_same_answers_and_hold_and_spend_once(hotel: Hotel) -> None:
    granted(hotel, 10)
    body = {**use(4), "id": new_id("hld")}

    assert_answers_once(hotel, "/credits/holds", body, {**body, "lastsSeconds": 90})
    again = hotel.post("/credits/holds", body)
    assert (again.status_code, available(hotel)) == (201, 6_000_000)
    path = f"/credits/holds/{body['id']}"
    assert_answers_once(hotel, f"{path}/capture", {"creditsMicro": 1}, {"creditsMicro": 2})
    other = held(hotel, 1)
    first = release(hotel, other, key="once")
    assert release(hotel, other, key="once").data == first.data


def test_many_holds_at_once_never_hold_more_than_there_is(hotel: Hotel) -> None:
    """7 credits, 12 who want one each set aside: 7 get it."""
    granted(hotel, 7)
    tokens = [hotel.token(sub=f"worker-{number}") for number in range(12)]

    answers = at_once([partial(hotel.post, "/credits/holds", use(1), token=t) for t in tokens])

    assert Counter(answer.status_code for answer in answers) == {201: 7, 402: 5}
    assert (available(hotel), balance(hotel)["heldMicro"]) == (0, 7_000_000)
    assert broken(hotel) == []


def test_a_hold_is_captured_or_released_by_one_of_two(hotel: Hotel) -> None:
    granted(hotel, 10)
    hold_id = held(hotel, 6)

    answers = at_once([lambda: capture(hotel, hold_id, 6), lambda: release(hotel, hold_id)])

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    spent = answers[0].status_code == 200
    assert available(hotel) == (4_000_000 if spent else 10_000_000)
    assert broken(hotel) == []


@pytest.mark.req("EVT-2")
def test_tells_what_was_held_captured_and_released(hotel: Hotel) -> None:
    granted(hotel, 10)
    first, second = held(hotel, 3), held(hotel, 3)
    capture(hotel, first, 2)
    release(hotel, second)

    assert told(hotel) == [
        "credits.granted",
        "credits.held",
        "credits.held",
        "credits.captured",
        "credits.released",
    ]
    assert hotel.events("credits.captured")[0]["data"]["holdId"] == first
    assert hotel.events("credits.released")[0]["data"]["entries"][0]["holdId"] == second
