"""A subscription is cycled, changed, paused and canceled by several at once."""

import threading
from collections.abc import Callable
from typing import Any

from werkzeug import Response
from werkzeug.test import TestResponse

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders
from jobs.cycle_subscriptions import cycle_subscriptions
from tests.analysing import movements
from tests.hotel import Hotel
from tests.platform_taxing import FAR_AHEAD, SELLER, rules
from tests.prepaying import lots
from tests.subscribing import WHY, invoices, shown, staff, subscribed
from tests.trust.faults.subscription_examples import overdue
from tests.trust.races.plays.playbill import race, statuses
from tests.trust.races.stage import Stage

Act = Callable[[Hotel], TestResponse]


def asks(hotel: Hotel, deed: str, method: str = "POST", **body: Any) -> Act:
    """Somebody of the platform, with their confirmation; sent again it is the same."""
    place = "" if deed == "change" else f"/{deed}"
    known = staff(hotel, f"subscription.{deed}", body)
    sent = {**body, "stepUpToken": known["stepUpToken"]}
    path, more = f"/subscriptions/{hotel.tenant_id}{place}", {"token": known["token"]}
    return lambda at: at.call(method, path, sent, key=known["stepUpToken"][-60:], **more)


def publishes(sent: dict[str, Any], token: str) -> Act:
    """Tax rules of the platform; sent again they are the same."""
    key = sent["stepUpToken"][-60:]
    return lambda at: at.call("POST", "/platform/tax-rules", sent, key=key, token=token)


def runs_the_cycle(at: Hotel) -> Response:
    """The job, fired again where it was cut off."""
    return fired(declaration_of(cycle_subscriptions), at)  # type: ignore[arg-type] # a job's


def fired(declared: Any, at: Hotel) -> Response:
    """A job over a hotel, again where it was cut off; what it answers is its exit code."""
    shell, orders = at.house.wiring.job_shell, Orders(tenants=(at.tenant_id,))
    for _ in range(3):
        progress = shell.run(declared, orders, stop=threading.Event(), tell=lambda _: None)
        if progress.exit_code == 0:
            return Response("0", status=200)
    return Response("1", status=500)


@race
def two_cycles_beside_one_by_hand(stage: Stage) -> None:
    """The period is over: whoever begins the next one, it is invoiced once, with its credits."""
    hotel = stage.hotel
    overdue(hotel)
    stage.plays("job", runs_the_cycle)
    stage.plays("another job", runs_the_cycle)
    stage.plays("clerk", asks(hotel, "cycle"))

    answers = stage.play()

    assert set(statuses(answers)) <= {200, 409}
    assert [row[:2] for row in invoices(hotel)] == [["period", 1], ["period", 2]]
    assert lots(hotel) == [["renewal", 1_000, 0]] * 2


@race
def a_change_beside_a_renewal(stage: Stage) -> None:
    """Whoever is first: the change is refused as long as the period that is over is not followed,
    or it is prorated in the new one."""
    hotel = stage.hotel
    overdue(hotel)
    stage.plays("job", runs_the_cycle)
    stage.plays("clerk", asks(hotel, "change", "PUT", plan="team", reason=WHY))

    answers = stage.play()

    changed = statuses(answers).get(409, 0) == 0
    purposes = [row[0] for row in invoices(hotel)]
    assert purposes == ["period", "period", "change"][: 3 if changed else 2]
    assert shown(hotel)["subscription"]["terms"]["plan"] == ("team" if changed else "pro")
    steps = [["new", 29_000_000, 29_000_000], ["expansion", 70_000_000, 99_000_000]]
    assert movements(hotel) == steps[: 2 if changed else 1]


@race
def a_pause_beside_a_cancellation(stage: Stage) -> None:
    """Canceled in any case; who pauses afterwards is refused, and its credit is what it was."""
    hotel = stage.hotel
    subscribed(hotel)
    stage.plays("pauses", asks(hotel, "pause", reason=WHY))
    stage.plays("cancels", asks(hotel, "cancel", at="now", reason=WHY))

    answers = stage.play()

    assert statuses(answers).get(200, 0) >= 1
    assert shown(hotel)["subscription"]["status"] == "canceled"
    assert len(invoices(hotel)) == 1
    steps = [["new", 29_000_000, 29_000_000], ["churn", -29_000_000, 0]]
    assert movements(hotel) == steps


@race
def two_versions_of_the_tax_rules(stage: Stage) -> None:
    """Each is kept, under a number of its own."""
    for name in ("one", "other"):
        body = rules(seller={**SELLER, "name": "Doomed"}, inForceFrom=FAR_AHEAD)
        known = staff(stage.hotel, "platform_tax_rules.publish", body, office=stage.hotel.tenant_id)
        stage.plays(name, publishes({**body, "stepUpToken": known["stepUpToken"]}, known["token"]))

    answers = stage.play()

    assert statuses(answers) == {201: 2}
    assert len({answer.json["rulesNumber"] for answer in answers}) == 2


@race
def two_changes_of_plan(stage: Stage) -> None:
    """Both ask for the same: one is told that it is so, and it is billed once."""
    hotel = stage.hotel
    subscribed(hotel)
    for name in ("one", "other"):
        stage.plays(name, asks(hotel, "change", "PUT", plan="team", reason=WHY))

    answers = stage.play()

    assert statuses(answers) == {200: 1, 409: 1}
    assert [row[0] for row in invoices(hotel)] == ["period", "change"]
