"""Each guest in the house is charged once for each night, and each day ends once (FOL-9, BEY-6)."""

from collections.abc import Callable

import pytest

from tests.hotel import Hotel, House, charge, usd, vat
from tests.nights import (
    EVENING,
    FIRST_NIGHT,
    FOURTH_DAY,
    NEXT_DAY,
    THIRD_DAY,
    checked_in,
    confirmed,
    days,
    lines,
    reservation,
    room,
    run,
)
from tests.proofs import assert_books_are_right, state, told, trail
from tests.together import at_once, meanwhile

pytestmark = pytest.mark.req("FOL-9")
Clock = Callable[[str], None]


@pytest.fixture(autouse=True)
def _evening(clock: Clock) -> None:
    clock(EVENING)


def test_charges_a_night_with_its_taxes_on_the_day_that_has_ended(
    hotel: Hotel, clock: Clock
) -> None:
    """A room at 100.00 and breakfast at 15.00, both with 10 %; the next nights are not due yet."""
    breakfast = room(1, 1_500, "food_beverage", description={"en": "Breakfast"}, persons=2)
    folio = checked_in(hotel, room(1), breakfast, room(2), room(3))
    clock(NEXT_DAY)

    done = run(hotel)

    assert (done.done, done.failed, done.exit_code) == (2, 0, 0)
    night = ("2026-03-01", "2026-03-01")
    assert lines(hotel, folio) == [
        ("charge", "room", *night, 10_000),
        ("tax", "room", *night, 1_000),
        ("charge", "food_beverage", *night, 1_500),
        ("tax", "food_beverage", *night, 150),
    ]
    assert [each["actor"] for each in trail(hotel, "charge.posted")] == [
        "system:run_night_audit"
    ] * 2
    assert told(hotel)[-1] == "night_audit.finished"
    assert_books_are_right(hotel)


def test_says_what_the_day_came_to(hotel: Hotel, clock: Clock) -> None:
    """100.00 for the night, 7.00 of the minibar, both with 10 %, and 50.00 by card."""
    folio = checked_in(hotel, room(1))
    hotel.charged(folio, "minibar", 700)
    hotel.paid(folio, usd(5_000), method="card", paymentId="pi-1", allowCredit=True)
    confirmed(hotel, room(1))
    clock(NEXT_DAY)

    run(hotel)

    (day,) = days(hotel)
    assert (day["businessDate"], day["propertyId"]) == (FIRST_NIGHT, str(hotel.property_id))
    assert (day["inHouse"], day["noShows"]) == (1, 1)
    assert [(each["account"], each["amount"]) for each in day["guestLedger"]] == [
        ("card_clearing", usd(-5_000)),
        ("revenue:minibar", usd(700)),
        ("revenue:room", usd(10_000)),
        ("tax_payable:VAT", usd(1_070)),
    ]
    assert_books_are_right(hotel)


@pytest.mark.req("BEY-6")
def test_posts_nothing_when_it_runs_again(hotel: Hotel, clock: Clock) -> None:
    checked_in(hotel, room(1), room(2))
    clock(NEXT_DAY)
    run(hotel)
    before = state(hotel)

    again = run(hotel)

    assert (again.due, again.done, again.exit_code) == (0, 0, 0)
    assert state(hotel) == before


@pytest.mark.req("BEY-6")
def test_two_at_once_charge_each_night_once(hotel: Hotel, clock: Clock) -> None:
    folios = [checked_in(hotel, room(1), room(2)) for _ in range(6)]
    clock(NEXT_DAY)

    done = at_once([lambda: run(hotel)] * 2)

    assert [each.exit_code for each in done] == [0, 0]
    for folio in folios:
        assert [line[0] for line in lines(hotel, folio)] == ["charge", "tax"]
    assert [day["businessDate"] for day in days(hotel)] == [FIRST_NIGHT]
    assert_books_are_right(hotel)


@pytest.mark.req("BEY-6")
def test_nobody_is_kept_from_posting_while_it_runs(hotel: Hotel, clock: Clock) -> None:
    """What the desk posts meanwhile belongs to the new day; nothing of it is lost or refused."""
    folios = [checked_in(hotel, room(1)) for _ in range(4)]
    clock(NEXT_DAY)

    with meanwhile(lambda: run(hotel)) as audited:
        answers = [
            hotel.post(f"/folios/{folio}/charges", charge("minibar", 500))
            for _ in range(5)
            for folio in folios
        ]

    assert audited().exit_code == 0
    assert {answer.status_code for answer in answers} == {201}
    assert {line["businessDate"] for a in answers for line in a.json["lines"]} == {"2026-03-02"}
    (day,) = days(hotel)
    assert [m["amount"] for m in day["guestLedger"] if m["account"] == "revenue:minibar"] == []
    assert_books_are_right(hotel)


def test_days_that_were_missed_are_ended_one_after_the_other(hotel: Hotel, clock: Clock) -> None:
    folio = checked_in(hotel, room(1), room(2), room(3))
    clock(NEXT_DAY)
    run(hotel)
    clock(FOURTH_DAY)

    run(hotel)

    charged = [(line[2], line[3]) for line in lines(hotel, folio) if line[0] == "charge"]
    assert charged == [(f"2026-03-0{day}", f"2026-03-0{day}") for day in (1, 2, 3)]
    assert [day["businessDate"] for day in days(hotel)] == [f"2026-03-0{day}" for day in (1, 2, 3)]


def test_ends_no_day_that_is_still_on(hotel: Hotel, clock: Clock) -> None:
    """At three at night in Kabul the day is over; ten minutes later it is audited."""
    checked_in(hotel, room(1))
    for instant in ("2026-03-01T22:29:00+00:00", "2026-03-01T22:39:00+00:00"):
        clock(instant)
        run(hotel)
    first = days(hotel)
    clock("2026-03-01T22:41:00+00:00")
    run(hotel)

    assert [day["businessDate"] for day in first] == ["2026-02-28"]
    assert [day["businessDate"] for day in days(hotel)] == ["2026-02-28", FIRST_NIGHT]


def test_a_dry_run_shows_every_posting_and_makes_none(hotel: Hotel, clock: Clock) -> None:
    folio = checked_in(hotel, room(1, 12_345), room(2))
    clock(NEXT_DAY)
    before = state(hotel)

    shown = run(hotel, dry_run=True)

    assert state(hotel) == before
    common = {"folioId": folio, "kind": "room", "night": FIRST_NIGHT, "businessDate": FIRST_NIGHT}
    assert shown.preview == [
        {**common, "type": "charge", "tax": None, "amountMicro": 123_450_000, "currency": "USD"},
        {**common, "type": "tax", "tax": "VAT", "amountMicro": 12_350_000, "currency": "USD"},
    ]
    run(hotel)
    assert [line[4] for line in lines(hotel, folio)] == [12_345, 1_235]


def test_who_did_not_come_pays_a_part_of_the_first_night_once(hotel: Hotel, clock: Clock) -> None:
    """80 % of 100.00, and 10 % of that; the other nights are nobody's."""
    hotel.write_settings(noShowFeePpm=800_000)
    folio = confirmed(hotel, room(1), room(2))
    clock(NEXT_DAY)
    run(hotel)
    clock(THIRD_DAY)

    run(hotel)

    night = ("2026-03-01", "2026-03-01")
    assert lines(hotel, folio) == [("charge", "fee", *night, 8_000), ("tax", "fee", *night, 800)]
    assert [day["noShows"] for day in days(hotel)] == [1, 0]
    assert_books_are_right(hotel)


def test_who_comes_after_all_is_charged_the_nights(hotel: Hotel, clock: Clock) -> None:
    """Checked in on the second day: both nights are charged with the second day."""
    told_of = reservation(hotel, room(1), room(2))
    hotel.deliver("on_reservation_confirmed", told_of)
    clock(NEXT_DAY)
    run(hotel)
    hotel.deliver("on_reservation_checked_in", told_of)
    clock(THIRD_DAY)

    run(hotel)

    (item,) = hotel.get("/folios").json["items"]
    charged = [line[2:4] for line in lines(hotel, item["folioId"]) if line[0] == "charge"]
    assert charged == [("2026-03-01", "2026-03-02"), ("2026-03-02", "2026-03-02")]
    assert_books_are_right(hotel)


def test_who_has_not_left_pays_a_part_of_the_last_night_once(hotel: Hotel, clock: Clock) -> None:
    """Departure on the second: 50 % of the night before it, when the second is over."""
    hotel.write_settings(lateCheckOutFeePpm=500_000)
    folio = checked_in(hotel, room(1, 9_000), departure="2026-03-02")
    for instant in (NEXT_DAY, THIRD_DAY, FOURTH_DAY):
        clock(instant)
        run(hotel)

    fees = [line for line in lines(hotel, folio) if line[1] == "fee"]
    day = ("2026-03-02", "2026-03-02")
    assert fees == [("charge", "fee", *day, 4_500), ("tax", "fee", *day, 450)]


def test_who_stays_longer_by_the_desk_has_not_left_late(hotel: Hotel, clock: Clock) -> None:
    """Booked until the second, at the desk until the fourth: the third night is charged, and half
    of the last one when the fourth is over."""
    hotel.write_settings(lateCheckOutFeePpm=500_000)
    booked = reservation(hotel, room(1, 9_000), departure="2026-03-02")
    hotel.deliver("on_reservation_confirmed", booked)
    longer = {**booked, "departure": "2026-03-04", "nights": [room(day, 9_000) for day in (1, 3)]}
    assert hotel.deliver("on_reservation_checked_in", longer).status_code == 204
    for instant in (NEXT_DAY, THIRD_DAY, FOURTH_DAY, "2026-03-05T06:00:00+00:00"):
        clock(instant)
        run(hotel)

    (item,) = hotel.get("/folios").json["items"]
    charged = [line[1:5] for line in lines(hotel, item["folioId"]) if line[0] == "charge"]
    assert charged == [
        ("room", "2026-03-01", "2026-03-01", 9_000),
        ("room", "2026-03-03", "2026-03-03", 9_000),
        ("fee", "2026-03-04", "2026-03-04", 4_500),
    ]
    assert_books_are_right(hotel)


def test_a_night_that_was_charged_is_one_of_the_stay(hotel: Hotel, clock: Clock) -> None:
    """Told, behind the audit of the first, that the stay is of the second only, without a plan: the
    third night, which was planned, is none of it any more."""
    booked = reservation(hotel, room(1), room(2), room(3))
    for consumer in ("on_reservation_confirmed", "on_reservation_checked_in"):
        hotel.deliver(consumer, booked)
    clock(NEXT_DAY)
    run(hotel)
    told_anew = {**booked, "arrival": "2026-03-02", "departure": "2026-03-03", "nights": []}

    assert hotel.deliver("on_reservation_checked_in", told_anew).status_code == 204

    assert hotel.rows("SELECT arrival::text, departure::text FROM {s}.stays") == [
        ["2026-03-01", "2026-03-03"]
    ]
    nights = "SELECT night::text, charge_id IS NOT NULL FROM {s}.planned_charges ORDER BY night"
    assert hotel.rows(nights) == [["2026-03-01", True], ["2026-03-02", False]]
    assert_books_are_right(hotel)


def test_a_plan_that_changed_at_the_desk_is_charged_from_then_on(
    hotel: Hotel, clock: Clock
) -> None:
    """The first night was charged at 100.00; the guest moves to a suite at 250.00."""
    told_of = reservation(hotel, room(1), room(2))
    for consumer in ("on_reservation_confirmed", "on_reservation_checked_in"):
        hotel.deliver(consumer, told_of)
    clock(NEXT_DAY)
    run(hotel)
    dearer = {**told_of, "nights": [room(1, 25_000), room(2, 25_000)]}
    assert hotel.deliver("on_reservation_checked_in", dearer).status_code == 204
    clock(THIRD_DAY)

    run(hotel)

    (item,) = hotel.get("/folios").json["items"]
    charged = [line[4] for line in lines(hotel, item["folioId"]) if line[0] == "charge"]
    assert charged == [10_000, 25_000]


def test_leaves_a_closed_folio_alone(hotel: Hotel, clock: Clock) -> None:
    folio = checked_in(hotel, room(1))
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    clock(NEXT_DAY)

    done = run(hotel)

    assert (done.done, done.failed) == (1, 0)
    assert lines(hotel, folio) == []
    assert_books_are_right(hotel)


def test_a_folio_that_cannot_be_charged_is_named_and_keeps_no_other(
    hotel: Hotel, clock: Clock
) -> None:
    """No rule for spas: that folio waits, and the day with it, until there is one."""
    hotel.write_settings(taxRules=[vat(chargeKinds=["room"])])
    waiting = checked_in(hotel, room(1, 4_000, "spa"))
    other = checked_in(hotel, room(1))
    clock(NEXT_DAY)

    done = run(hotel)

    assert (done.done, done.failed, done.exit_code) == (1, 1, 1)
    assert (lines(hotel, waiting), len(lines(hotel, other)), days(hotel)) == ([], 2, [])
    hotel.write_settings()
    assert run(hotel).exit_code == 0
    assert len(lines(hotel, waiting)) == 2
    assert [day["businessDate"] for day in days(hotel)] == [FIRST_NIGHT]
    assert_books_are_right(hotel)


def test_a_night_that_is_not_of_the_stay_is_refused(hotel: Hotel) -> None:
    answer = hotel.deliver("on_reservation_confirmed", reservation(hotel, room(4)))

    assert answer.status_code == 204
    assert [each.split(":")[0] for each in hotel.letters()] == [
        "MELMASTOON.BILLING.NIGHT_OUTSIDE_STAY"
    ]
    assert hotel.get("/folios").json["items"] == []


@pytest.mark.req("SEC-2", "SEC-3", "TEN-2")
def test_days_are_shown_to_who_may_read_reports_of_the_property(
    hotel: Hotel, house: House, clock: Clock
) -> None:
    clock(NEXT_DAY)
    run(hotel)
    other = house.new_hotel()

    assert len(days(hotel)) == 1
    assert days(other) == []
    refused = hotel.get("/night-audits", token=hotel.token("billing.folio.read"))
    assert (refused.status_code, refused.json["code"]) == (403, "MELMASTOON.IAM.SCOPE_MISSING")
