"""Delete what the processor's quarantined events said, 90 days after they came (WH-6).

An event that is nobody's is a dead letter, and no tenant's: so this is done once for a cell, step
by step, until nothing is too old. That an event came, its type, id and fingerprint, and why it was
put aside stay for ever.

A step is one transaction. Killed anywhere, the next run finds what is left; two at once share it.
"""

from typing import Final

from common.domain.webhook import QUARANTINED_BY, bodies_end
from common.ports.jobs import JobPowers, Step, Turn
from common.runtime.declaration import job

BATCH: Final = 200
"""Bodies that one transaction deletes: it is over well before anybody waits for it."""


@job(schedule="40 3 * * *", needs=("outbox",))
def forget_quarantined_webhooks(turn: Turn, powers: JobPowers) -> Step:
    """Delete what some quarantined events said, the oldest first."""
    forgotten = powers.dead_letters.forget(QUARANTINED_BY, bodies_end(powers.now()), BATCH)
    return Step(done=forgotten, idle=not forgotten, finished=not forgotten)
