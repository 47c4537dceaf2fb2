"""An event of usage counts once, whatever comes of the line (SUB-12)."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.hotel import Hotel
from tests.metering import fates, send, send_all, totals, used
from tests.proofs import assert_refused, state, told, trail
from tests.subscribing import subscribed
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("SUB-12")
Clock = Callable[[str], None]
NOW = "2026-03-10T12:00:00+00:00"
AT = "2026-03-10T11:00:00Z"


@pytest.fixture
def subscriber(hotel: Hotel, clock: Clock) -> Hotel:
    """It has subscribed on the first of March, and it is the tenth."""
    clock("2026-03-01T12:00:00+00:00")
    subscribed(hotel)
    clock(NOW)
    return hotel


def test_counts_sums_keeps_the_highest_and_tells_values_apart(subscriber: Hotel) -> None:
    told_of = [
        *(used("ai_requests", None, AT) for _ in range(3)),
        *(used("ai_tokens", each, AT) for each in (5, 0, 7)),
        *(used("storage_mb", each, AT) for each in (20, 90, 40)),
        *(used("active_users", None, AT, value=each) for each in ("karim", "zahra", "karim")),
    ]

    assert fates(send_all(subscriber, *told_of)) == ["counted"] * 12
    assert fates(send_all(subscriber, used("active_users", None, AT, value="zahra"))) == ["counted"]

    assert totals(subscriber) == [
        [1, "active_users", 4, 2, 0, 0],
        [1, "ai_requests", 3, 3, 0, 0],
        [1, "ai_tokens", 3, 12, 0, 0],
        [1, "storage_mb", 3, 90, 0, 0],
    ]
    assert broken(subscriber) == []


def test_tells_what_was_counted_and_keeps_no_value(subscriber: Hotel) -> None:
    answer = send(subscriber, used("active_users", None, AT, value="usr_karim"))

    assert answer.status_code == 201
    assert answer.json["items"][0]["fate"] == "counted"
    assert told(subscriber)[-1] == "usage.recorded"
    assert trail(subscriber, "usage.recorded")[0]["aggregate_id"] == answer.json["usageRecordId"]
    (event,) = subscriber.events("usage.recorded")
    assert event["data"]["events"] == 1
    assert "usr_karim" not in str(event)
    assert subscriber.house.sql(
        "SELECT count(*) FROM billing_central.usage_events AS each"
        " WHERE strpos(each::text, 'usr_karim') > 0"
    ) == [[0]]


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        (used("steps", 1, AT), 422, "METER_UNKNOWN"),
        (used("ai_tokens", None, AT), 422, "USAGE_INVALID"),
        (used("ai_requests", 2, AT), 422, "USAGE_INVALID"),
        (used("active_users", None, AT), 422, "USAGE_INVALID"),
        (used("ai_requests", None, AT, value="karim"), 422, "USAGE_INVALID"),
        (used("ai_tokens", 1, "2026-02-04T11:55:00Z"), 422, "USAGE_TOO_OLD"),
        (used("ai_tokens", 1, "2026-02-04T12:05:00.5Z"), 409, "USAGE_OUTSIDE_SUBSCRIPTION"),
        (used("ai_tokens", 1, "2026-03-01T11:55:00Z"), 409, "USAGE_OUTSIDE_SUBSCRIPTION"),
        (used("ai_tokens", 1, "2026-03-10T12:10:00Z"), 422, "USAGE_IN_FUTURE"),
    ],
)
def test_refuses(subscriber: Hotel, event: dict[str, Any], status: int, code: str) -> None:
    before = state(subscriber)

    assert_refused(send(subscriber, event), status, code)
    both = send_all(subscriber, event, used("ai_tokens", 1, AT))

    assert fates(both) == [code, "counted"]
    assert state(subscriber) != before
    assert totals(subscriber) == [[1, "ai_tokens", 1, 1, 0, 0]]


def test_refuses_who_has_not_subscribed(hotel: Hotel) -> None:
    before = state(hotel)

    assert_refused(send(hotel, used("ai_tokens", 1, AT)), 404, "SUBSCRIPTION_UNKNOWN")
    assert_refused(send_all(hotel, used("ai_tokens", 1, AT)), 404, "SUBSCRIPTION_UNKNOWN")

    assert state(hotel) == before


def test_an_event_that_comes_again_counts_once_and_one_that_differs_is_refused(
    subscriber: Hotel,
) -> None:
    """Under its meter; another meter's event may have the same id. It may be written in another
    zone, and is the same."""
    first = used("ai_tokens", 5, AT, "evt-1")
    assert send(subscriber, first).status_code == 201
    before = state(subscriber, without=("idempotency_keys",))

    again = send(subscriber, {**first, "occurredAt": "2026-03-10T15:30:00+04:30"})
    differing = send(subscriber, {**first, "quantity": 6})

    assert (again.status_code, again.json["counted"]) == (201, 0)
    assert again.json["items"][0]["fate"] == "duplicate"
    assert again.json["usageRecordId"] is None
    assert_refused(differing, 409, "USAGE_EVENT_DIFFERS")
    assert state(subscriber, without=("idempotency_keys",)) == before
    batch = send_all(
        subscriber,
        first,
        used("ai_requests", None, AT, "evt-1"),
        used("ai_requests", None, AT, "evt-1"),
        used("ai_requests", None, "2026-03-10T10:00:00Z", "evt-1"),
    )
    assert fates(batch) == ["duplicate", "counted", "duplicate", "USAGE_EVENT_DIFFERS"]
    assert totals(subscriber) == [[1, "ai_requests", 1, 1, 0, 0], [1, "ai_tokens", 1, 5, 0, 0]]


def test_a_retry_is_answered_the_same(subscriber: Hotel) -> None:
    token = subscriber.token("billing.credits.write")
    events = [used("ai_tokens", 5, AT), used("steps", 1, AT)]

    first = send_all(subscriber, *events, key="a-batch", token=token)
    after = state(subscriber)
    again = send_all(subscriber, *events, key="a-batch", token=token)

    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert state(subscriber) == after


def test_the_same_event_twice_at_once_counts_once(subscriber: Hotel) -> None:
    event = used("ai_tokens", 5, AT, "evt-1")

    answers = at_once([partial(send, subscriber, event)] * 4)

    assert Counter(each.json["items"][0]["fate"] for each in answers) == {
        "counted": 1,
        "duplicate": 3,
    }
    assert totals(subscriber) == [[1, "ai_tokens", 1, 5, 0, 0]]


def test_lists_by_pages_meters_and_periods(subscriber: Hotel) -> None:
    meters = ("ai_requests", "ai_tokens", "storage_mb")
    events = [used(each, None if each == "ai_requests" else 1, AT) for each in meters]
    assert fates(send_all(subscriber, *events)) == ["counted"] * 3
    token, seen, cursor = subscriber.token("subscription.read"), [], {}
    while len(seen) < 4:
        page = subscriber.get("/usage", token=token, limit="1", **cursor)
        seen += [each["meter"] for each in page.json["items"]]
        if page.json["nextCursor"] is None:
            break
        cursor = {"cursor": page.json["nextCursor"]}

    assert seen == list(meters)
    assert [row[1] for row in totals(subscriber, meter="ai_tokens")] == ["ai_tokens"]
    assert totals(subscriber, periodNumber="2") == []
    garbled = subscriber.get("/usage", token=token, cursor="InggeCB5Ig")
    assert_refused(garbled, 422, "MELMASTOON.GENERAL.CURSOR_INVALID")
