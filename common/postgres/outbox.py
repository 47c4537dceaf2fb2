"""The outbox: an event is a row of the transaction that makes it true.

Rows stand in one central table, so that a drainer asks one question for all tenants. A shard is a
slice of the aggregates: one drainer works on it at a time, so that the events of one aggregate
leave in the order of their facts.
"""

import json
import zlib
from typing import Any, Final

from common.contracts.event import EventData, cloud_event
from common.domain.aggregate import Fact
from common.domain.identifiers import EventId
from common.domain.moment import Moment
from common.ports.transactions import Caller
from common.postgres import ranks
from common.postgres.session import Insert

SHARDS: Final = 16
INSERT_EVENT = Insert.into(
    ranks.OUTBOX,
    "billing_central.outbox",
    "shard, ordering_key, sequence, event_id, event_type, event, recorded_at",
)


def shard_of(ordering_key: str) -> int:
    """The slice that an aggregate belongs to; the same in every process and version."""
    return zlib.crc32(ordering_key.encode()) % SHARDS


def event_row(fact: Fact, published: EventData, caller: Caller, moment: Moment) -> dict[str, Any]:
    """The event of a fact, ready to be published."""
    event_id = moment.new_id(EventId)
    event = cloud_event(
        event_id=event_id,
        event_type=published.event_type(),
        tenant_id=str(moment.settings.tenant_id),
        subject=fact.subject.id,
        sequence=fact.sequence,
        time=moment.now,
        traceparent=caller.traceparent,
        data=published.model_dump(mode="json"),
    )
    return {
        "shard": shard_of(fact.subject.id),
        "ordering_key": fact.subject.id,
        "sequence": fact.sequence,
        "event_id": event_id,
        "event_type": published.event_type(),
        "event": json.dumps(event, separators=(",", ":"), ensure_ascii=False),
        "recorded_at": moment.now,
    }
