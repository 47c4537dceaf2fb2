"""What is kept how long, and goes then: the one table of it (AUD-3).

| what | how long | who deletes it |
| --- | --- | --- |
| answers to idempotency keys | 30 days, and one more for clocks | `forget_answers` |
| events that were published | 30 days | `forget_published_events`, by the database's own clock |
| counters of rate limits | two days, the longest window is one | `forget_published_events` |
| what the processor's events said | 90 days | `forget_webhook_bodies` |
| the same of those that are nobody's | 90 days | `forget_quarantined_webhooks` |

All else is a record: of confirmations that were used (an approval is held against them), of events
that were taken in (each takes effect once, however late it comes again), of books, documents and
trails nothing is deleted.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

ANSWERS_KEPT_FOR: Final = timedelta(days=31)


def answers_end(now: datetime, on: date | None = None) -> datetime:
    """Answers of before this moment are no longer kept; as on a given day of UTC, never as later.

    For 30 days a retry hears the same again (API-4); the day more is for clocks that differ.
    """
    as_of = now if on is None else min(now, datetime.combine(on, time(), UTC))
    return as_of - ANSWERS_KEPT_FOR
