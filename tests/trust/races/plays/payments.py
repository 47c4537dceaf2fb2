"""A payment is confirmed by several, told of by the processor and settled by a job, at once."""

import threading
from typing import Any

from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from common.domain.identifiers import PropertyId
from common.local.functions import job_declarations
from common.runtime.job import Orders
from tests.hotel import Hotel, usd
from tests.matching import a_dollar
from tests.paying import (
    a_customer,
    a_token,
    acted,
    add_card,
    charges,
    confirm,
    intent_told,
    intents,
    method_told,
    pay,
    processor_customer,
    ready,
)
from tests.reconciling import sandbox
from tests.returning import came_late, cards, let_it_go, returns
from tests.trust.races.plays.playbill import balance, race, statuses
from tests.trust.races.stage import Act, Stage
from tests.webhooks import Webhook, disputed, refunded_there

TAKEN = {"applied", "duplicate"}
DUE = "UPDATE {s}.payment_intent_queue SET next_attempt_at = '-infinity'"


def confirms(intent: str, method: str, key: str) -> Act:
    """A clerk has the payment taken."""
    return lambda at: confirm(at, intent, method, key=key, token=at.token(sub=key))


def sends(event: dict[str, Any], event_id: str) -> Act:
    """The processor delivers an event."""
    return lambda at: Webhook(at).send({**event, "id": event_id})


def settles(hotel: Hotel) -> Act:
    """The job looks after what was left behind."""
    return runs(hotel, "settle_payments")


def retries(hotel: Hotel) -> Act:
    """The job asks for the refunds that were promised."""
    hotel.rows("UPDATE {s}.returned_payments SET next_attempt_at = '-infinity'")
    return runs(hotel, "retry_refunds")


def runs(hotel: Hotel, name: str) -> Act:
    """A job looks after one hotel."""
    job = next(each for each in job_declarations() if each.name == name)
    orders = Orders(once=True, tenants=(hotel.tenant_id,))

    def act(at: Hotel) -> Any:
        shell = at.house.wiring.job_shell
        progress = shell.run(job, orders, stop=threading.Event(), tell=lambda _: None)
        return TestResponse([progress.outcome], "200 OK", Headers(), None)  # as a client hears it

    return act


def taken_once(hotel: Hotel, folio: str) -> None:
    """50.00 were taken once, and are one payment."""
    assert intents(hotel) == [["succeeded", True, False]]
    assert balance(hotel, folio) == -5_000
    assert len(charges(hotel)) == 1


@race
def a_payment_is_confirmed_by_three_at_once(stage: Stage) -> None:
    """Each under a key of their own: the card is charged once."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    intent, method = ready(hotel, folio, usd(5_000))
    for place in range(3):
        stage.plays(f"clerk {place}", confirms(intent, method, f"clerk-{place}"))

    answers = stage.play()

    assert statuses(answers) == {200: 3}
    taken_once(hotel, folio)


@race
def a_confirmation_and_the_processors_event_bring_one_payment(stage: Stage) -> None:
    hotel = stage.hotel
    folio = hotel.open_folio()
    intent = pay(hotel, folio, usd(5_000), "sandbox_3ds").json["paymentIntentId"]
    acted(hotel, intent)
    stage.plays("clerk", confirms(intent, "", "clerk"))
    stage.plays("processor", sends(intent_told(hotel, intent, "succeeded"), "evt_paid"))
    late = intent_told(hotel, intent, "requires_action")
    stage.plays("late", sends(late, "evt_late"))

    clerk, *told = stage.play()

    assert clerk.status_code == 200
    assert {each.json["outcome"] for each in told} <= TAKEN
    taken_once(hotel, folio)


@race
def a_job_and_the_processors_event_settle_one_payment(stage: Stage) -> None:
    hotel = stage.hotel
    folio = hotel.open_folio()
    intent = pay(hotel, folio, usd(5_000), "sandbox_lost").json["paymentIntentId"]
    hotel.rows(DUE)
    stage.plays("job", settles(hotel))
    stage.plays("processor", sends(intent_told(hotel, intent, "succeeded"), "evt_paid"))

    _, told = stage.play()

    assert told.json["outcome"] in TAKEN
    taken_once(hotel, folio)


@race
def a_payment_is_canceled_at_the_processor_beside_its_confirmation(stage: Stage) -> None:
    """It is one or the other; canceled, it has no money, and taken, nothing takes that away."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    intent, method = ready(hotel, folio, usd(5_000))
    stage.plays("clerk", confirms(intent, method, "clerk"))
    stage.plays("processor", sends(intent_told(hotel, intent, "canceled"), "evt_canceled"))

    clerk, told = stage.play()

    assert clerk.status_code in (200, 409)
    assert told.json["outcome"] in TAKEN
    ((status, is_placed, waits),) = intents(hotel)
    assert (is_placed, waits) == (status == "succeeded", False)
    assert balance(hotel, folio) == (-5_000 if is_placed else 0)


@race
def a_payment_is_taken_while_its_folio_closes(stage: Stage) -> None:
    """Closed first, the money waits for its folio; paid first, the folio does not balance."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    intent = pay(hotel, folio, usd(5_000), "sandbox_3ds").json["paymentIntentId"]
    acted(hotel, intent)
    stage.plays("clerk", confirms(intent, "", "clerk"))
    stage.plays("desk", lambda at: at.post(f"/folios/{folio}/close", {}, key="close"))

    clerk, closed = stage.play()

    assert clerk.json["status"] == "succeeded"
    is_closed = closed.status_code == 200
    assert intents(hotel) == [["succeeded", not is_closed, is_closed]]
    assert balance(hotel, folio) == (0 if is_closed else -5_000)


@race
def a_card_is_left_by_two_and_taken_away(stage: Stage) -> None:
    """One token is one card, whoever leaves it; what the processor says of it holds."""
    hotel = stage.hotel
    customer, token = a_customer(hotel), a_token()
    theirs = processor_customer(hotel, customer)
    for name in ("one", "other"):
        stage.plays(name, lambda at, key=name: add_card(at, customer, token, key=key))
    stage.plays("processor", sends(method_told(token, theirs, "detached"), "evt_detached"))

    *left, told = stage.play()

    assert statuses(left) == {201: 1, 409: 1}
    assert told.json["outcome"] in TAKEN
    assert hotel.rows("SELECT count(*) FROM {s}.payment_methods") == [[1]]


@race
def one_address_is_written_down_by_two(stage: Stage) -> None:
    hotel = stage.hotel
    body = {"email": "zarmina@guest.example", "name": "Zarmina"}
    for name in ("one", "other"):
        stage.plays(name, lambda at, key=name: at.post("/customers", body, key=key))

    answers = stage.play()

    assert statuses(answers) == {201: 1, 409: 1}
    known = hotel.rows("SELECT processor_customer_id IS NOT NULL FROM {s}.customers")
    assert len(known) == 1


@race
def what_goes_back_is_refunded_there_and_asked_back_by_a_bank(stage: Stage) -> None:
    """15.00 of 40.00 were given back there, told twice; a bank asks for the rest, and the job asks
    for what is promised. Nothing is promised while the bank asks; won, 25.00 go back, if they have
    not before."""
    hotel = stage.hotel
    _, payment = came_late(hotel)
    house = PropertyId(hotel.property_id)
    sandbox(hotel).capture(hotel.tenant_id, house, payment, a_dollar(4_000))
    sandbox(hotel).refund_there("re_1", payment, a_dollar(1_500))
    there = refunded_there(payment, "re_1", 1_500)
    for place in range(2):
        stage.plays(f"refund {place}", sends(there, f"evt_there_{place}"))
    claimed = disputed(payment, "dp_1", "needs_response", "created", cents=2_500)
    stage.plays("bank", sends(claimed, "evt_claimed"))
    stage.plays("job", retries(hotel))

    *heard, _ = stage.play()

    assert {each.json["outcome"] for each in heard} <= TAKEN
    ((_, status, _),) = returns(hotel)
    assert status in ("contested", "returned")
    won = disputed(payment, "dp_1", "won", "closed", cents=2_500)
    assert Webhook(hotel).send(won).json["outcome"] == "applied"
    let_it_go(hotel)
    assert [status for _, status, _ in returns(hotel)] == ["returned"]
    assert cards(hotel) == {}
