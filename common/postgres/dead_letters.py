"""Dead letters: messages that were refused for good, kept until somebody decides about them.

A letter is never deleted here. Replaying delivers it again and marks it only afterwards, so that a
replay that is killed is made again, which the inbox makes harmless. Dropping keeps the message, who
refused it and why, and adds the reason for letting it go.

Of a letter of the processor only its body is forgotten, when its time is over: the column of the
message keeps the event's id, type and hash, and the letter says when that was done.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from ulid import ULID

from common.ports.clock import Clock
from common.ports.dead_letters import DeadLetter, LetterDropped, LetterForgotten, LetterUnknown
from common.ports.transactions import DatabaseUnavailable
from common.postgres.connection import ConnectionLost, Row, ServerRefused, Statement
from common.postgres.pool import Pool
from common.postgres.refusals import translated

# Without naming a constraint: the functions may add letters and read none.
PUT: Final = """
INSERT INTO billing_central.dead_letters (id, consumer, message_id, reason, message, received_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""
COLUMNS: Final = (
    "id, consumer, message_id, reason, message, received_at, replayed_at, dropped_at,"
    " dropped_because, forgotten_at"
)
GET: Final = f"""
SELECT {COLUMNS}
FROM billing_central.dead_letters
WHERE id = $1
"""
PAGE: Final = f"""
SELECT {COLUMNS}
FROM billing_central.dead_letters
WHERE id > $1
  AND ($2::text IS NULL OR consumer = $2)
  AND CASE $3
        WHEN 'waiting' THEN replayed_at IS NULL AND dropped_at IS NULL
        WHEN 'replayed' THEN replayed_at IS NOT NULL AND dropped_at IS NULL
        WHEN 'dropped' THEN dropped_at IS NOT NULL
        ELSE true
      END
ORDER BY id
LIMIT $4
"""
MARK_REPLAYED: Final = """
UPDATE billing_central.dead_letters
SET replayed_at = $2
WHERE id = $1
"""
MARK_DROPPED: Final = """
UPDATE billing_central.dead_letters
SET dropped_at = $2,
    dropped_because = $3
WHERE id = $1
  AND dropped_at IS NULL
"""
# Two at once share what is too old; whoever comes second does not wait for the first.
FORGET: Final = """
UPDATE billing_central.dead_letters AS letter
SET message = (letter.message::jsonb - 'payload')::text,
    forgotten_at = $1
FROM (
  SELECT id
  FROM billing_central.dead_letters
  WHERE consumer = $2
    AND forgotten_at IS NULL
    AND received_at < $3
  ORDER BY received_at, id
  LIMIT $4
  FOR UPDATE SKIP LOCKED
) AS old
WHERE letter.id = old.id
RETURNING letter.id
"""
BEGIN: Final = Statement("BEGIN")
COMMIT: Final = Statement("COMMIT")


class DeadLetters:
    """The letters of a cell. Raises DatabaseUnavailable."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    def put(self, consumer: str, message_id: str, reason: str, message: str) -> None:
        """Keep a message with the reason of its refusal; the same message again changes nothing."""
        now = self._clock.now()
        letter_id = f"dlq_{ULID.from_datetime(now)}"
        self._run(Statement(PUT, (letter_id, consumer, message_id, reason, message, now)))

    def list(
        self,
        *,
        consumer: str | None = None,
        state: str = "waiting",
        limit: int = 50,
        after: str = "",
    ) -> Sequence[DeadLetter]:
        """Letters in the order of their coming, after the one named."""
        return [_letter(row) for row in self._run(Statement(PAGE, (after, consumer, state, limit)))]

    def show(self, letter_id: str) -> DeadLetter:
        """One letter. Refuses: LetterUnknown."""
        rows = self._run(Statement(GET, (letter_id,)))
        if not rows:
            raise LetterUnknown()
        return _letter(rows[0])

    def replay(self, letter_id: str, deliver: Callable[[DeadLetter], object]) -> None:
        """Deliver a letter again, and mark it when that went well.

        Refuses: LetterUnknown, LetterDropped, LetterForgotten, and whatever `deliver` refuses; the
        letter waits on then.
        """
        letter = self.show(letter_id)
        if letter.dropped_at is not None:
            raise LetterDropped(letter.dropped_because or "")
        if letter.forgotten_at is not None:
            raise LetterForgotten(receivedAt=letter.received_at.isoformat())
        deliver(letter)
        self._run(Statement(MARK_REPLAYED, (letter_id, self._clock.now())))

    def drop(self, letter_id: str, reason: str) -> None:
        """Let a letter go, with the reason; letter and reason stay.

        Refuses: LetterUnknown, LetterDropped.
        """
        letter = self.show(letter_id)
        if letter.dropped_at is not None:
            raise LetterDropped(letter.dropped_because or "")
        self._run(Statement(MARK_DROPPED, (letter_id, self._clock.now(), reason)))

    def forget(self, consumer: str, before: datetime, limit: int) -> int:
        """Delete what a consumer's letters say that came before a moment, the oldest first."""
        parameters = (self._clock.now(), consumer, before, limit)
        return len(self._run(Statement(FORGET, parameters)))

    def _run(self, statement: Statement) -> Sequence[Row]:
        with self._pool.connection() as connection:
            try:
                return connection.run([BEGIN, statement, COMMIT])[1]
            except ConnectionLost as lost:
                raise DatabaseUnavailable("the dead letters cannot be reached") from lost
            except ServerRefused as refused:  # it only reads, say, until a recovery is over
                raise translated(refused) from refused


def _letter(row: Row) -> DeadLetter:
    return DeadLetter(
        id=row[0],
        consumer=row[1],
        message_id=row[2],
        reason=row[3],
        message=row[4],
        received_at=row[5],
        replayed_at=row[6],
        dropped_at=row[7],
        dropped_because=row[8],
        forgotten_at=row[9],
    )
