"""Charges move between folios while others move, void or settle them."""

from functools import partial

from tests.hotel import Hotel, usd
from tests.moving import lines_of, path, wanted
from tests.trust.races.plays.playbill import (
    balance,
    closes,
    lowering,
    post,
    race,
    settled,
    statuses,
)
from tests.trust.races.stage import Stage


def two_folios(hotel: Hotel) -> tuple[str, str]:
    """Hers and his."""
    return hotel.open_folio(), hotel.open_folio()


@race
def charges_move_in_both_directions(stage: Stage) -> None:
    """Hers of 10.00 and 20.00 to him, his of 40.00 to her: nobody waits for somebody who waits."""
    hotel = stage.hotel
    hers, his = two_folios(hotel)
    for cents in (1_000, 2_000):
        moved = wanted(his, hotel.charged(hers, "minibar", cents))
        stage.plays(f"hers of {cents}", partial(post, path(hers), moved, f"hers-{cents}"))
    moved = wanted(hers, hotel.charged(his, "spa", 4_000))
    stage.plays("his", partial(post, path(his), moved, "his"))

    answers = stage.play()

    assert statuses(answers) == {201: 3}
    assert (balance(hotel, hers), balance(hotel, his)) == (4_400, 3_300)


@race
def one_charge_moves_to_two_folios(stage: Stage) -> None:
    """Whoever is first has it: the other is told that it is gone."""
    hotel = stage.hotel
    hers, his = two_folios(hotel)
    company = hotel.open_folio()
    spa = hotel.charged(hers, "spa", 1_000)
    for name, to in (("to him", his), ("to the company", company)):
        stage.plays(name, partial(post, path(hers), wanted(to, spa), name))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    assert balance(hotel, hers) == 0
    assert sorted((balance(hotel, his), balance(hotel, company))) == [0, 1_100]


@race
def two_move_sixty_of_a_hundred(stage: Stage) -> None:
    """A part each: 40.00 are left for the second, which is refused."""
    hotel = stage.hotel
    hers, his = two_folios(hotel)
    room = hotel.charged(hers)
    for name in ("mariam", "nasrin"):
        body = wanted(his, room, amount=usd(6_000))
        stage.plays(name, partial(post, path(hers), body, name))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 422: 1}
    assert (balance(hotel, hers), balance(hotel, his)) == (4_400, 6_600)


@race
def a_folio_closes_while_a_charge_leaves_it(stage: Stage) -> None:
    """It balances. Whoever is first, the other is refused: nothing leaves an invoice."""
    hotel = stage.hotel
    hers, his = settled(hotel), hotel.open_folio()
    (bill,) = (line["lineId"] for line in lines_of(hotel, hers) if line["type"] == "charge")
    stage.plays("mariam", partial(post, path(hers), wanted(his, bill), "move"))
    stage.plays("cashier", closes(hers, "close"))

    moved, closed = stage.play()

    assert (moved.status_code, closed.status_code) in ((201, 409), (409, 200))
    left = 1_100 if moved.status_code == 201 else 0
    assert (balance(hotel, hers), balance(hotel, his)) == (-left, left)


@race
def a_folio_closes_while_a_charge_reaches_it(stage: Stage) -> None:
    """It is on the invoice's folio before the close, which is refused then, or it stays away."""
    hotel = stage.hotel
    hers, his = hotel.open_folio(), settled(hotel)
    spa = hotel.charged(hers, "spa", 1_000)
    stage.plays("mariam", partial(post, path(hers), wanted(his, spa), "move"))
    stage.plays("cashier", closes(his, "close"))

    moved, closed = stage.play()

    assert (moved.status_code, closed.status_code) in ((201, 409), (409, 200))
    there = 1_100 if moved.status_code == 201 else 0
    assert (balance(hotel, hers), balance(hotel, his)) == (1_100 - there, there)


@race
def a_charge_moves_while_it_is_voided_and_lowered(stage: Stage) -> None:
    """Moved or voided, once; the adjustment went with it, or comes too late."""
    hotel = stage.hotel
    hers, his = two_folios(hotel)
    spa = hotel.charged(hers, "spa", 1_000)
    void = f"/folios/{hers}/charges/{spa}/void"
    lower = lowering(spa, -400)
    stage.plays("mariam", partial(post, path(hers), wanted(his, spa), "move"))
    stage.plays("clerk", partial(post, void, {"reason": "never had it"}, "void"))
    stage.plays("manager", partial(post, f"/folios/{hers}/adjustments", lower, "lower"))

    moved, voided, lowered = stage.play()

    assert statuses([moved, voided]) == {201: 1, 409: 1}
    assert lowered.status_code in (201, 409)
    assert balance(hotel, hers) == 0
    if voided.status_code == 201:
        assert balance(hotel, his) == 0
    else:
        assert balance(hotel, his) == (660 if lowered.status_code == 201 else 1_100)
