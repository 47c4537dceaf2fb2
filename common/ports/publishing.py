"""Publishing events: what the outbox's drainer asks of a broker.

EVT-4: the events of one aggregate arrive in the order of its facts. A publisher therefore never
passes over a message that failed: those behind it with the same key are held back until the drainer
brings them again. Every message is delivered at least once; who consumes knows an event by its id.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from common.domain.dataclass import dataclass

EVENT_TYPE: Final = "ce-type"
HELD_BACK: Final = "held back: an earlier message of the same key was not acknowledged"


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way out.

    `attributes` are those of CloudEvents under the names of Pub/Sub's binding: what subscriptions
    are filtered by. The event's type stands under EVENT_TYPE.
    """

    event_id: str
    ordering_key: str
    attributes: Mapping[str, str]
    data: bytes

    @property
    def event_type(self) -> str:
        """The event's type, empty when the attributes name none."""
        return self.attributes.get(EVENT_TYPE, "")


class Publisher(Protocol):
    """Hands messages to whoever subscribed."""

    def publish(self, messages: Sequence[Message]) -> Sequence[str | None]:
        """Publish in order, and answer for each message: None once acknowledged, or the trouble.

        Messages of one ordering key leave in the given order. After one that failed, the later ones
        of its key are not published and answered with HELD_BACK; other keys are not touched by it.
        Where nothing of any key is taken, it may hold back what it has not tried yet. Never raises.
        """
