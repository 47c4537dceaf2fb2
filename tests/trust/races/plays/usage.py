"""Usage is told while the cycle bills it, by two at once, and while a subscription ends."""

from collections.abc import Callable
from typing import Any

from werkzeug.test import TestResponse

from tests.hotel import Hotel, new_id
from tests.metering import Event, fates, price, priced, send_all, totals, usage_lines
from tests.metering import used as used_at
from tests.subscribing import WHY, act, shown, staff, subscribed
from tests.trust.faults.subscription_examples import AT_NOON, overdue
from tests.trust.races.plays.playbill import race
from tests.trust.races.plays.subscriptions import asks, runs_the_cycle
from tests.trust.races.stage import Stage

PLAN = "doomed"


def tells(key: str, *events: Event) -> Callable[[Hotel], TestResponse]:
    """A sender with its events; sent again they are the same."""
    return lambda at: send_all(at, *events, key=key)


def subscribes(hotel: Hotel, plan: str) -> Callable[[Hotel], TestResponse]:
    """Somebody of the platform subscribes the tenant; sent again it is the same."""
    body = {"id": new_id("sub"), "plan": plan}
    known = staff(hotel, "subscription.create", body)
    sent = {**body, "tenantId": str(hotel.tenant_id), "stepUpToken": known["stepUpToken"]}
    more = {"key": known["stepUpToken"][-60:], "token": known["token"]}
    return lambda at: at.post("/subscriptions", sent, **more)


def _meters(hotel: Hotel) -> list[Event]:
    """A period of the hotel's is over; a token costs a cent, a request nothing."""
    overdue(hotel, priced(hotel, price("ai_tokens", 10_000), plan=PLAN))
    at = shown(hotel)["subscription"]["period"]["start"]
    return [used_at("ai_tokens", quantity, at, f"evt-{quantity}") for quantity in (100, 30, 4)]


def _billed(rows: list[list[Any]]) -> int:
    return sum(row[-1] for row in rows)


@race
def usage_is_told_while_the_cycle_bills_it(stage: Stage) -> None:
    """What comes in time is on the invoice, what comes later waits for the next one, and nothing
    is on both."""
    hotel = stage.hotel
    events = _meters(hotel)
    stage.plays("sender", tells("one", *events[:2]))
    stage.plays("other sender", tells("other", *events[1:]))
    stage.plays("job", runs_the_cycle)

    stage.play()

    (row,) = totals(hotel)
    assert row[:4] == [1, "ai_tokens", 3, 134]
    waits = shown(hotel)["nextInvoice"]["lines"][1:]
    assert _billed(usage_lines(hotel)) + _cents(waits) == 134


@race
def usage_is_told_while_a_subscription_ends(stage: Stage) -> None:
    """What comes in time is on the last invoice, what comes later waits for the one that is final,
    and nothing is on both."""
    hotel = stage.hotel
    events = _meters(hotel)
    stage.plays("sender", tells("one", events[0]))
    stage.plays("platform", asks(hotel, "cancel", at="now", reason=WHY))

    answers = stage.play()

    assert [fate for each in answers if "items" in each.json for fate in fates(each)] == ["counted"]
    in_time = _billed(usage_lines(hotel))
    assert in_time in (0, 100)
    assert totals(hotel) == [[1, "ai_tokens", 1, 100, in_time, in_time]]


@race
def usage_of_the_last_minute_is_told_while_a_subscription_ends(stage: Stage) -> None:
    """Told before the end it is on the last invoice; told behind it, it is of no subscription."""
    hotel = stage.hotel
    subscribed(hotel, priced(hotel, price("ai_tokens", 10_000), plan=PLAN))
    stage.plays("sender", tells("one", used_at("ai_tokens", 100, AT_NOON, "evt-last")))
    stage.plays("platform", asks(hotel, "cancel", at="now", reason=WHY))

    answers = stage.play()

    (fate,) = [each for answer in answers if "items" in answer.json for each in fates(answer)]
    counted = {"counted": [[1, "ai_tokens", 1, 100, 100, 100]], "USAGE_OUTSIDE_SUBSCRIPTION": []}
    assert totals(hotel) == counted[fate]


@race
def usage_is_told_while_a_tenant_subscribes_anew(stage: Stage) -> None:
    """What was used before the old one ended is of that, whoever is first; what is used at the
    moment is of the new one, or of none yet."""
    hotel = stage.hotel
    old, *_ = _meters(hotel)
    assert act(hotel, "cancel", at="now").status_code == 200
    stage.plays("sender", tells("one", old, used_at("ai_tokens", 30, AT_NOON, "evt-new")))
    stage.plays("platform", subscribes(hotel, PLAN))

    answers = stage.play()

    (said,) = [fates(answer) for answer in answers if "items" in answer.json]
    of_both = {
        ("counted", "counted"): [[1, "ai_tokens", 1, 30, 0, 0], [1, "ai_tokens", 1, 100, 0, 0]],
        ("counted", "USAGE_OUTSIDE_SUBSCRIPTION"): [[1, "ai_tokens", 1, 100, 0, 0]],
    }
    assert sorted(totals(hotel)) == of_both[said[0], said[1]]


@race
def one_event_is_told_by_two(stage: Stage) -> None:
    """It counts once: one of them is told that it has counted before."""
    hotel = stage.hotel
    event, *_ = _meters(hotel)
    for name in ("one", "other"):
        stage.plays(name, tells(name, event))

    answers = stage.play()

    assert sorted(fate for each in answers for fate in fates(each)) == ["counted", "duplicate"]
    assert totals(hotel) == [[1, "ai_tokens", 1, 100, 0, 0]]


def _cents(lines: list[dict[str, Any]]) -> int:
    return sum(int(line["amount"]["amountMicro"]) for line in lines) // 10_000
