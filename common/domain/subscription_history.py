"""What happened to a subscription, as it is shown to those whose it is."""

from datetime import datetime

from common.domain.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """What happened to a subscription: by whom, when, and why (SUB-2, SUB-9)."""

    action: str
    actor: str
    reason: str | None
    occurred_at: datetime
