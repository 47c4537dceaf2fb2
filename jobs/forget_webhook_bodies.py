"""Delete what the processor's events said, 90 days after they came (WH-6).

That an event came, its type, its fingerprint and what became of it stay for ever, and so no
delivery of it has a second effect, however late it is. What was deleted cannot be run again.

So many of a tenant are one item, deleted in one transaction. Killed anywhere, or run twice at once,
the job finds what is left; `--as-of` an earlier day deletes what was too old then, and a later day
nothing before its time.
"""

from collections.abc import Sequence
from typing import Final

from common.domain.webhook import bodies_end
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.runtime.declaration import job

BATCH: Final = 200
"""Bodies that one transaction deletes: it is over well before anybody waits for it."""

EventIds = tuple[str, ...]


def too_old(which: Round, tx: Transaction) -> Sequence[EventIds]:
    """The events of a tenant whose bodies have had their time, the oldest first, in batches."""
    ends = bodies_end(tx.now, which.as_of)
    found = tx.webhooks.with_body_before(ends, which.limit * BATCH)
    return [tuple(found[begin : begin + BATCH]) for begin in range(0, len(found), BATCH)]


@job(schedule="20 3 * * *", find=too_old)
def forget_webhook_bodies(event_ids: EventIds, tx: Transaction) -> None:
    """Delete what a batch of events said, and leave what is not too old by now."""
    tx.webhooks.forget_bodies(event_ids, bodies_end(tx.now))
