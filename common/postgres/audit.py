"""The audit trail: an entry for every fact, chained to the one before it on the same aggregate.

An entry's hash covers everything in it and the hash of its predecessor, so that a row that was
changed, taken out, put in or moved behind the application's back does not fit any more. The heads
of the chains stand on the aggregates, which are locked while they change.
"""

import hashlib
from typing import Any

from common.contracts.event import EventData
from common.domain.aggregate import Fact
from common.domain.canonical import canonical
from common.domain.identifiers import AuditId
from common.domain.moment import Moment
from common.ports.transactions import Caller


def audit_row(
    fact: Fact, published: EventData | None, caller: Caller, moment: Moment
) -> dict[str, Any]:
    """The entry of a fact; moves the aggregate's trail and state digest on.

    Its detail is what is published; a fact that stays in the house tells its reason only.
    """
    subject = fact.subject
    before, after = subject.state_digest, subject.digest()
    entry = {
        "id": moment.new_id(AuditId),
        "aggregate_kind": subject.kind,
        "aggregate_id": subject.id,
        "sequence": fact.sequence,
        "action": fact.name,
        "actor": caller.actor.sub,
        "auth_strength": caller.actor.auth_strength,
        "step_up_token_id": caller.step_up.token_id if caller.step_up else None,
        "assertion_hash": caller.step_up.assertion_hash if caller.step_up else None,
        "reason": fact.reason,
        "detail": published.model_dump_json() if published else "{}",
        "digest_before": before.hex() if before else None,
        "digest_after": after.hex(),
        "trace_id": caller.traceparent[3:35],
        "occurred_at": moment.now.isoformat(),
        "recorded_at": moment.now.isoformat(),
        "previous_hash": subject.trail.hex(),
    }
    digest = hashlib.sha256(canonical(entry)).digest()
    row = {
        **entry,
        "digest_before": before,
        "digest_after": after,
        "previous_hash": subject.trail,
        "hash": digest,
    }
    subject.trail, subject.state_digest = digest, after
    return row
