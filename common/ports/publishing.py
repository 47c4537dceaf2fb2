"""Publishing: how an event leaves the house. The broker delivers it at least once.

Messages of one ordering key leave in the order in which they are handed over. When one of them is
not taken, the later ones of its key are not sent either, so that a consumer never sees a gap close
behind its back; other keys go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way: CloudEvents attributes under the names of Pub/Sub's binding, and data."""

    event_id: str
    ordering_key: str
    attributes: dict[str, str]
    data: bytes


class Publisher(Protocol):
    """Hands messages to the broker."""

    def publish(self, messages: Sequence[Message]) -> Sequence[str | None]:
        """Publish, and answer for each message None once the broker has it, or what went wrong."""
