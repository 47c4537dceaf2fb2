"""A folio is charged, paid, corrected and closed by several at once."""

from functools import partial

from tests.hotel import usd
from tests.trust.races.plays.playbill import (
    balance,
    closes,
    hears_of,
    lowering,
    numbers,
    pays,
    post,
    posts,
    race,
    settled,
    statuses,
)
from tests.trust.races.stage import Stage

RESERVATION = {
    "reservationId": "R-1",
    "guest": {"name": "Layla"},
    "arrival": "2026-03-01",
    "departure": "2026-03-04",
}


@race
def a_check_is_told_by_two_events_while_the_folio_closes(stage: Stage) -> None:
    """It is on the folio once, or it came too late and is kept as a dead letter."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    house = {"propertyId": str(hotel.property_id), "folioId": folio}
    check = {"pointOfSale": "BAR", "checkNumber": "1", "description": "Tea", "unitAmount": usd(5)}
    for name in ("till", "till again"):
        stage.plays(
            name,
            lambda at, name=name: at.deliver(
                "on_charge_posted", {**house, **check}, event_id=f"evt-{name.replace(' ', '-')}"
            ),
        )
    stage.plays("desk", partial(post, f"/folios/{folio}/close", {}, "close"))

    *told, closed = stage.play()

    assert statuses(told) == {204: 2}
    posted = hotel.rows("SELECT id FROM {s}.folio_lines WHERE source = 'pos' AND type = 'charge'")
    assert len(posted) == (1 if closed.status_code == 409 else 0)
    assert len(hotel.letters()) in ((0,) if posted else (1, 2))


@race
def three_tills_post_to_one_folio(stage: Stage) -> None:
    """10.00, 20.00 and 40.00, and 10 % on each: 77.00, whoever is first."""
    folio = stage.hotel.open_folio()
    for till, cents in enumerate((1_000, 2_000, 4_000)):
        stage.plays(f"till {till}", posts(folio, f"bill-{till}", cents))

    answers = stage.play()

    assert statuses(answers) == {201: 3}
    assert balance(stage.hotel, folio) == 7_700


@race
def one_bill_is_sent_three_times(stage: Stage) -> None:
    """With one key, over three instances: one effect, and one answer."""
    folio = stage.hotel.open_folio()
    for time in ("first", "second", "third"):
        stage.plays(f"{time} time", posts(folio, "the-bill"))

    answers = stage.play()

    assert statuses(answers) == {201: 3}
    assert len({answer.data for answer in answers}) == 1
    assert balance(stage.hotel, folio) == 1_100


@race
def one_bill_of_the_bar_comes_over_two_folios(stage: Stage) -> None:
    """An external reference is posted once, whatever folio it is for."""
    first, second = stage.hotel.open_folio(), stage.hotel.open_folio()
    bill = {"source": "pos", "externalReference": "POS-1"}
    stage.plays("till 1", posts(first, "one", **bill))
    stage.plays("till 2", posts(second, "two", **bill))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    assert balance(stage.hotel, first) + balance(stage.hotel, second) == 1_100


@race
def two_guests_pay_one_bill(stage: Stage) -> None:
    """66.00 and 66.00 on 110.00: the second one is more than what is owed."""
    folio = stage.hotel.open_folio()
    stage.hotel.charged(folio)
    for guest in ("father", "mother"):
        stage.plays(guest, pays(folio, guest, 6_600))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 422: 1}
    assert balance(stage.hotel, folio) == 4_400


@race
def one_card_payment_is_told_three_times(stage: Stage) -> None:
    """By the desk, and twice by the processor: on the folio once."""
    folio = stage.hotel.open_folio()
    stage.hotel.charged(folio)
    told = {"paymentId": "pp-1", "folioId": folio, "amount": usd(4_000)}
    stage.plays("desk", pays(folio, "desk", 4_000, "card", paymentId="pp-1"))
    stage.plays("processor", hears_of("on_payment_captured", told, "evt_1"))
    stage.plays("processor again", hears_of("on_payment_captured", told, "evt_1"))

    desk, *processor = stage.play()

    assert desk.status_code in (201, 409)
    assert statuses(processor) == {204: 2}
    assert balance(stage.hotel, folio) == 7_000


@race
def two_porters_close_one_folio(stage: Stage) -> None:
    """One invoice; who comes second hears that it is closed."""
    folio = settled(stage.hotel)
    for porter in ("porter 1", "porter 2"):
        stage.plays(porter, closes(folio, porter))

    answers = stage.play()

    assert statuses(answers) == {200: 1, 409: 1}
    assert len(numbers(stage.hotel)) == 1


@race
def a_late_bill_meets_the_close(stage: Stage) -> None:
    """Either it is on the folio, which then does not close, or it is refused."""
    folio = settled(stage.hotel)
    stage.plays("bar", posts(folio, "late"))
    stage.plays("reception", closes(folio, "close"))
    stage.plays("guest", pays(folio, "guest", 1_100))

    bar, reception, guest = stage.play()

    late = bar.status_code == 201
    assert balance(stage.hotel, folio) == (1_100 if late and guest.status_code != 201 else 0)
    assert (reception.status_code == 200) == bool(numbers(stage.hotel))
    assert (
        late
        or (reception.status_code, guest.status_code) == (200, 409)
        or (reception.status_code == 200 and guest.status_code == 422)
    )


@race
def a_folio_is_closed_twice_while_its_guest_pays(stage: Stage) -> None:
    """Who comes too early hears what is due; nothing is told of a folio that has closed since."""
    folio = stage.hotel.open_folio()
    stage.hotel.charged(folio, cents=1_000)
    stage.plays("guest", pays(folio, "guest", 1_100))
    for porter in ("porter 1", "porter 2"):
        stage.plays(porter, closes(folio, porter))

    guest, *porters = stage.play()

    assert guest.status_code == 201
    assert statuses(porters)[200] <= 1
    assert statuses(porters)[200] + statuses(porters)[409] == 2
    assert len(numbers(stage.hotel)) == statuses(porters)[200]


@race
def three_folios_are_closed_at_once(stage: Stage) -> None:
    """Their invoices are numbered 1, 2 and 3."""
    for porter in range(3):
        stage.plays(f"porter {porter}", closes(settled(stage.hotel), f"close-{porter}"))

    answers = stage.play()

    assert statuses(answers) == {200: 3}
    assert numbers(stage.hotel) == [1, 2, 3]


@race
def a_charge_is_voided_twice_and_lowered(stage: Stage) -> None:
    """One void; the adjustment is voided with it, or comes too late."""
    folio = stage.hotel.open_folio()
    bill = stage.hotel.charged(folio, "minibar", 1_000)
    void = f"/folios/{folio}/charges/{bill}/void"
    for clerk in ("clerk 1", "clerk 2"):
        stage.plays(clerk, partial(post, void, {"reason": "never drunk"}, clerk))
    lower = lowering(bill, -400)
    stage.plays("manager", partial(post, f"/folios/{folio}/adjustments", lower, "lower"))

    *voids, lowered = stage.play()

    assert statuses(voids) == {201: 1, 409: 1}
    assert lowered.status_code in (201, 409)
    assert balance(stage.hotel, folio) == 0


@race
def two_clerks_lower_one_charge(stage: Stage) -> None:
    """6.00 and 6.00 off 10.00: never below nothing."""
    folio = stage.hotel.open_folio()
    bill = stage.hotel.charged(folio, "minibar", 1_000)
    lower = lowering(bill, -600)
    for clerk in ("clerk 1", "clerk 2"):
        stage.plays(clerk, partial(post, f"/folios/{folio}/adjustments", lower, clerk))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 422: 1}
    assert balance(stage.hotel, folio) == 440


@race
def a_reservation_opens_its_folio_from_three_sides(stage: Stage) -> None:
    """Its confirmation, its check-in and the desk: one folio."""
    where = {"propertyId": str(stage.hotel.property_id)}
    booked = {**RESERVATION, **where}
    asked = {**where, "reservationId": "R-1", "guest": RESERVATION["guest"]}
    stage.plays("confirmation", hears_of("on_reservation_confirmed", booked, "evt_1"))
    stage.plays("check-in", hears_of("on_reservation_checked_in", booked, "evt_2"))
    stage.plays("desk", partial(post, "/folios", asked, "desk"))

    answers = stage.play()

    assert [answer.status_code for answer in answers] == [204, 204, 201]
    assert len(stage.hotel.get("/folios").json["items"]) == 1
