"""Nights that no audit sees: who leaves before it, comes after it, or stays otherwise."""

from collections.abc import Callable

import pytest

from tests.hotel import Hotel, usd, vat
from tests.nights import (
    EVENING,
    FIRST_NIGHT,
    FOURTH_DAY,
    NEXT_DAY,
    THIRD_DAY,
    checked_in,
    days,
    folio_of,
    lines,
    reservation,
    room,
    run,
)
from tests.proofs import assert_books_are_right, assert_refused
from tests.reopening import closes, reopened
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-9")
Clock = Callable[[str], None]
CONFIRMED, CHECKED_IN = "on_reservation_confirmed", "on_reservation_checked_in"
IN_THE_NIGHT = "2026-03-01T21:00:00+00:00"
"""Half past one in Kabul: the calendar says the second of March, the business day is the first."""
BEFORE_THE_AUDIT = "2026-03-01T22:31:00+00:00"
"""Past three: the second is on, and the first will be audited in ten minutes."""


@pytest.fixture(autouse=True)
def _evening(clock: Clock) -> None:
    clock(EVENING)


@pytest.mark.req("CLO-1")
def test_who_leaves_in_the_night_pays_for_it(hotel: Hotel, clock: Clock) -> None:
    """100.00 and 10 %, on the day that is still on; the audit finds it charged, and once."""
    folio = checked_in(hotel, room(1), room(2))
    clock(IN_THE_NIGHT)

    answer = hotel.post(f"/folios/{folio}/close")

    assert_refused(answer, 409, "BALANCE_DUE")
    assert answer.json["balanceMicro"] == 110_000_000
    hotel.paid(folio, usd(11_000))
    closes(hotel, folio)
    clock(NEXT_DAY)
    run(hotel)
    night = ("2026-03-01", "2026-03-01")
    assert [line for line in lines(hotel, folio) if line[0] != "payment"] == [
        ("charge", "room", *night, 10_000),
        ("tax", "room", *night, 1_000),
    ]
    (day,) = days(hotel)
    assert {"account": "revenue:room", "amount": usd(10_000)} in day["guestLedger"]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("CLO-1", "CLO-2")
def test_who_has_paid_ahead_leaves_before_the_audit_with_an_invoice_of_the_night(
    hotel: Hotel, clock: Clock
) -> None:
    folio = checked_in(hotel, room(1))
    hotel.paid(folio, usd(11_000), allowCredit=True)
    clock(BEFORE_THE_AUDIT)

    closed = closes(hotel, folio)

    assert closed["settlement"]["charges"] == usd(11_000)
    charged = [line[2:4] for line in lines(hotel, folio) if line[0] == "charge"]
    assert charged == [(FIRST_NIGHT, "2026-03-02")]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("CLO-1", "TAX-2")
def test_a_night_without_its_tax_keeps_its_folio_open(hotel: Hotel, clock: Clock) -> None:
    """There is no rule, or one whose amount is of another currency."""
    euro = {"amountMicro": 1_000_000, "currency": "EUR"}
    hotel.write_settings(taxRules=[vat(ratePpm=None, perNight=euro)])
    folio = checked_in(hotel, room(1))
    clock(IN_THE_NIGHT)
    assert_refused(hotel.post(f"/folios/{folio}/close"), 422, "CURRENCY_MISMATCH")
    hotel.write_settings(taxRules=[vat(chargeKinds=["minibar"])])

    assert_refused(hotel.post(f"/folios/{folio}/close"), 422, "TAX_RULE_MISSING")

    assert lines(hotel, folio) == []
    (event,) = hotel.events("tax_rule.missing")
    assert event["data"]["chargeKind"] == "room"


def test_who_comes_after_all_does_not_pay_the_first_night_twice(hotel: Hotel, clock: Clock) -> None:
    """80 % of the first night as a no-show; then the guest comes, and sleeps both of them."""
    folio, told_of = _no_show(hotel, clock)

    assert hotel.deliver(CHECKED_IN, told_of).status_code == 204
    clock(THIRD_DAY)
    run(hotel)

    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(22_000)
    assert [line[1] for line in lines(hotel, folio) if line[0] == "void"] == ["fee", "fee"]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_who_comes_for_the_second_night_has_missed_the_first(hotel: Hotel, clock: Clock) -> None:
    """88.00 of the first night and 110.00 of the second."""
    folio, told_of = _no_show(hotel, clock)
    late = {**told_of, "arrival": "2026-03-02", "nights": [room(2)]}

    assert hotel.deliver(CHECKED_IN, late).status_code == 204
    clock(THIRD_DAY)
    run(hotel)

    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(19_800)


@pytest.mark.req("EVT-5")
def test_who_comes_to_a_closed_folio_waits_for_it(hotel: Hotel) -> None:
    """Closed before the guest came, with nothing on it: the night would be charged to nobody."""
    told_of = reservation(hotel, room(1))
    hotel.deliver(CONFIRMED, told_of)
    closes(hotel, folio_of(hotel, told_of["reservationId"]))

    assert hotel.deliver(CHECKED_IN, told_of).status_code == 204

    (letter,) = hotel.letters()
    assert letter.startswith("MELMASTOON.BILLING.FOLIO_CLOSED")
    assert hotel.rows("SELECT checked_in_at FROM {s}.stays") == [[None]]


@pytest.mark.req("EVT-5", "CLO-4")
def test_who_comes_to_a_no_shows_folio_is_not_lost(hotel: Hotel, clock: Clock) -> None:
    """What a no-show paid was billed. The check-in waits until the folio is open again."""
    folio, told_of = _no_show(hotel, clock)
    hotel.paid(folio, usd(8_800))
    closes(hotel, folio)

    assert hotel.deliver(CHECKED_IN, told_of).status_code == 204

    (letter,) = hotel.letters()
    assert letter.startswith("MELMASTOON.BILLING.FOLIO_CLOSED")
    reopened(hotel, folio)
    assert hotel.deliver(CHECKED_IN, told_of).status_code == 204
    clock(THIRD_DAY)
    run(hotel)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(22_000 - 8_800)
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_who_stays_on_behind_the_audit_has_not_left_late(hotel: Hotel, clock: Clock) -> None:
    """Half of 100.00 for the second of March, on which the guest was to leave; it becomes a night
    of the stay, and the third is the day on which the guest leaves late indeed."""
    hotel.write_settings(lateCheckOutFeePpm=500_000)
    booked = reservation(hotel, room(1), departure="2026-03-02")
    for consumer in (CONFIRMED, CHECKED_IN):
        hotel.deliver(consumer, booked)
    folio = folio_of(hotel, booked["reservationId"])
    clock(THIRD_DAY)
    for _ in range(2):
        run(hotel)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(11_000 + 5_500)
    longer = {**booked, "departure": "2026-03-03", "nights": [room(1), room(2)]}

    assert hotel.deliver(CHECKED_IN, longer).status_code == 204

    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(11_000)
    clock(FOURTH_DAY)
    run(hotel)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(22_000 + 5_500)
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("EVT-5", "CLO-4")
def test_who_has_paid_and_stays_on_is_charged_once_the_folio_is_open(
    hotel: Hotel, clock: Clock
) -> None:
    """The first night is paid and billed; the second waits, though somebody said that the guest had
    left. What was known of the stay is no reason to wait for anything."""
    booked = reservation(hotel, room(1), room(3), departure="2026-03-04")
    for consumer in (CONFIRMED, CHECKED_IN):
        hotel.deliver(consumer, booked)
    folio = folio_of(hotel, booked["reservationId"])
    clock(NEXT_DAY)
    run(hotel)
    hotel.paid(folio, usd(11_000))
    closes(hotel, folio)
    assert hotel.deliver(CHECKED_IN, booked).status_code == 204
    assert hotel.letters() == []
    longer = {**booked, "nights": [room(1), room(2)]}

    assert hotel.deliver(CHECKED_IN, longer).status_code == 204

    (letter,) = hotel.letters()
    assert letter.startswith("MELMASTOON.BILLING.FOLIO_CLOSED")
    reopened(hotel, folio)
    assert hotel.deliver(CHECKED_IN, longer).status_code == 204
    clock(THIRD_DAY)
    run(hotel)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(11_000)
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("TAX-1", "FOL-12")
def test_taxes_go_by_how_long_the_guest_stays(hotel: Hotel, clock: Clock) -> None:
    """Booked for three nights, which spares who stays over two; at the desk it is one night."""
    hotel.write_settings(taxRules=[vat(longStayOverNights=2)])
    booked = reservation(hotel, room(1), room(2), room(3))
    hotel.deliver(CONFIRMED, booked)
    shorter = {**booked, "departure": "2026-03-02", "nights": [room(1)]}
    assert hotel.deliver(CHECKED_IN, shorter).status_code == 204
    clock(NEXT_DAY)

    run(hotel)

    folio = folio_of(hotel, booked["reservationId"])
    shown = hotel.get(f"/folios/{folio}").json
    assert shown["stay"] == {"arrival": "2026-03-01", "departure": "2026-03-02"}
    assert shown["balance"] == usd(11_000)
    assert_books_are_right(hotel)


def _no_show(hotel: Hotel, clock: Clock) -> tuple[str, dict[str, object]]:
    """Two nights were booked, and nobody came for the first: 80.00 and 10 %."""
    hotel.write_settings(noShowFeePpm=800_000)
    told_of = reservation(hotel, room(1), room(2))
    hotel.deliver(CONFIRMED, told_of)
    clock(NEXT_DAY)
    run(hotel)
    folio = folio_of(hotel, told_of["reservationId"])
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(8_800)
    return folio, told_of
