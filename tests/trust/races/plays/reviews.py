"""Attempts to pay beside one another, and decisions about those that wait for a person."""

import threading
from typing import Any

from werkzeug.wrappers import Response

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders
from jobs.expire_reviews import expire_reviews
from tests.hotel import Hotel, usd
from tests.paying import an_intent, confirm, shown
from tests.proofs import trail
from tests.trust.races.plays.playbill import race, statuses
from tests.trust.races.stage import Act, Stage
from tests.weighing import Buyer, HeldPayment, a_suspected_payment, at_most, decide, rules


def decides(held: HeldPayment, decision: str, by: str) -> Act:
    """Somebody decides."""
    return lambda at: decide(at, held.review, decision, by, key=by)


def confirms(intent: str, method: str, by: str) -> Act:
    """Somebody at the desk has it taken."""
    return lambda at: confirm(at, intent, method, key=by, token=at.token(sub=by))


def sweeps(at: Hotel) -> Response:
    """The job, at an instance; when it could not do all, its next run tries again."""
    declared: Any = declaration_of(expire_reviews)  # type: ignore[arg-type] # a job's
    orders = Orders(tenants=(at.tenant_id,))
    at.house.wiring.job_shell.run(declared, orders, stop=threading.Event(), tell=lambda _: None)
    return Response(status=204)


@race
def two_decide_while_the_desk_confirms(stage: Stage) -> None:
    """One decision stands, and the processor is asked once, or never."""
    hotel = stage.hotel
    held = a_suspected_payment(hotel, hotel.open_folio())
    stage.plays("farid", decides(held, "approve", "farid"))
    stage.plays("nadia", decides(held, "refuse", "nadia"))
    stage.plays("desk", confirms(held.intent, held.method, "desk"))

    *decided, _ = stage.play()

    assert statuses(decided) == {200: 1, 409: 1}
    became = shown(hotel, held.intent)["status"]
    approved = decided[0].status_code == 200
    assert became == ("requires_action" if approved else "failed")
    assert len(trail(hotel, "payment_intent.confirmed")) == int(approved)
    assert len(trail(hotel, "review.decided")) == 1


@race
def one_approval_is_sent_by_two_and_the_desk_confirms_twice(stage: Stage) -> None:
    """Whoever carries it out, the payment is asked for once."""
    hotel = stage.hotel
    held = a_suspected_payment(hotel, hotel.open_folio())
    stage.plays("farid", decides(held, "approve", "farid"))
    stage.plays("nadia", decides(held, "approve", "nadia"))
    stage.plays("desk", confirms(held.intent, held.method, "desk"))
    stage.plays("bar", confirms(held.intent, held.method, "bar"))

    first, second, *_ = stage.play()

    assert statuses([first, second]) == {200: 1, 409: 1}
    assert shown(hotel, held.intent)["status"] == "requires_action"
    assert len(trail(hotel, "payment_intent.confirmed")) == 1


@race
def a_review_expires_while_it_is_decided(stage: Stage) -> None:
    """Its time is over: two runs of the job end it once, and nobody approves it any more."""
    hotel = stage.hotel
    held = a_suspected_payment(hotel, hotel.open_folio())
    over = "opened_at = opened_at - interval '4 days', expires_at = opened_at"
    hotel.rows(f"UPDATE {{s}}.reviews SET {over}")
    stage.plays("job", sweeps)  # type: ignore[arg-type] # all that is asked of it is a status
    stage.plays("job again", sweeps)  # type: ignore[arg-type] # as above
    stage.plays("farid", decides(held, "approve", "farid"))
    stage.plays("desk", confirms(held.intent, held.method, "desk"))

    _, _, decided, confirmed = stage.play()
    sweeps(hotel)

    assert (decided.status_code, confirmed.status_code in (200, 409)) == (409, True)
    assert shown(hotel, held.intent)["failureCode"] == "not_approved"
    assert len(trail(hotel, "review.decided")) == 1
    assert trail(hotel, "payment_intent.confirmed") == []


@race
def one_card_pays_three_times_at_its_limit(stage: Stage) -> None:
    """One more is usual, and three come at once, each for a folio of its own: one is taken."""
    hotel = stage.hotel
    buyer = Buyer.at(hotel, hotel.open_folio())
    waiting = [an_intent(hotel, hotel.open_folio(), usd(1_000), buyer.customer) for _ in range(3)]
    rules(hotel, at_most("card", 1, course="refuse", exact=True))
    try:
        for place, intent in enumerate(waiting):
            stage.plays(f"desk {place}", confirms(intent, buyer.card, f"desk-{place}"))
        answers = stage.play()
    finally:
        hotel.write_settings()

    assert statuses(answers) == {200: 1, 403: 2}
    assert len(trail(hotel, "payment_intent.confirmed")) == 1
