"""A canceled stay is charged no night, and what was paid ahead is forfeited or given back."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.depositing import (
    CANCELED,
    TWO_DAYS_BEFORE,
    ahead,
    booked,
    canceled,
    cancellation,
    paid_by_card,
    refunds,
    that_forfeits,
)
from tests.hotel import Hotel, House, usd, vat
from tests.moving import balances, cents, lines_of
from tests.nights import EVENING, NEXT_DAY, THIRD_DAY, days, reservation, room, run
from tests.proofs import assert_books_are_right, state, told, trail
from tests.refunding import card_payment
from tests.together import at_once, meanwhile
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-11", "EVT-3")

Clock = Callable[[str], None]
CONFIRMED, CHECKED_IN = "on_reservation_confirmed", "on_reservation_checked_in"
ASIDE = ("inbox", "idempotency_keys")
IN_TIME = "2026-02-27T10:30:00+00:00"


@pytest.fixture(autouse=True)
def _two_days_before(clock: Clock) -> None:
    """On the 27th of February: stays begin on the first of March."""
    clock(IN_TIME)


@pytest.mark.req("EVT-1", "AUD-1")
def test_tells_what_became_of_what_was_paid_ahead(hotel: Hotel) -> None:
    """150.00 by bank and 50.00 by card: 100.00 kept, 50.00 given back, 50.00 are for a clerk."""
    that_forfeits(hotel)
    name, folio, _ = paid_by_card(hotel, 5_000)
    hotel.paid(folio, usd(15_000), allowCredit=True)

    canceled(hotel, name, TWO_DAYS_BEFORE)

    (event,) = hotel.events("folio.stay_canceled")
    assert event["subject"] == folio
    assert event["data"] == {
        "folioId": folio,
        "propertyId": str(hotel.property_id),
        "reservationId": name,
        "canceledOn": "2026-02-27",
        "forfeited": usd(10_000),
        "givenBack": usd(5_000),
        "left": usd(5_000),
    }
    assert told(hotel)[-3:] == ["charge.posted", "refund.recorded", "folio.stay_canceled"]
    assert {each["actor"] for each in trail(hotel)[-3:]} == {f"system:{CANCELED}"}
    assert ahead(hotel, folio) == [5_000]
    assert_books_are_right(hotel)


@pytest.mark.req("FOL-9")
def test_charges_no_night_and_no_no_show(hotel: Hotel, clock: Clock) -> None:
    that_forfeits(hotel, noShowFeePpm=800_000)
    name, folio = booked(hotel, room(1), room(2))
    canceled(hotel, name)

    for morning in (EVENING, NEXT_DAY, THIRD_DAY):
        clock(morning)
        run(hotel)

    assert lines_of(hotel, folio) == []
    assert sum(day["noShows"] for day in days(hotel)) == 0
    assert hotel.rows("SELECT no_show_on FROM {s}.stays") == [[None]]
    assert broken(hotel) == []


@pytest.mark.req("EVT-5")
def test_is_canceled_once_whatever_is_told_again(hotel: Hotel) -> None:
    """The same event again, and another event of the same."""
    that_forfeits(hotel)
    name, _, _ = paid_by_card(hotel, 20_000)
    told_of = cancellation(hotel, name, TWO_DAYS_BEFORE)
    hotel.deliver(CANCELED, told_of, event_id="evt_once")
    before = state(hotel, without=ASIDE)

    for event_id in ("evt_once", "evt_again"):
        assert hotel.deliver(CANCELED, told_of, event_id=event_id).status_code == 204

    assert state(hotel, without=ASIDE) == before
    assert len(refunds(hotel)) == 1
    assert broken(hotel) == []


@pytest.mark.req("EVT-5")
def test_one_of_many_at_once_cancels(hotel: Hotel) -> None:
    that_forfeits(hotel)
    name, folio, _ = paid_by_card(hotel, 20_000)

    answers = at_once(
        [partial(hotel.deliver, CANCELED, cancellation(hotel, name)) for _ in range(5)]
    )

    assert {answer.status_code for answer in answers} == {204}
    assert [kind for kind, _ in cents(lines_of(hotel, folio))] == [
        "payment", "charge", "tax", "refund",
    ]  # fmt: skip
    assert hotel.letters() == []
    assert broken(hotel) == []


@pytest.mark.req("EVT-5", "FOL-2")
def test_a_confirmation_that_comes_behind_opens_nothing(hotel: Hotel) -> None:
    told_of = reservation(hotel, room(1))
    canceled(hotel, told_of["reservationId"])

    assert hotel.deliver(CONFIRMED, told_of).status_code == 204

    assert hotel.get("/folios").json["items"] == []
    assert hotel.rows("SELECT reservation_id FROM {s}.canceled_reservations") == [
        [told_of["reservationId"]]
    ]
    assert broken(hotel) == []


@pytest.mark.req("EVT-5")
def test_confirmed_and_canceled_at_once_leave_no_stay_that_goes_on(hotel: Hotel) -> None:
    told_of = [reservation(hotel, room(1)) for _ in range(4)]

    answers = at_once(
        [partial(hotel.deliver, CONFIRMED, each) for each in told_of]
        + [
            partial(hotel.deliver, CANCELED, cancellation(hotel, each["reservationId"]))
            for each in told_of
        ]
    )

    assert {answer.status_code for answer in answers} == {204}
    assert hotel.rows("SELECT count(*) FROM {s}.stays WHERE canceled_at IS NULL") == [[0]]
    assert hotel.rows("SELECT count(*) FROM {s}.canceled_reservations") == [[4]]
    assert broken(hotel) == []


def test_a_guest_in_the_house_has_not_canceled(hotel: Hotel, clock: Clock) -> None:
    """100.00 of a deposit of 200.00 were for the first night, with its 10.00."""
    that_forfeits(hotel)
    told_of = reservation(hotel, room(1), room(2))
    for consumer in (CONFIRMED, CHECKED_IN):
        hotel.deliver(consumer, told_of)
    (folio,) = (item["folioId"] for item in hotel.get("/folios").json["items"])
    card_payment(hotel, folio, usd(20_000))
    before = state(hotel, without=ASIDE)

    canceled(hotel, told_of["reservationId"])

    assert state(hotel, without=ASIDE) == before
    clock(NEXT_DAY)
    run(hotel)
    assert balances(hotel, folio) == [-9_000]


def test_a_guest_who_comes_all_the_same_is_charged_the_nights(hotel: Hotel, clock: Clock) -> None:
    told_of = reservation(hotel, room(1))
    hotel.deliver(CONFIRMED, told_of)
    canceled(hotel, told_of["reservationId"])
    clock(EVENING)
    hotel.deliver(CHECKED_IN, told_of)
    clock(NEXT_DAY)

    run(hotel)

    (folio,) = (item["folioId"] for item in hotel.get("/folios").json["items"])
    assert cents(lines_of(hotel, folio)) == [("charge", 10_000), ("tax", 1_000)]
    assert broken(hotel) == []


def test_a_guest_comes_to_a_folio_that_the_desk_opened_and_that_was_canceled(hotel: Hotel) -> None:
    """Nobody had confirmed it: what was paid ahead on it goes back, and the guest has a stay."""
    told_of = reservation(hotel, room(1))
    folio = hotel.open_folio(reservationId=told_of["reservationId"])
    card_payment(hotel, folio, usd(5_000))
    canceled(hotel, told_of["reservationId"])

    assert hotel.deliver(CHECKED_IN, told_of).status_code == 204

    assert balances(hotel, folio) == [0]
    assert hotel.rows("SELECT canceled_at, checked_in_at IS NOT NULL FROM {s}.stays") == [
        [None, True]
    ]
    assert broken(hotel) == []


@pytest.mark.parametrize("first", [CANCELED, CHECKED_IN])
def test_a_check_in_that_began_before_waits_and_is_no_earlier(
    hotel: Hotel, house: House, first: str
) -> None:
    """Both wait for the folio; whoever is let in first, the other sees what was done."""
    told_of = reservation(hotel, room(1))
    hotel.deliver(CONFIRMED, told_of)
    bodies = {
        CHECKED_IN: told_of,
        CANCELED: cancellation(hotel, told_of["reservationId"]),
    }
    (second,) = bodies.keys() - {first}

    with house.session() as holder:
        holder.run("BEGIN")
        holder.run(f"SELECT id FROM {hotel.schema}.folios FOR NO KEY UPDATE")
        with meanwhile(partial(hotel.deliver, first, bodies[first])) as one:
            house.until_waiting(holder)
            with meanwhile(partial(hotel.deliver, second, bodies[second])) as two:
                house.until_waiting(holder, 2)
                holder.run("ROLLBACK")

    assert (one().status_code, two().status_code) == (204, 204)
    stays = hotel.rows(
        "SELECT canceled_at IS NOT NULL, checked_in_at >= coalesce(canceled_at, checked_in_at)"
        " FROM {s}.stays"
    )
    assert stays == [[first == CANCELED, True]]
    assert broken(hotel) == []


def test_a_folio_that_is_closed_keeps_what_it_was_closed_with(hotel: Hotel) -> None:
    that_forfeits(hotel)
    name, folio = booked(hotel, room(1))
    assert hotel.post(f"/folios/{folio}/close").status_code == 200

    canceled(hotel, name)

    assert hotel.events("folio.stay_canceled") == []
    assert hotel.rows("SELECT canceled_at IS NOT NULL FROM {s}.stays") == [[True]]
    assert broken(hotel) == []


@pytest.mark.req("EVT-5", "TAX-2")
@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("BILLING.PROPERTY_UNKNOWN", {"propertyId": "00000000-0000-4000-8000-000000000000"}),
        ("BILLING.TAX_RULE_MISSING", {}),
        ("GENERAL.VALIDATION_FAILED", {"reservationId": None}),
        ("GENERAL.VALIDATION_FAILED", {"canceledAt": "yesterday"}),
    ],
    ids=["property", "rule", "reservation", "instant"],
)
def test_keeps_with_its_reason_what_cannot_be_canceled(
    hotel: Hotel, code: str, more: dict[str, Any]
) -> None:
    """Nothing of it has happened, and it can be sent again once there is a rule."""
    that_forfeits(hotel, taxRules=[vat()])
    name, _, _ = paid_by_card(hotel, 20_000)
    before = state(hotel)

    answer = hotel.deliver(CANCELED, {**cancellation(hotel, name, TWO_DAYS_BEFORE), **more})

    assert answer.status_code == 204
    assert [letter.split(":")[0] for letter in hotel.letters()] == [f"MELMASTOON.{code}"]
    assert state(hotel) == before
