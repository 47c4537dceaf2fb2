"""The answers that commands have had, as they are forgotten (AUD-3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from common.postgres import ranks
from common.postgres.connection import Statement
from common.postgres.session import Write
from common.postgres.stores import Desk, text_array

BEFORE: Final = """
SELECT tenant_id, encode(key_hash, 'hex')
FROM idempotency_keys
WHERE recorded_at < $1
ORDER BY recorded_at
LIMIT $2
"""
FORGET: Final = """
DELETE FROM idempotency_keys
WHERE key_hash = ANY (ARRAY(SELECT decode(hash, 'hex') FROM unnest($1::text[]) AS hash))
  AND recorded_at < $2
"""


class StoredAnswers:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def before(self, moment: datetime, limit: int) -> Sequence[str]:
        return [row[1] for row in self._desk.rows(BEFORE, moment, limit)]

    def forget(self, key_hashes: Sequence[str], before: datetime) -> None:
        forgotten = Statement(FORGET, (text_array(key_hashes), before))
        self._desk.write(("answers", *key_hashes), Write(ranks.ANSWERS, forgotten))
