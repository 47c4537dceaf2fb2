"""Documents that wait for their PDF; written with the document, so that none is forgotten."""

from collections.abc import Sequence
from typing import Final

from common.domain.identifiers import DocumentId
from common.postgres import ranks
from common.postgres.connection import Statement
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

DUE: Final = """
SELECT tenant_id, invoice_id
FROM render_queue
WHERE next_attempt_at <= $1
ORDER BY next_attempt_at
LIMIT $2
"""
POSTPONE: Final = """
UPDATE render_queue
SET attempts = attempts + 1,
    last_error = $2,
    next_attempt_at = $3::timestamptz + power(2, least(attempts, 9)) * interval '10 seconds'
WHERE invoice_id = $1
"""
DONE: Final = "DELETE FROM render_queue WHERE invoice_id = $1"
PUT = Insert.into(
    ranks.DOCUMENT_PARTS, "render_queue", "invoice_id, attempts, next_attempt_at, queued_at"
)


class RenderQueue:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def due(self, limit: int) -> Sequence[DocumentId]:
        return [DocumentId(row[1]) for row in self._desk.rows(DUE, self._desk.now, limit)]

    def put(self, document_id: DocumentId) -> None:
        now = self._desk.now
        self._desk.insert(
            PUT,
            [{"invoice_id": document_id, "attempts": 0, "next_attempt_at": now, "queued_at": now}],
        )

    def postpone(self, document_id: DocumentId, error: str) -> None:
        postpone = Statement(POSTPONE, (document_id, error[:200], self._desk.now))
        self._desk.write(("render", document_id), Write(ranks.AGGREGATE_CHANGES, postpone))

    def done(self, document_id: DocumentId) -> None:
        done = Statement(DONE, (document_id,))
        self._desk.write(("render", document_id), Write(ranks.AGGREGATE_CHANGES, done))
