"""What happened to a subscription, as it is shown to those whose it is."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """What happened to a subscription: by whom, when, and why (SUB-2, SUB-9)."""

    action: str
    actor: str
    reason: str | None
    occurred_at: datetime
