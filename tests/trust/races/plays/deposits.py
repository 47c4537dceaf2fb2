"""What was paid ahead moves, goes back and is taken up at once, or its stay is canceled."""

from functools import partial

from tests.depositing import CANCELED, booked, cancellation, paid_ahead, path, that_forfeits, wanted
from tests.hotel import Hotel, usd
from tests.moving import lines_of
from tests.nights import folio_of, reservation
from tests.refunding import asking, card_payment
from tests.trust.races.plays.playbill import (
    balance,
    closes,
    hears_of,
    post,
    posts,
    race,
    statuses,
)
from tests.trust.races.stage import Stage

STAY = {"arrival": "2026-03-02", "departure": "2026-03-04"}
NIGHT = {"night": "2026-03-02", "price": usd(9_000)}


@race
def deposits_move_in_both_directions(stage: Stage) -> None:
    """Hers of 10.00 and 20.00 to him, his of 40.00 to her: nobody waits for somebody who waits."""
    hotel = stage.hotel
    hers, his = paid_ahead(hotel, 5_000), paid_ahead(hotel, 5_000)
    for cents in (1_000, 2_000):
        moved = wanted(his, cents)
        stage.plays(f"hers of {cents}", partial(post, path(hers), moved, f"hers-{cents}"))
    stage.plays("his", partial(post, path(his), wanted(hers, 4_000), "his"))

    answers = stage.play()

    assert statuses(answers) == {201: 3}
    assert (balance(hotel, hers), balance(hotel, his)) == (-6_000, -4_000)


@race
def a_deposit_moves_while_it_is_refunded_and_taken_up(stage: Stage) -> None:
    """Of 100.00 somebody moves 60.00, somebody gives 60.00 back, and the bar takes 11.00."""
    hotel = stage.hotel
    hers, his = paid_ahead(hotel, 10_000), hotel.open_folio()
    (payment,) = (line["lineId"] for line in lines_of(hotel, hers))
    stage.plays("mariam moves", partial(post, path(hers), wanted(his, 6_000), "move"))
    stage.plays("nasrin refunds", asking(hotel, hers, payment, usd(6_000), "nasrin"))
    stage.plays("bar", posts(hers, "bar", 1_000))

    moved, refunded, bar = stage.play()

    assert statuses([moved, refunded]) == {201: 1, 409: 1}
    assert bar.status_code == 201
    assert balance(hotel, hers) == -10_000 + 6_000 + 1_100
    assert balance(hotel, his) == (-6_000 if moved.status_code == 201 else 0)


@race
def a_deposit_moves_to_two_folios(stage: Stage) -> None:
    """60.00 of 100.00 each: the second is told that 40.00 are left."""
    hotel = stage.hotel
    hers, his, company = paid_ahead(hotel, 10_000), hotel.open_folio(), hotel.open_folio()
    for name, to in (("to him", his), ("to the company", company)):
        stage.plays(name, partial(post, path(hers), wanted(to, 6_000), name))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    assert balance(hotel, hers) == -4_000
    assert sorted((balance(hotel, his), balance(hotel, company))) == [-6_000, 0]


@race
def a_folio_closes_while_its_deposit_leaves(stage: Stage) -> None:
    """It is in credit until the deposit has left: closed then, or refused."""
    hotel = stage.hotel
    hers, his = paid_ahead(hotel, 10_000), hotel.open_folio()
    stage.plays("mariam", partial(post, path(hers), wanted(his, 10_000), "move"))
    stage.plays("cashier", closes(hers, "close"))

    moved, closed = stage.play()

    assert (moved.status_code, closed.status_code) in ((201, 200), (201, 409))
    assert (balance(hotel, hers), balance(hotel, his)) == (0, -10_000)


@race
def a_stay_is_canceled_while_the_guest_checks_in(stage: Stage) -> None:
    """In the house first, and nothing is canceled; or canceled first, and a half of 200.00 kept."""
    hotel = stage.hotel
    that_forfeits(hotel)
    told = reservation(hotel, NIGHT, **STAY)
    hotel.deliver("on_reservation_confirmed", told)
    folio = folio_of(hotel, told["reservationId"])
    card_payment(hotel, folio, usd(20_000))
    off = cancellation(hotel, told["reservationId"])
    stage.plays("cancels", hears_of(CANCELED, off, "evt-canceled"))
    stage.plays("checks in", hears_of("on_reservation_checked_in", told, "evt-in"))

    answers = stage.play()

    assert statuses(answers) == {204: 2}
    ((canceled, arrived),) = hotel.rows(
        "SELECT canceled_at IS NOT NULL, checked_in_at IS NOT NULL FROM {s}.stays"
    )
    assert arrived
    assert balance(hotel, folio) == (0 if canceled else -20_000)


@race
def a_stay_is_canceled_while_the_bar_charges(stage: Stage) -> None:
    """Charged first, and the half is of 178.00; canceled first, and 22.00 are owed."""
    hotel = stage.hotel
    that_forfeits(hotel)
    name, folio = booked(hotel, NIGHT, **STAY)
    card_payment(hotel, folio, usd(20_000))
    stage.plays("cancels", hears_of(CANCELED, cancellation(hotel, name), "evt-canceled"))
    stage.plays("bar", posts(folio, "bar", 2_000))

    told, bar = stage.play()

    assert (told.status_code, bar.status_code) == (204, 201)
    given = hotel.rows("SELECT amount_micro / 10000 FROM {s}.refunds")
    assert (given, balance(hotel, folio)) in (([[8_900]], 0), ([[10_000]], 2_200))


@race
def a_stay_is_canceled_twice(stage: Stage) -> None:
    """By two events of the same, while a part of what was paid ahead leaves for another folio."""
    hotel = stage.hotel
    that_forfeits(hotel)
    name, folio = booked(hotel, NIGHT, **STAY)
    card_payment(hotel, folio, usd(20_000))
    other = hotel.open_folio()
    for event in ("evt-one", "evt-two"):
        stage.plays(event, hears_of(CANCELED, cancellation(hotel, name), event))
    stage.plays("mariam", partial(post, path(folio), wanted(other, 5_000), "move"))

    *told, moved = stage.play()

    assert statuses(told) == {204: 2}
    given = hotel.rows("SELECT amount_micro / 10000 FROM {s}.refunds")
    assert given == ([[7_500]] if moved.status_code == 201 else [[10_000]])
    assert balance(hotel, folio) == 0
    assert len(hotel.events("folio.stay_canceled")) == 1


@race
def a_reservation_is_confirmed_while_it_is_canceled(stage: Stage) -> None:
    """There is no stay that goes on: it was never planned, or it was canceled."""
    hotel = stage.hotel
    told = reservation(hotel, NIGHT, **STAY)
    off = cancellation(hotel, told["reservationId"])
    stage.plays("confirms", hears_of("on_reservation_confirmed", told, "evt-confirmed"))
    stage.plays("cancels", hears_of(CANCELED, off, "evt-canceled"))
    stage.plays("cancels again", hears_of(CANCELED, off, "evt-again"))

    answers = stage.play()

    assert statuses(answers) == {204: 3}
    assert _going_on(hotel) == 0
    assert hotel.rows("SELECT count(*) FROM {s}.canceled_reservations") == [[1]]


def _going_on(hotel: Hotel) -> int:
    return int(hotel.rows("SELECT count(*) FROM {s}.stays WHERE canceled_at IS NULL")[0][0])
