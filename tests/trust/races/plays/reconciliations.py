"""A date is reconciled by two at once, beside the processor's word, beside a person's answer."""

from collections.abc import Callable
from datetime import date

from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request

from tests.hotel import Hotel, usd
from tests.proofs import told
from tests.reconciling import forget_captures, found, never_told, old_mismatch, run, untold
from tests.trust.races.plays.playbill import hears_of, race, statuses
from tests.trust.races.stage import Stage

SECOND = "psp_never_told_besides"


def runs(on: date) -> Callable[[Hotel], TestResponse]:
    """The job, for a date; when it could not do all, its next run tries again."""

    def act(at: Hotel) -> TestResponse:
        done = run(at, as_of=on)
        status = "200 OK" if done.exit_code == 0 else "503 Service Unavailable"
        return TestResponse([], status, Headers(), Request({}))

    return act


@race
def two_reconcile_a_date(stage: Stage) -> None:
    """One row, told once."""
    hotel = stage.hotel
    forget_captures(hotel)
    on = never_told(hotel)
    for name in ("first", "second"):
        stage.plays(name, runs(on))

    answers = stage.play()

    assert statuses(answers) == {200: 2}
    assert found(hotel, on) == ("mismatch", {("payment_not_recorded", untold(hotel))})
    assert told(hotel) == ["reconciliation.mismatch_found"]


@race
def a_payment_is_told_of_while_its_date_is_reconciled(stage: Stage) -> None:
    """It is a difference or it is not, whichever was first; the next run finds it recorded."""
    hotel = stage.hotel
    forget_captures(hotel)
    on, folio = never_told(hotel), hotel.open_folio()
    captured = {"paymentId": untold(hotel), "folioId": folio, "amount": usd(1_000)}
    stage.plays("processor", hears_of("on_payment_captured", captured, "evt-captured"))
    stage.plays("night", runs(on))
    stage.plays("night again", runs(on))

    answers = stage.play()

    assert statuses(answers) == {204: 1, 200: 2}
    run(hotel, as_of=on)
    assert found(hotel, on) == ("matched", set())


@race
def a_person_answers_while_more_is_found(stage: Stage) -> None:
    """Nobody answers for what was not found yet: it is a mismatch again, or resolved with both."""
    hotel = stage.hotel
    forget_captures(hotel)
    id = old_mismatch(hotel)
    on = never_told(hotel, payment=SECOND)
    path, body = f"/cash-reconciliations/{id}/resolve", {"reason": "A trial of ours"}
    stage.plays("yusuf", lambda at: at.post(path, body, key="resolve"))
    stage.plays("night", runs(on))

    answers = stage.play()

    assert statuses(answers) == {200: 2}
    status, differences = found(hotel, on)
    assert differences == {("payment_not_recorded", each) for each in (untold(hotel), SECOND)}
    last = told(hotel)[-1]
    assert (status, last) in (
        ("mismatch", "reconciliation.mismatch_found"),
        ("resolved", "reconciliation.resolved"),
    )
