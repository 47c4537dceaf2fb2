"""Messages that were refused for good: kept with their reason until somebody decides about them.

Of one that was quarantined the body goes when its time is over, and the letter stays.
"""

from datetime import datetime
from typing import Protocol

from common.domain.dataclass import dataclass
from common.domain.refusal import Conflict, Missing


class LetterUnknown(Missing):
    area = "GENERAL"
    code = "DEAD_LETTER_UNKNOWN"
    title = "There is no dead letter with this id"


class LetterDropped(Conflict):
    area = "GENERAL"
    code = "DEAD_LETTER_DROPPED"
    title = "The dead letter has been dropped"


class LetterForgotten(Conflict):
    area = "GENERAL"
    code = "DEAD_LETTER_FORGOTTEN"
    title = "What this dead letter said was deleted after 90 days: it cannot be run again"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that a consumer refused, as it was delivered, in JSON; without what it said once
    that was deleted (`forgotten_at`)."""

    id: str
    consumer: str
    message_id: str
    reason: str
    message: str
    received_at: datetime
    replayed_at: datetime | None
    dropped_at: datetime | None
    dropped_because: str | None
    forgotten_at: datetime | None = None

    @property
    def state(self) -> str:
        """`waiting`, `replayed` or `dropped`."""
        if self.dropped_at is not None:
            return "dropped"
        return "waiting" if self.replayed_at is None else "replayed"


class DeadLetters(Protocol):
    """Where a consumer leaves what it cannot take."""

    def put(self, consumer: str, message_id: str, reason: str, message: str) -> None:
        """Keep a message with the reason of its refusal; the same message again changes nothing.

        Raises DatabaseUnavailable.
        """


class OldLetters(Protocol):
    """The letters of a cell, whosever they are, as seen by who deletes what they say."""

    def forget(self, consumer: str, before: datetime, limit: int) -> int:
        """Delete what a consumer's letters say that came before a moment, the oldest first, at
        most so many; answers of how many it did. Raises DatabaseUnavailable.
        """
