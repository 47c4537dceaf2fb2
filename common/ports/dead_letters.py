"""Messages that were refused for good: kept with their reason until somebody decides about them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common.domain.refusal import Conflict, Missing


class LetterUnknown(Missing):
    area = "GENERAL"
    code = "DEAD_LETTER_UNKNOWN"
    title = "There is no dead letter with this id"


class LetterDropped(Conflict):
    area = "GENERAL"
    code = "DEAD_LETTER_DROPPED"
    title = "The dead letter has been dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that a consumer refused, as it was delivered, in JSON."""

    id: str
    consumer: str
    message_id: str
    reason: str
    message: str
    received_at: datetime
    replayed_at: datetime | None
    dropped_at: datetime | None
    dropped_because: str | None

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
