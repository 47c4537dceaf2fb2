"""Publishing to a Pub/Sub topic (EVT-4).

Pub/Sub keeps the order of what it accepted: it accepts one request as a whole, and the next request
of the same key is sent after its answer. So each key is one queue and the keys go side by side. We
call the service itself and not Google's background batches: those go on trying in the background
when we have long given a message up, and would overtake the next drainer.

Whatever one key meets is its own trouble: what the others sent is acknowledged, and has to be
marked. Where many keys in a row are not taken and none is, the broker is away, and the rest is held
back unasked: thousands of keys, each tried for a quarter of a minute, would outlive the drainer.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Final

from google.api_core.exceptions import (
    Aborted,
    DeadlineExceeded,
    GoogleAPIError,
    InternalServerError,
    InvalidArgument,
    ResourceExhausted,
    ServiceUnavailable,
    Unknown,
)
from google.api_core.retry import Retry, if_exception_type
from google.pubsub_v1 import PublisherClient, PubsubMessage

from common.ports.publishing import HELD_BACK, Message

CALL_SECONDS: Final = 5
KEYS_AT_ONCE: Final = 16
OUTAGE_KEYS: Final = 20
MESSAGES_MAX: Final = 1_000  # of one request; Pub/Sub's limits are these and 10 MB
REQUEST_BYTES_MAX: Final = 5 * 10**6

RETRY: Final = Retry(
    if_exception_type(
        Aborted,
        DeadlineExceeded,
        InternalServerError,
        ResourceExhausted,
        ServiceUnavailable,
        Unknown,
    ),
    initial=0.1,
    maximum=2.0,
    multiplier=2.0,
    timeout=15.0,
)


class TopicPublisher:
    """Publishes to one topic: `projects/../topics/..`.

    By the door of a `region`: a topic whose messages may not leave it refuses who comes in by that
    of another one, and the door for all leads to whichever is the nearest at the moment.
    """

    def __init__(
        self,
        topic: str,
        client: PublisherClient | None = None,
        retry: Retry = RETRY,
        *,
        region: str = "",
    ) -> None:
        self._topic = topic
        door = {"api_endpoint": f"{region}-pubsub.googleapis.com"} if region else {}
        self._client = client or PublisherClient(client_options=door)
        self._retry = retry

    @property
    def door(self) -> str:
        """The host that it asks."""
        return str(self._client.api_endpoint)

    def publish(self, messages: Sequence[Message]) -> Sequence[str | None]:
        """Publish in order, and answer for each message: None once acknowledged, or the trouble."""
        places: dict[str, list[int]] = {}
        for place, message in enumerate(messages):
            places.setdefault(message.ordering_key, []).append(place)
        queues = ([messages[place] for place in queue] for queue in places.values())
        outage = _Outage()
        answers: list[str | None] = [None] * len(messages)
        with ThreadPoolExecutor(KEYS_AT_ONCE) as side_by_side:
            asked = side_by_side.map(lambda queue: self._unless(outage, queue), queues)
            answered = chain.from_iterable(asked)
            for place, answer in zip(chain.from_iterable(places.values()), answered, strict=True):
                answers[place] = answer
        return answers

    def _unless(self, outage: "_Outage", queue: Sequence[Message]) -> list[str | None]:
        """Publish messages of one key, unless the broker takes nothing of anybody's."""
        if outage.is_there:
            return [HELD_BACK] * len(queue)
        try:
            answers = self._all(queue)
        except Exception as failure:  # noqa: BLE001 - one key's trouble is not the next one's
            answers = [_told(failure), *[HELD_BACK] * (len(queue) - 1)]
        outage.note(answers)
        return answers

    def _all(self, queue: Sequence[Message]) -> list[str | None]:
        """Publish messages of one key: at once, or in halves when they are too many or too much."""
        if len(queue) > 1 and (
            len(queue) > MESSAGES_MAX or sum(map(_size, queue)) > REQUEST_BYTES_MAX
        ):
            return self._in_halves(queue)
        try:
            self._client.publish(
                topic=self._topic,
                messages=[_sent(message) for message in queue],
                retry=self._retry,
                timeout=CALL_SECONDS,
            )
        except InvalidArgument as refused:  # of all, when one of them is at fault: find that one
            return self._in_halves(queue) if len(queue) > 1 else [_told(refused)]
        except GoogleAPIError as failure:
            return [_told(failure), *[HELD_BACK] * (len(queue) - 1)]
        return [None] * len(queue)

    def _in_halves(self, queue: Sequence[Message]) -> list[str | None]:
        middle = len(queue) // 2
        answered = self._all(queue[:middle])
        if answered[-1] is not None:
            return [*answered, *[HELD_BACK] * (len(queue) - middle)]
        return [*answered, *self._all(queue[middle:])]


class _Outage:
    """What has come of the keys that were tried so far; threads write it side by side."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._failed = 0
        self._took_some = False

    @property
    def is_there(self) -> bool:
        return not self._took_some and self._failed >= OUTAGE_KEYS

    def note(self, answers: Sequence[str | None]) -> None:
        with self._one_at_a_time:
            self._took_some = self._took_some or None in answers
            self._failed += answers[0] is not None


def _sent(message: Message) -> PubsubMessage:
    return PubsubMessage(
        data=message.data,
        attributes=dict(message.attributes),
        ordering_key=message.ordering_key,
    )


def _size(message: Message) -> int:
    texts = [message.ordering_key, *message.attributes.keys(), *message.attributes.values()]
    return len(message.data) + sum(len(text.encode()) for text in texts)


def _told(failure: Exception) -> str:
    return f"{type(failure).__name__}: {failure}"
