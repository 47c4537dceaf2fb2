"""An event of the card processor as it is kept: once, with what became of it (WH-2, WH-6).

Keeping an event and letting it take effect are one commit. It takes effect once; what was tried
again afterwards, by a person who replays it, finds the state that it asks for and is `repeated`.

What it said is kept for 90 days, without a word about a guest, and deleted then; that it came, and
what became of it, is kept for ever, so that no later delivery has a second effect. The same holds
of one that is quarantined, because nobody knows whose it is.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.identifiers import WebhookId
from common.domain.refusal import Conflict, Missing

BODY_KEPT_FOR: Final = timedelta(days=90)
QUARANTINED_BY: Final = "take_stripe_event"
"""Who puts the processor's events aside: the consumer that their dead letters name."""


class WebhookUnknown(Missing):
    code = "WEBHOOK_UNKNOWN"
    title = "No event of the processor with this id was kept"


class WebhookBodyGone(Conflict):
    code = "WEBHOOK_BODY_GONE"
    title = "What this event said was deleted after 90 days: it cannot be run again"


class WebhookIsNobodys(Conflict):
    code = "WEBHOOK_IS_NOBODYS"
    title = "Nobody knows yet whose this event of the processor is"


class WebhookContradictsBooks(Conflict):
    code = "WEBHOOK_CONTRADICTS_BOOKS"
    title = "The processor's event says something else than the books about the same thing"


class WebhookOutcome(StrEnum):
    """What became of an event when it was tried."""

    APPLIED = "applied"
    REPEATED = "repeated"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWebhook:
    """An event that was kept. `is_applied`: it took effect; `outcome`, `code`: its last attempt;
    `payload`: what it said, None when that was deleted."""

    id: WebhookId
    event_id: str
    type: str
    api_version: str | None
    livemode: bool
    payload: str | None
    payload_sha256: bytes
    received_at: datetime
    is_applied: bool
    outcome: WebhookOutcome
    code: str | None
    attempts: int

    @property
    def body(self) -> str:
        """What it said. Refuses: WebhookBodyGone."""
        if self.payload is None:
            raise WebhookBodyGone(receivedAt=self.received_at.isoformat())
        return self.payload


def bodies_end(now: datetime, on: date | None = None) -> datetime:
    """What came before this moment is no longer kept; as on a given day of UTC, never as later."""
    as_of = now if on is None else min(now, datetime.combine(on, time(), UTC))
    return as_of - BODY_KEPT_FOR
