"""Money is promised twice over, and decided on by two; the processor tells meanwhile."""

from collections.abc import Callable

from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse
from werkzeug.wrappers import Request

from tests.hotel import Hotel, usd
from tests.paying_out import (
    LARGE,
    asked,
    decision,
    enabled,
    held,
    ledger,
    payout_told,
    settle,
    standing,
    wanted,
)
from tests.trust.races.plays.playbill import race, statuses
from tests.trust.races.stage import Act, Stage
from tests.webhooks import Webhook


def asks(hotel: Hotel, name: str, cents: int) -> Act:
    """A clerk asks for a payout."""
    body, token = wanted(hotel, usd(cents)), hotel.token(sub=name)
    return lambda at: at.post("/payouts", body, token=token, key=name)


def decides(hotel: Hotel, name: str, payout: str, deed: str, **more: str) -> Act:
    """A second person decides on a payout."""
    body, token = decision(hotel, payout, LARGE, deed, name, **more), hotel.token(sub=name)
    return lambda at: at.post(f"/payouts/{payout}/{deed}", body, token=token, key=name)


def settles() -> Callable[[Hotel], TestResponse]:
    """The job; when it could not do all, its next run tries again."""

    def act(at: Hotel) -> TestResponse:
        status = "200 OK" if settle(at).exit_code == 0 else "503 Service Unavailable"
        return TestResponse([], status, Headers(), Request({}))

    return act


@race
def two_payouts_of_one_balance(stage: Stage) -> None:
    """30.00 and 30.00 of 50.00: one of them is promised."""
    hotel = stage.hotel
    enabled(hotel)
    held(hotel, 5_000)
    for name in ("farid", "amina"):
        stage.plays(name, asks(hotel, name, 3_000))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    assert ledger(hotel) == {"card_clearing": 2_000, "payouts_in_transit": 3_000}


@race
def a_payout_is_approved_twice_and_rejected(stage: Stage) -> None:
    """One decision counts, and the books say which."""
    hotel = stage.hotel
    enabled(hotel)
    held(hotel, LARGE)
    payout = asked(hotel, LARGE, by="farid")
    stage.plays("laila", decides(hotel, "laila", payout, "approve"))
    stage.plays("amina", decides(hotel, "amina", payout, "approve"))
    stage.plays("mo", decides(hotel, "mo", payout, "reject", reason="It is too much"))

    answers = stage.play()

    assert statuses(answers) == {200: 1, 409: 2}
    ((_, became),) = standing(hotel)
    lies = {"pending": "payouts_in_transit", "rejected": "card_clearing"}[became]
    assert ledger(hotel) == {lies: LARGE}


@race
def the_job_and_the_processor_tell_of_one_payout(stage: Stage) -> None:
    """Two runs of the job and the processor's word: it is made, and booked, once."""
    hotel = stage.hotel
    enabled(hotel)
    held(hotel, 5_000)
    payout = asked(hotel, 3_000, by="farid")
    told = {**payout_told(hotel, payout, 3_000, "paid"), "id": "evt_paid"}
    stage.plays("processor", lambda at: Webhook(at).send(told))
    for name in ("job", "job again"):
        stage.plays(name, settles())

    answers = stage.play()

    assert statuses(answers) == {200: 3}
    assert standing(hotel) == [[payout, "paid"]]
    assert ledger(hotel) == {"card_clearing": 2_000, "bank_clearing": 3_000}
