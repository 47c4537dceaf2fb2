"""Money goes back while others take it, count it, or say what became of it."""

from dataclasses import replace
from functools import partial

from werkzeug.test import TestResponse

from common.sandbox.gateway import UNREACHABLE
from tests.hotel import Hotel, usd
from tests.refunding import asking, card_payment, refund, standing
from tests.till import OPERATE, Till, counted
from tests.trust.races.plays.playbill import balance, closes, hears_of, race, statuses
from tests.trust.races.stage import Stage


@race
def two_refund_sixty_of_a_hundred(stage: Stage) -> None:
    """By hand: one of them is refused, and 40.00 are left of that payment."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    payment = hotel.paid(folio, usd(10_000), allowCredit=True)
    hotel.paid(folio, usd(10_000), allowCredit=True)
    for name in ("mariam", "nasrin"):
        stage.plays(name, asking(hotel, folio, payment, usd(6_000), name))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    assert balance(hotel, folio) == -14_000
    refunded = hotel.rows("SELECT refunded_micro, refunded_paid_micro FROM {s}.payments ORDER BY 1")
    assert refunded == [[0, 0], [60_000_000, 60_000_000]]


@race
def a_refund_fails_while_the_rest_is_refunded(stage: Stage) -> None:
    """60.00 of 100.00 are promised and fail: of two more that ask for 60.00, one may get it."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    payment = card_payment(hotel, folio, usd(10_000), UNREACHABLE)
    promised = refund(hotel, folio, payment, usd(6_000)).json["refund"]["refundId"]
    failed = {"refundId": promised, "folioId": folio, "failureCode": "card_expired"}
    stage.plays("processor", hears_of("on_refund_failed", failed, "evt-failed"))
    for name in ("mariam", "nasrin"):
        stage.plays(name, asking(hotel, folio, payment, usd(6_000), name))

    told, *answers = stage.play()

    assert told.status_code == 204
    assert statuses(answers)[201] <= 1
    assert dict(standing(hotel))[promised] == "failed"
    assert balance(hotel, folio) == -10_000 + 6_000 * statuses(answers)[201]


@race
def the_processor_says_both(stage: Stage) -> None:
    """That it was made, and that it was not: the first word stays, the folio counts it once."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    payment = card_payment(hotel, folio, usd(10_000), UNREACHABLE)
    promised = refund(hotel, folio, payment, usd(6_000)).json["refund"]["refundId"]
    made = {"refundId": promised, "folioId": folio}
    failed = {**made, "failureCode": "card_expired"}
    stage.plays("made", hears_of("on_refund_succeeded", made, "evt-made"))
    stage.plays("made again", hears_of("on_refund_succeeded", made, "evt-made-again"))
    stage.plays("failed", hears_of("on_refund_failed", failed, "evt-failed"))

    answers = stage.play()

    assert statuses(answers) == {204: 3}
    ((_, became),) = standing(hotel)
    assert balance(hotel, folio) == {"succeeded": -4_000, "failed": -10_000}[became]


@race
def a_folio_closes_beside_a_refund(stage: Stage) -> None:
    """It balances. Whoever is first, the other is refused: no refund stands on a closed folio."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    hotel.charged(folio, cents=1_000)
    payment = card_payment(hotel, folio, usd(1_100), UNREACHABLE)
    stage.plays("mariam", asking(hotel, folio, payment, usd(500), "mariam"))
    stage.plays("cashier", closes(folio, "close"))

    refunded, closed = stage.play()

    assert (refunded.status_code, closed.status_code) in ((201, 409), (409, 200))
    assert balance(hotel, folio) == (500 if refunded.status_code == 201 else 0)


@race
def cash_goes_back_while_the_drawer_is_counted(stage: Stage) -> None:
    """It is in what the drawer should hold, or it is refused: the count is never out by it."""
    hotel = stage.hotel
    till = Till.opened(hotel, usd(10_000))
    folio = hotel.open_folio()
    payment = till.pay(usd(5_000), folio).json["lines"][0]["lineId"]
    token = hotel.confirmation("karim", OPERATE, till.context(counted(usd(15_000))))
    stage.plays("karim counts", partial(_counts, till, token))
    stage.plays("karim refunds", asking(hotel, folio, payment, usd(2_000), "karim"))
    named = {"cashSessionId": till.session}
    stage.plays("zahra refunds", asking(hotel, folio, payment, usd(2_000), "zahra", **named))

    counts, *refunds = stage.play()

    assert counts.status_code == 200
    assert set(statuses(refunds)) <= {201, 409}
    assert till.account() == {"USD": 15_000 - 2_000 * statuses(refunds)[201]}


def _counts(till: Till, token: str, at: Hotel) -> TestResponse:
    return replace(till, hotel=at).initiate(usd(15_000), token=token, key="count")
