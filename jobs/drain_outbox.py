"""Publish what was committed: the outbox's events, in order for a folio, fairly for the hotels.

Fired every minute, it keeps watch until the next one has taken over, so that an event leaves within
a second of its commit. What the broker does not take waits for the next attempt; what is published
and not marked, because the drainer was killed, is published again, and consumers know it by its id.
"""

import json

from common.ports.jobs import JobPowers, Step, Turn, WaitingEvent
from common.ports.publishing import Message
from common.runtime.declaration import job


def give_back(powers: JobPowers) -> None:
    """Let the next drainer go on at once."""
    powers.outbox.give_back()


@job(
    schedule="* * * * *",
    turn_seconds=60,
    timeout_seconds=180,
    leave=give_back,
    needs=("outbox", "publisher"),
)
def drain_outbox(turn: Turn, powers: JobPowers) -> Step:
    """Publish the next events and mark those that the broker has."""
    batch = powers.outbox.take(turn)
    messages = [message_of(event) for event in batch.events]
    results = powers.publisher.publish(messages) if messages else []
    return powers.outbox.settle(batch, results)


def message_of(waiting: WaitingEvent) -> Message:
    """An event in the binary mode of CloudEvents: attributes as `ce-...`, its data as the body.

    Ids are the tenants' own, so the tenant is part of the ordering key.
    """
    event = json.loads(waiting.event)
    data = event.pop("data")
    content_type = event.pop("datacontenttype")
    return Message(
        event_id=waiting.event_id,
        ordering_key=f"{waiting.tenant_id}/{waiting.ordering_key}",
        attributes={f"ce-{name}": value for name, value in event.items()}
        | {"content-type": content_type},
        data=json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode(),
    )
