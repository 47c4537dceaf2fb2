"""Delete the answers that were kept for retries, when none can come any more (AUD-3, API-4).

A retry hears the same again for 30 days. After that its key is free, and what may happen only once
is guarded by its own constraints still.

So many of a tenant are one item, deleted in one transaction. Killed anywhere, or run twice at once,
the job finds what is left; `--as-of` an earlier day deletes what was too old then, and a later day
nothing before its time.
"""

from collections.abc import Sequence
from typing import Final

from common.domain.retention import answers_end
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.runtime.declaration import job

BATCH: Final = 200
"""Answers that one transaction deletes: it is over well before anybody waits for it."""

KeyHashes = tuple[str, ...]


def too_old(which: Round, tx: Transaction) -> Sequence[KeyHashes]:
    """The answers of a tenant that have had their time, the oldest first, in batches."""
    found = tx.stored_answers.before(answers_end(tx.now, which.as_of), which.limit * BATCH)
    return [tuple(found[begin : begin + BATCH]) for begin in range(0, len(found), BATCH)]


@job(schedule="10 1 * * *", timeout_seconds=3_000, find=too_old)
def forget_answers(key_hashes: KeyHashes, tx: Transaction) -> None:
    """Delete a batch of answers, and leave what is not too old by now."""
    tx.stored_answers.forget(key_hashes, answers_end(tx.now))
