"""Credits are spent exactly, in turn, and never more than there are (CRD-1, CRD-2, CRD-8)."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from tests.hotel import Hotel, House
from tests.prepaying import (
    available,
    balance,
    bought,
    deduct,
    entries,
    granted,
    held,
    lots,
    micro,
    transfer,
    use,
)
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    told,
    trail,
)
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("CRD-1")


def test_takes_what_is_asked_for_and_answers_what_is_left(hotel: Hotel) -> None:
    """10 are there, 4 are spent: 6 are left."""
    lot = granted(hotel, 10)

    answer = deduct(hotel, 4)

    assert answer.status_code == 201, answer.text
    shown = answer.json
    assert (shown["account"], shown["availableMicro"]) == ("main", 6_000_000)
    entry = shown["entry"]
    assert (entry["kind"], entry["amountMicro"], entry["balanceMicro"]) == (
        "spend",
        -4_000_000,
        6_000_000,
    )
    assert entry["lots"] == [{"lotId": lot, "amountMicro": -4_000_000, "heldMicro": 0}]
    assert (entry["service"], entry["externalReference"]) == ("concierge", "chat-1")
    assert available(hotel) == 6_000_000
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_a_micro_credit_is_spent_as_exactly_as_a_million(hotel: Hotel) -> None:
    """Three times 0.1 of 0.3 leave nothing, which no float would: 300,000 - 3 x 100,000 = 0."""
    granted(hotel, 1)
    assert deduct(hotel, 0, creditsMicro=700_000).status_code == 201

    answers = [deduct(hotel, 0, creditsMicro=100_000) for _ in range(3)]

    assert [answer.json["availableMicro"] for answer in answers] == [200_000, 100_000, 0]
    assert_refused(deduct(hotel, 0, creditsMicro=1), 402, "INSUFFICIENT_CREDITS")


def test_is_refused_with_what_is_there_and_changes_nothing(hotel: Hotel) -> None:
    """10 granted, 3 of them held: 7 can be spent, 8 cannot."""
    granted(hotel, 10)
    held(hotel, 3)
    before = state(hotel)

    answer = deduct(hotel, 8)

    assert_refused(answer, 402, "INSUFFICIENT_CREDITS")
    assert answer.json["availableMicro"] == 7_000_000
    assert answer.json["heldMicro"] == 3_000_000
    assert answer.json["askedMicro"] == 8_000_000
    assert state(hotel) == before
    assert deduct(hotel, 7).status_code == 201


def test_who_never_had_credits_has_none_to_spend(hotel: Hotel) -> None:
    before = state(hotel)

    assert_refused(deduct(hotel, 1), 402, "INSUFFICIENT_CREDITS")
    assert_refused(deduct(hotel, 1, account="marketing"), 404, "CREDIT_ACCOUNT_UNKNOWN")

    assert state(hotel) == before


@pytest.mark.parametrize("amount", [0, -100, 1.5, "5", True, None, 2**53])
def test_takes_whole_positive_amounts_only(hotel: Hotel, amount: object) -> None:
    """A negative deduction would make credits out of nothing."""
    granted(hotel, 10)
    before = state(hotel)

    answer = hotel.post("/credits/deduct", {**use(1), "creditsMicro": amount})

    assert_refused(answer, 400, "MELMASTOON.GENERAL.VALIDATION_FAILED")
    assert state(hotel) == before


@pytest.mark.req("CRD-2")
def test_takes_what_expires_first_and_a_gift_before_what_was_paid_for(
    hotel: Hotel, clock: Callable[[str], None]
) -> None:
    """Bought without an end 5, given without an end 5, bought until July 5, given until June 5.

    18 are spent: 5 until June, 5 until July, the gift's 5, and 3 of those that were bought.
    """
    clock("2026-03-01T12:00:00+00:00")
    bought(hotel, 5)
    granted(hotel, 5)
    bought(hotel, 5, expiresAt="2026-07-01T00:00:00Z")
    granted(hotel, 5, expiresAt="2026-06-01T00:00:00Z")

    left = []
    for amount in (5, 5, 5, 3):
        assert deduct(hotel, amount).status_code == 201
        left.append([each[1] for each in lots(hotel)])

    assert left == [[5, 5, 5, 0], [5, 5, 0, 0], [5, 0, 0, 0], [2, 0, 0, 0]]
    assert broken(hotel) == []


@pytest.mark.req("CRD-2")
def test_an_entry_names_every_lot_that_it_took_from(hotel: Hotel) -> None:
    """7 of a gift of 4 and a purchase of 10: 4 and 3."""
    key = bought(hotel, 10)
    gift = granted(hotel, 4)

    taken = deduct(hotel, 7).json["entry"]["lots"]

    ((paid,),) = hotel.rows("SELECT id FROM {s}.credit_lots WHERE source_key = :key", key=key)
    assert [(lot["lotId"], lot["amountMicro"]) for lot in taken] == [
        (gift, -4_000_000),
        (paid, -3_000_000),
    ]


@pytest.mark.req("CRD-4")
def test_what_has_expired_is_not_spent_before_anybody_sweeps_it_up(
    hotel: Hotel, clock: Callable[[str], None]
) -> None:
    """5 until noon and 2 without an end: at noon there are 2, by the clock alone."""
    clock("2026-03-01T10:00:00+00:00")
    granted(hotel, 5, expiresAt="2026-03-01T12:00:00Z")
    granted(hotel, 2)
    assert available(hotel) == 7_000_000

    clock("2026-03-01T12:00:01+00:00")

    assert available(hotel) == 2_000_000
    refused = deduct(hotel, 3)
    assert_refused(refused, 402, "INSUFFICIENT_CREDITS")
    assert refused.json["availableMicro"] == 2_000_000
    assert deduct(hotel, 2).status_code == 201
    assert broken(hotel) == []


@pytest.mark.req("API-4")
def test_a_retry_gets_the_same_answer_and_spends_once(hotel: Hotel) -> None:
    granted(hotel, 10)

    assert_answers_once(hotel, "/credits/deduct", use(4), use(5))

    assert available(hotel) == 6_000_000


def test_a_hundred_at_once_end_at_exactly_the_right_figure(house: House) -> None:
    """70 credits, and a hundred workers who take one each: 70 get it, 30 are told of the rest."""
    hotel = house.new_hotel()
    granted(hotel, 70)
    tokens = [hotel.token(sub=f"worker-{number}") for number in range(100)]

    answers = at_once(
        [partial(hotel.post, "/credits/deduct", use(1), token=token) for token in tokens]
    )

    assert Counter(answer.status_code for answer in answers) == {201: 70, 402: 30}
    assert sorted(a.json["availableMicro"] for a in answers if a.status_code == 201) == [
        micro(left) for left in range(70)
    ]
    assert available(hotel) == 0
    assert len(entries(hotel)) == 71
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_two_who_want_all_of_it_get_it_once(hotel: Hotel) -> None:
    granted(hotel, 10)

    answers = at_once([lambda: deduct(hotel, 10), lambda: deduct(hotel, 10)])

    assert sorted(answer.status_code for answer in answers) == [201, 402]
    assert available(hotel) == 0
    assert broken(hotel) == []


@pytest.mark.req("EVT-2", "AUD-1")
def test_tells_what_was_spent_by_whom_and_what_is_left(hotel: Hotel) -> None:
    granted(hotel, 10)
    deduct(hotel, 4)

    assert told(hotel) == ["credits.granted", "credits.deducted"]
    data = hotel.events("credits.deducted")[0]["data"]
    assert (data["account"], data["balanceMicro"], data["debtMicro"]) == ("main", 6_000_000, 0)
    (entry,) = data["entries"]
    assert (entry["kind"], entry["amountMicro"], entry["meteredMicro"]) == (
        "spend",
        -4_000_000,
        4_000_000,
    )
    assert (entry["service"], entry["externalReference"]) == ("concierge", "chat-1")
    assert trail(hotel, "credits.deducted")[0]["actor"] == "clerk"


@pytest.mark.req("CRD-8")
def test_an_unlimited_plan_is_metered_and_nothing_is_deducted(house: House) -> None:
    """Without a credit to its name: 5 and 7 are used, nothing moves, and both are written down."""
    hotel = house.new_hotel(credits={"unlimited": True})

    answers = [deduct(hotel, 5), deduct(hotel, 7)]

    assert [answer.status_code for answer in answers] == [201, 201]
    metered = [(a.json["entry"]["kind"], a.json["entry"]["meteredMicro"]) for a in answers]
    assert metered == [("usage", 5_000_000), ("usage", 7_000_000)]
    assert entries(hotel) == [["usage", 0, 0, 0], ["usage", 0, 0, 0]]
    assert balance(hotel)["freeLeftMicro"] is None
    assert hotel.rows("SELECT count(*) FROM {s}.credit_book_entries") == [[0]]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("CRD-8")
def test_an_allowance_is_used_up_first_and_begins_anew_each_month(
    house: House, clock: Callable[[str], None]
) -> None:
    """10 a month are free. 7 are free, of the next 7 only 3; in April all 7 are free again."""
    clock("2026-03-10T12:00:00+00:00")
    hotel = house.new_hotel(credits={"freeMonthly": 10})
    granted(hotel, 20)

    assert balance(hotel)["freeLeftMicro"] == 10_000_000
    deduct(hotel, 7)
    assert balance(hotel)["freeLeftMicro"] == 3_000_000
    mixed = deduct(hotel, 7).json["entry"]
    clock("2026-04-01T00:00:01+00:00")
    assert balance(hotel)["freeLeftMicro"] == 10_000_000
    deduct(hotel, 7)

    assert (mixed["kind"], mixed["amountMicro"], mixed["meteredMicro"]) == (
        "spend",
        -4_000_000,
        7_000_000,
    )
    assert [each[:2] for each in entries(hotel)] == [
        ["grant", 20],
        ["usage", 0],
        ["spend", -4],
        ["usage", 0],
    ]
    assert broken(hotel) == []


@pytest.mark.req("CRD-8")
def test_a_second_account_has_no_second_allowance(house: House) -> None:
    hotel = house.new_hotel(credits={"freeMonthly": 10})
    granted(hotel, 5)
    assert transfer(hotel, 5, "marketing").status_code == 201

    assert balance(hotel, "marketing")["freeLeftMicro"] == 0
    assert deduct(hotel, 5, account="marketing").json["entry"]["kind"] == "spend"


def test_a_refused_deduction_uses_up_no_allowance(house: House) -> None:
    """3 are free and 1 is there: 5 cannot be spent, and 3 are still free afterwards."""
    hotel = house.new_hotel(credits={"freeMonthly": 3})
    granted(hotel, 1)

    assert_refused(deduct(hotel, 5), 402, "INSUFFICIENT_CREDITS")

    assert balance(hotel)["freeLeftMicro"] == 3_000_000


@pytest.mark.req("API-10")
def test_what_was_seen_before_may_be_asked_for(hotel: Hotel) -> None:
    granted(hotel, 10)
    seen = hotel.get("/credits/balance").headers["ETag"]

    first = hotel.post("/credits/deduct", use(1), headers={"If-Match": seen})
    second = hotel.post("/credits/deduct", use(1), headers={"If-Match": seen})

    assert first.status_code == 201
    assert_refused(second, 412, "MELMASTOON.GENERAL.VERSION_STALE")


@pytest.mark.req("SEC-2", "TEN-2")
def test_is_for_who_may_spend_the_tenants_credits(hotel: Hotel, house: House) -> None:
    granted(hotel, 10)
    reader = hotel.token("billing.credits.read")

    refused = hotel.post("/credits/deduct", use(1), token=reader)

    assert_refused(refused, 403, "MELMASTOON.IAM.SCOPE_MISSING")
    assert_refused(deduct(house.new_hotel(), 1), 402, "INSUFFICIENT_CREDITS")
