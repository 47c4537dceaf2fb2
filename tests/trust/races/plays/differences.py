"""The books are held against the processor by two at once, and beside who tells or answers."""

from collections.abc import Callable
from datetime import date

from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request

from tests.hotel import Hotel, usd
from tests.matching import difference, differences, match
from tests.proofs import told
from tests.reconciling import forget_captures, never_told, untold
from tests.trust.races.plays.playbill import hears_of, race, statuses
from tests.trust.races.stage import Stage


def matches(on: date) -> Callable[[Hotel], TestResponse]:
    """The job, for a day; when it could not do all, its next run tries again."""

    def act(at: Hotel) -> TestResponse:
        done = match(at, on)
        status = "200 OK" if done.exit_code == 0 else "503 Service Unavailable"
        return TestResponse([], status, Headers(), Request({}))

    return act


@race
def two_hold_the_books_against_the_processor(stage: Stage) -> None:
    """One row, told once."""
    hotel = stage.hotel
    forget_captures(hotel)
    on = never_told(hotel)
    for name in ("first", "second"):
        stage.plays(name, matches(on))

    answers = stage.play()

    assert statuses(answers) == {200: 2}
    assert differences(hotel) == {("payment_not_recorded", untold(hotel))}
    assert told(hotel) == ["processor_reconciliation.mismatch_found"]


@race
def a_payment_is_told_of_while_it_is_looked_for(stage: Stage) -> None:
    """It is a difference or it is not, whichever was first; the next run finds it recorded."""
    hotel = stage.hotel
    forget_captures(hotel)
    on, folio = never_told(hotel), hotel.open_folio()
    captured = {"paymentId": untold(hotel), "folioId": folio, "amount": usd(1_000)}
    stage.plays("processor", hears_of("on_payment_captured", captured, "evt-captured"))
    stage.plays("hour", matches(on))
    stage.plays("hour again", matches(on))

    answers = stage.play()

    assert statuses(answers) == {204: 1, 200: 2}
    match(hotel, on)
    assert differences(hotel) == set()


@race
def a_difference_is_answered_for_while_it_is_found_again(stage: Stage) -> None:
    """The answer stands, and one of the two who gave it is told that it was given."""
    hotel = stage.hotel
    forget_captures(hotel)
    id = difference(hotel)
    on = never_told(hotel, 3)
    path, body = f"/processor-differences/{id}/resolve", {"reason": "A trial of ours"}
    for name in ("laila", "amina"):
        stage.plays(name, lambda at, key=name: at.post(path, body, key=key))
    stage.plays("hour", matches(on))

    answers = stage.play()

    assert statuses(answers) == {200: 2, 409: 1}
    assert differences(hotel) == set()
    assert len(differences(hotel, "resolved")) == 1
