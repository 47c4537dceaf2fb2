"""Credits are bought by several, told of by the processor, settled and topped up, at once."""

import threading
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from common.local.functions import job_declarations
from common.runtime.job import Orders
from tests.buying import (
    ask,
    asked_of_the_processor,
    bought,
    card,
    disputed,
    fill_up,
    grants,
    purchases,
    refunded,
    wanted,
)
from tests.hotel import Hotel
from tests.paying import acted, intent_told
from tests.prepaying import available, balance, deduct, granted, micro, use
from tests.trust.races.plays.playbill import post, race, statuses
from tests.trust.races.stage import Act, Stage
from tests.webhooks import Webhook

TAKEN = {"applied", "duplicate"}
DUE = "UPDATE {s}.credit_purchase_queue SET next_attempt_at = '-infinity'"


def buys(body: dict[str, Any], key: str) -> Act:
    """A clerk buys."""
    return lambda at: ask(at, body, key=key, token=at.token(sub=key))


def sends(event: dict[str, Any], event_id: str) -> Act:
    """The processor delivers an event."""
    return lambda at: Webhook(at).send({**event, "id": event_id})


def runs(hotel: Hotel, name: str) -> Act:
    """A job looks after this hotel."""
    job = next(each for each in job_declarations() if each.name == name)
    orders = Orders(once=True, tenants=(hotel.tenant_id,))

    def act(at: Hotel) -> Any:
        shell = at.house.wiring.job_shell
        progress = shell.run(job, orders, stop=threading.Event(), tell=lambda _: None)
        return TestResponse([progress.outcome], "200 OK", Headers(), None)  # as a client hears it

    return act


def granted_once(hotel: Hotel) -> None:
    """500 were bought once, and are there once: at the latest when the next minute's job has run,
    as a job that was cut off leaves its item to that."""
    hotel.rows(DUE)
    runs(hotel, "settle_credit_purchases")(hotel)
    assert purchases(hotel) == [["succeeded", 500, 500, False]]
    assert (len(grants(hotel)), available(hotel)) == (1, micro(500))


@race
def credits_are_bought_by_two_and_told_of(stage: Stage) -> None:
    """The same purchase at two instances, and the processor's word of it: one grant."""
    hotel = stage.hotel
    body = wanted(500, card(hotel))
    told = {**intent_told(hotel, body["id"], "succeeded", cents=500)}
    for name in ("mariam", "nasrin"):
        stage.plays(name, buys(body, name))
    stage.plays("processor", sends(told, "evt_paid"))

    *clerks, _ = stage.play()

    assert set(statuses(clerks)) <= {201, 409}
    assert 201 in statuses(clerks)
    assert asked_of_the_processor(hotel) == 1
    granted_once(hotel)


@race
def answer_webhook_job_and_reconciliation_grant_once(stage: Stage) -> None:
    """The answer was lost: its event, the job and the reconciliation come at the same time."""
    hotel = stage.hotel
    purchase = bought(hotel, 500, "sandbox_lost")
    hotel.rows(DUE)
    told = intent_told(hotel, purchase, "succeeded", cents=500)
    stage.plays("job", runs(hotel, "settle_credit_purchases"))
    stage.plays("processor", sends(told, "evt_paid"))
    stage.plays("reconciliation", runs(hotel, "reconcile_credits"))

    _, heard, _ = stage.play()

    assert heard.json["outcome"] in TAKEN
    granted_once(hotel)


@race
def two_jobs_settle_a_purchase_that_the_bank_asked_about(stage: Stage) -> None:
    hotel = stage.hotel
    purchase = bought(hotel, 500, "sandbox_3ds")
    acted(hotel, purchase)
    hotel.rows(DUE)
    for name in ("job", "job again"):
        stage.plays(name, runs(hotel, "settle_credit_purchases"))
    late = intent_told(hotel, purchase, "requires_action")
    stage.plays("processor", sends(late, "evt_late"))

    stage.play()

    granted_once(hotel)


@race
def two_purchases_do_not_pass_the_maximum(stage: Stage) -> None:
    """At most 700: of two times 500 one is sold, and no money is taken for the other."""
    hotel = stage.hotel
    hotel.write_settings(credits={"maximumBalance": 700})
    for name in ("mariam", "nasrin"):
        stage.plays(name, buys(wanted(500, card(hotel)), name))

    answers = stage.play()

    hotel.write_settings()  # the next play is of a hotel as any other
    assert statuses(answers) == {201: 1, 422: 1}
    assert asked_of_the_processor(hotel) == 1
    granted_once(hotel)


@race
def one_top_up_is_started_while_credits_are_spent(stage: Stage) -> None:
    """110 there, below 100 is low: whoever spends, and however many jobs look, one is bought."""
    hotel = stage.hotel
    granted(hotel, 110)
    assert fill_up(hotel, card(hotel)).status_code == 200
    deduct(hotel, 20)
    for name in ("job", "job again"):
        stage.plays(name, runs(hotel, "top_up_credits"))
    stage.plays("concierge", lambda at: post("/credits/deduct", use(30), "concierge", at))

    *_, spent = stage.play()

    assert spent.status_code == 201
    runs(hotel, "top_up_credits")(hotel)
    assert purchases(hotel) == [["processing", 500, 500, True]]
    assert len(hotel.events("credits.low")) == 1


@race
def a_top_up_is_settled_by_two_jobs(stage: Stage) -> None:
    """Both ask the processor for it under one id: it is paid and granted once."""
    hotel = stage.hotel
    assert fill_up(hotel, card(hotel)).status_code == 200
    runs(hotel, "top_up_credits")(hotel)
    for name in ("job", "job again"):
        stage.plays(name, runs(hotel, "settle_credit_purchases"))

    stage.play()

    assert asked_of_the_processor(hotel) == 1
    granted_once(hotel)


@race
def a_refund_and_a_dispute_take_back_once_what_is_left(stage: Stage) -> None:
    """Of 500 that were bought 100 are spent beside them: nothing is left, or 100 are owed."""
    hotel = stage.hotel
    purchase = bought(hotel, 500)
    stage.plays("refund", sends(refunded(purchase, 500, "re_1"), "evt_refund"))
    claim = disputed(purchase, 500, "dp_1", "needs_response")
    stage.plays("dispute", sends(claim, "evt_dispute"))
    stage.plays("concierge", lambda at: post("/credits/deduct", use(100), "concierge", at))

    *_, spent = stage.play()

    owed = 100 if spent.status_code == 201 else 0
    assert spent.status_code in (201, 402)
    assert (available(hotel), balance(hotel)["debtMicro"]) == (0, micro(owed))
