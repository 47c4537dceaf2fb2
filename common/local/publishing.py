"""The laptop's broker: events are pushed at once, as Pub/Sub would push them (EVT-4, LOC-2).

Each subscriber gets the message in Pub/Sub's envelope with a service account's bearer token, and
acknowledges it by a 2xx. There is nothing stored in between: the outbox keeps what was not taken,
and the drainer brings it again.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import urllib3

from common.ports.publishing import HELD_BACK, Message

ANSWER_SECONDS: Final = urllib3.Timeout(connect=3, read=60)


class PushPublisher:
    """Pushes to the addresses that subscribed to an event's type."""

    def __init__(
        self,
        subscribers: Callable[[str], Sequence[str]],
        bearer: Callable[[], str],
        now: Callable[[], datetime],
        opener: urllib3.PoolManager | None = None,
    ) -> None:
        self._subscribers = subscribers
        self._bearer = bearer
        self._now = now
        self._opener = opener or urllib3.PoolManager(timeout=ANSWER_SECONDS)

    def publish(self, messages: Sequence[Message]) -> Sequence[str | None]:
        """Publish in order, and answer for each message: None once acknowledged, or the trouble."""
        stopped: set[str] = set()
        answers: list[str | None] = []
        for message in messages:
            if message.ordering_key in stopped:
                answers.append(HELD_BACK)
                continue
            trouble = self._deliver(message)
            if trouble:
                stopped.add(message.ordering_key)
            answers.append(trouble)
        return answers

    def _deliver(self, message: Message) -> str | None:
        """Push to every subscriber, whether another one takes it or not."""
        troubles = [self._push(message, url) for url in self._subscribers(message.event_type)]
        return "; ".join(filter(None, troubles)) or None

    def _push(self, message: Message, url: str) -> str | None:
        try:
            answer = self._opener.request(
                "POST",
                url,
                body=self._envelope(message, url),
                headers={
                    "Content-Type": "application/json",
                    "Authorization": f"Bearer {self._bearer()}",
                },
                retries=False,
            )
        except urllib3.exceptions.HTTPError as failure:
            return f"{url}: {type(failure).__name__}"
        return None if 200 <= answer.status < 300 else f"{url}: {answer.status}"

    def _envelope(self, message: Message, url: str) -> bytes:
        envelope = {
            "message": {
                "data": b64encode(message.data).decode(),
                "attributes": dict(message.attributes),
                "messageId": message.event_id,
                "publishTime": self._now().astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "orderingKey": message.ordering_key,
            },
            "subscription": f"projects/local/subscriptions/{url.rpartition('/')[2]}",
        }
        return json.dumps(envelope).encode()


def consumers_at(public_url: str, doors_url: str = "") -> dict[str, list[str]]:
    """The addresses of the laptop's own consumers, by the type of event that they take; and that of
    its tenant service, where it has one."""
    from common.local.doors import TYPES
    from common.local.functions import event_declarations
    from common.local.gateway import EVENTS_PREFIX

    addresses: dict[str, list[str]] = {}
    for consumer in event_declarations():
        address = f"{public_url}{EVENTS_PREFIX}{consumer.name}"
        addresses.setdefault(consumer.event_type, []).append(address)
    for event_type in TYPES if doors_url else ():
        addresses.setdefault(event_type, []).append(doors_url)
    return addresses
