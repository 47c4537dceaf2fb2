"""An event of the card processor as it is kept: once, with what became of it (WH-2, WH-6).

Keeping an event and letting it take effect are one commit. It takes effect once; what was tried
again afterwards, by a person who replays it, finds the state that it asks for and is `repeated`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.domain.identifiers import WebhookId
from common.domain.refusal import Conflict, Missing


class WebhookUnknown(Missing):
    code = "WEBHOOK_UNKNOWN"
    title = "No event of the processor with this id was kept"


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
    """An event that was kept. `is_applied`: it took effect; `outcome`, `code`: its last attempt."""

    id: WebhookId
    event_id: str
    type: str
    api_version: str | None
    livemode: bool
    payload: str
    payload_sha256: bytes
    received_at: datetime
    is_applied: bool
    outcome: WebhookOutcome
    code: str | None
    attempts: int
