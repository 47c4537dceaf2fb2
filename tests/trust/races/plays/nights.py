"""A business day ends, twice at once, while guests come, are charged and leave."""

from werkzeug.wrappers import Response

from tests.hotel import Hotel, usd
from tests.nights import checked_in, days, lines, reservation, run
from tests.trust.races.plays.playbill import closes, hears_of, posts, race, statuses
from tests.trust.races.stage import Stage

NIGHT = {"night": "2026-02-28", "price": usd(9_000)}
STAY = {"arrival": "2026-02-28", "departure": "2026-03-02"}


def audits(at: Hotel) -> Response:
    """Run the night audit at an instance. What it could not do the next one does."""
    run(at)
    return Response(status=204)


@race
def two_audits_end_one_day_while_a_guest_comes(stage: Stage) -> None:
    """It is the first of March. Whoever is first, each night is charged once, and each day ends."""
    hotel = stage.hotel
    here = checked_in(hotel, NIGHT, **STAY)
    late = reservation(hotel, NIGHT, **STAY)
    hotel.deliver("on_reservation_confirmed", late)
    stage.plays("audit", audits)  # type: ignore[arg-type] # all that is asked of it is a status
    stage.plays("audit again", audits)  # type: ignore[arg-type] # as above
    stage.plays("guest comes", hears_of("on_reservation_checked_in", late, "evt-late"))

    stage.play()
    run(hotel)

    assert [line[0] for line in lines(hotel, here)] == ["charge", "tax"]
    assert [day["businessDate"] for day in days(hotel)] == ["2026-02-28"]
    charged = hotel.rows(
        "SELECT count(*) FROM {s}.folio_lines WHERE type = 'charge' AND kind = 'room'"
    )
    assert charged in ([[1]], [[2]])  # who comes after the day's end pays with the next one


@race
def a_guest_is_charged_and_leaves_while_the_day_ends(stage: Stage) -> None:
    """The bar posts, the folio closes if it balances, and the night is charged or it is closed."""
    hotel = stage.hotel
    folio = checked_in(hotel, NIGHT, **STAY)
    stage.plays("audit", audits)  # type: ignore[arg-type] # all that is asked of it is a status
    stage.plays("bar", posts(folio, "bar", 500))
    stage.plays("porter", closes(folio, "close"))

    _, bar, porter = stage.play()
    run(hotel)

    closed = porter.status_code == 200
    assert statuses([bar])[409 if closed else 201] == 1
    kinds = [line[1] for line in lines(hotel, folio) if line[0] == "charge"]
    assert sorted(kinds) == ([] if closed else ["minibar", "room"])
    assert [day["businessDate"] for day in days(hotel)] == ["2026-02-28"]
