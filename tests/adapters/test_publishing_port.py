"""Publishing: what the port promises, held by the laptop's pushes and by Pub/Sub alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc
import pytest
import urllib3
from google.pubsub_v1 import PublisherClient

from common.google.publishing import KEYS_AT_ONCE, OUTAGE_KEYS, RETRY, TopicPublisher
from common.local.publishing import PushPublisher
from common.ports.publishing import HELD_BACK, Message, Publisher
from tests.adapters.grpc_stand_in import Refused
from tests.adapters.publishing_stand_ins import (
    TOPIC,
    Subscribers,
    TopicStandIn,
    data_of,
    subscribers_served,
    topic_served,
)

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POSTED = "melmastoon.billing.charge.posted.v1"
FOLIO, OTHER_FOLIO, THIRD_FOLIO = "fol_01A", "fol_01B", "fol_01C"
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def event(number: int, key: str = FOLIO, *, data: bytes = b"{}", kind: str = POSTED) -> Message:
    attributes = {"ce-id": f"evt_{number}", "ce-type": kind, "content-type": "application/json"}
    return Message(f"evt_{number}", key, attributes, data)


@dataclass(frozen=True)
class Broker:
    """A publisher, what has arrived so far, and the events that are not taken at the moment."""

    publisher: Publisher
    arrived: Callable[[], list[Message]]
    disliked: set[str]

    def ids(self, key: str) -> list[str]:
        return [each.event_id for each in self.arrived() if each.ordering_key == key]


@dataclass(frozen=True)
class Topic:
    stand_in: TopicStandIn
    client: PublisherClient
    publisher: TopicPublisher


@dataclass(frozen=True)
class Laptop:
    subscribers: Subscribers
    address: str
    routes: dict[str, list[str]]
    publisher: PushPublisher


@pytest.fixture
def topic() -> Iterator[Topic]:
    stand_in = TopicStandIn()
    with topic_served(stand_in) as client:
        yield Topic(stand_in, client, TopicPublisher(TOPIC, client, RETRY.with_delay(0.001)))


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    subscribers = Subscribers()
    with subscribers_served(subscribers) as address, urllib3.PoolManager() as opener:
        routes = {POSTED: [f"{address}/events/on_charge_posted"]}
        publisher = PushPublisher(
            lambda kind: routes.get(kind, []), lambda: "signed.by.google", lambda: NOON, opener
        )
        yield Laptop(subscribers, address, routes, publisher)


@pytest.fixture(params=["local", "google"])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "google":
        topic: Topic = request.getfixturevalue("topic")
        return Broker(topic.publisher, lambda: _taken(topic), topic.stand_in.disliked)
    laptop: Laptop = request.getfixturevalue("laptop")
    return Broker(laptop.publisher, lambda: _pushed(laptop), laptop.subscribers.disliked)


def _taken(topic: Topic) -> list[Message]:
    return [
        Message(each.attributes["ce-id"], each.ordering_key, dict(each.attributes), each.data)
        for each in topic.stand_in.taken
    ]


def _pushed(laptop: Laptop) -> list[Message]:
    return [
        Message(each["messageId"], each["orderingKey"], each["attributes"], data_of(each))
        for each in laptop.subscribers.taken.get("/events/on_charge_posted", [])
    ]


@pytest.mark.req("EVT-4", "LOC-2")
class TestPublisher:
    def test_hands_over_what_it_was_given(self, broker: Broker) -> None:
        sent = event(1, data='{"guest":"Zarghuna","note":"چای"}'.encode() + bytes([0, 255]))

        assert list(broker.publisher.publish([sent])) == [None]
        assert broker.arrived() == [sent]

    def test_keeps_the_order_of_each_key(self, broker: Broker) -> None:
        keys = [FOLIO, OTHER_FOLIO, THIRD_FOLIO]
        events = [event(number, keys[number % 3]) for number in range(60)]

        assert list(broker.publisher.publish(events)) == [None] * 60
        for place, key in enumerate(keys):
            assert broker.ids(key) == [f"evt_{number}" for number in range(place, 60, 3)]

    def test_holds_back_what_follows_a_failure_and_nothing_else(self, broker: Broker) -> None:
        broker.disliked.add("evt_4")
        events = [event(number, FOLIO if number % 2 == 0 else OTHER_FOLIO) for number in range(10)]

        answers = list(broker.publisher.publish(events))

        assert [answer is None for answer in answers[:4]] == [True] * 4
        assert answers[4] not in (None, "", HELD_BACK)
        assert answers[5:] == [None, HELD_BACK, None, HELD_BACK, None]
        assert broker.ids(FOLIO) == ["evt_0", "evt_2"]
        assert broker.ids(OTHER_FOLIO) == ["evt_1", "evt_3", "evt_5", "evt_7", "evt_9"]

    @pytest.mark.parametrize("place", [0, 6, 12])
    def test_stops_at_the_failure_wherever_it_stands(self, broker: Broker, place: int) -> None:
        broker.disliked.add(f"evt_{place}")

        answers = list(broker.publisher.publish([event(number) for number in range(13)]))

        assert answers[:place] == [None] * place
        assert answers[place] not in (None, HELD_BACK)
        assert answers[place + 1 :] == [HELD_BACK] * (12 - place)
        assert broker.ids(FOLIO) == [f"evt_{number}" for number in range(place)]

    def test_goes_on_where_it_stopped_once_the_trouble_is_over(self, broker: Broker) -> None:
        events = [event(number) for number in range(3)]
        broker.disliked.add("evt_1")
        answers = broker.publisher.publish(events)
        left = [each for each, answer in zip(events, answers, strict=True) if answer is not None]

        broker.disliked.clear()

        assert list(broker.publisher.publish(left)) == [None, None]
        assert broker.ids(FOLIO) == ["evt_0", "evt_1", "evt_2"]

    def test_has_nothing_to_say_of_nothing(self, broker: Broker) -> None:
        assert list(broker.publisher.publish([])) == []


@pytest.mark.req("EVT-4")
class TestTopicPublisher:
    def test_sends_the_events_of_a_key_at_once(self, topic: Topic) -> None:
        topic.publisher.publish([event(number, FOLIO) for number in range(30)])

        assert topic.stand_in.requests == [30]

    def test_divides_what_is_too_much_for_one_request(self, topic: Topic) -> None:
        many = [event(number) for number in range(2_500)]
        heavy = [event(number, OTHER_FOLIO, data=bytes(2_000_000)) for number in range(7)]

        assert set(topic.publisher.publish([*many, *heavy])) == {None}
        assert [each.event_id for each in _taken(topic) if each.ordering_key == FOLIO] == [
            f"evt_{number}" for number in range(2_500)
        ]
        assert sum(topic.stand_in.requests) == 2_507

    def test_tries_again_when_the_broker_is_away_for_a_moment(self, topic: Topic) -> None:
        topic.stand_in.troubles.extend([Refused(UNAVAILABLE), Refused(UNAVAILABLE)])

        assert list(topic.publisher.publish([event(1), event(2)])) == [None, None]
        assert [each.event_id for each in _taken(topic)] == ["evt_1", "evt_2"]

    def test_gives_up_when_the_broker_stays_away(self, topic: Topic) -> None:
        hasty = TopicPublisher(TOPIC, topic.client, RETRY.with_timeout(0.0))
        topic.stand_in.troubles.append(Refused(UNAVAILABLE, "try another day"))

        first, second = hasty.publish([event(1), event(2)])

        assert first is not None
        assert "try another day" in first
        assert second == HELD_BACK
        assert list(hasty.publish([event(1), event(2)])) == [None, None]

    def test_asks_no_further_where_nothing_of_anybody_is_taken(self, topic: Topic) -> None:
        """Of 500 keys a few are tried, twenty and what is under way besides; once the broker is
        there again all are taken."""
        hasty = TopicPublisher(TOPIC, topic.client, RETRY.with_timeout(0.0))
        events = [event(number, f"fol_{number}") for number in range(500)]
        topic.stand_in.troubles.extend(Refused(UNAVAILABLE) for _ in events)

        answers = hasty.publish(events)

        tried = [answer for answer in answers if answer != HELD_BACK]
        assert None not in answers
        assert OUTAGE_KEYS <= len(tried) < OUTAGE_KEYS + KEYS_AT_ONCE
        topic.stand_in.troubles.clear()
        assert set(hasty.publish(events)) == {None}

    def test_one_keys_trouble_is_its_own_whatever_it_is(self, topic: Topic) -> None:
        """The library refuses a text that is none before it asks anybody: the other key's event was
        taken, and is told to be, or it would be published at each attempt for ever."""
        spoilt = event(1, FOLIO, kind="\ud800")

        answers = list(topic.publisher.publish([spoilt, event(2, FOLIO), event(3, OTHER_FOLIO)]))

        assert answers[0] not in (None, HELD_BACK)
        assert answers[1:] == [HELD_BACK, None]
        assert [each.event_id for each in _taken(topic)] == ["evt_3"]

    def test_says_which_topic_is_missing(self, topic: Topic) -> None:
        lost = TopicPublisher("projects/hotels/topics/lost", topic.client)

        (answer,) = lost.publish([event(1)])

        assert answer is not None
        assert answer.startswith("NotFound: ")
        assert "projects/hotels/topics/lost" in answer


@pytest.mark.req("EVT-4", "LOC-2")
class TestPushPublisher:
    def test_pushes_in_the_envelope_of_pubsub(self, laptop: Laptop) -> None:
        laptop.publisher.publish([event(1, data=b'{"id":"evt_1"}')])

        ((path, headers, body),) = laptop.subscribers.pushes
        assert path == "/events/on_charge_posted"
        assert headers["Authorization"] == "Bearer signed.by.google"
        assert headers["Content-Type"] == "application/json"
        assert body == {
            "message": {
                "data": "eyJpZCI6ImV2dF8xIn0=",
                "attributes": {
                    "ce-id": "evt_1",
                    "ce-type": POSTED,
                    "content-type": "application/json",
                },
                "messageId": "evt_1",
                "publishTime": "2026-03-01T12:00:00Z",
                "orderingKey": FOLIO,
            },
            "subscription": "projects/local/subscriptions/on_charge_posted",
        }

    def test_keeps_its_connection(self, laptop: Laptop) -> None:
        laptop.publisher.publish([event(number) for number in range(20)])

        assert len(laptop.subscribers.pushes) == 20
        assert laptop.subscribers.connections == 1

    def test_is_content_when_nobody_subscribed(self, laptop: Laptop) -> None:
        assert list(laptop.publisher.publish([event(1, kind="melmastoon.x.y.v1")])) == [None]
        assert laptop.subscribers.pushes == []

    def test_pushes_to_every_subscriber_though_one_refuses(self, laptop: Laptop) -> None:
        laptop.routes[POSTED] = [f"{laptop.address}/{name}" for name in ("a", "broken", "b")]
        laptop.subscribers.answers["/broken"] = 500

        assert list(laptop.publisher.publish([event(1), event(2)])) == [
            f"{laptop.address}/broken: 500",
            HELD_BACK,
        ]
        assert len(laptop.subscribers.taken["/a"]) == 1
        assert len(laptop.subscribers.taken["/b"]) == 1

    @pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 429, 503])
    def test_takes_nothing_but_success_for_a_yes(self, laptop: Laptop, status: int) -> None:
        laptop.subscribers.answers["/events/on_charge_posted"] = status

        (answer,) = laptop.publisher.publish([event(1)])

        assert answer is not None
        assert answer.endswith(f": {status}")

    def test_tells_of_a_subscriber_that_is_not_there(self, laptop: Laptop) -> None:
        laptop.routes[POSTED] = ["http://127.0.0.1:1/events/on_charge_posted"]

        (answer,) = laptop.publisher.publish([event(1)])

        assert answer == "http://127.0.0.1:1/events/on_charge_posted: NewConnectionError"
