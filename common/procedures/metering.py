"""Counting usage: what one event and a batch of them have in common."""

from collections.abc import Iterable, Sequence

from common.contracts.usage import Fate, UsageAnswer, UsageFate
from common.domain.platform_identifiers import UsageRecordId
from common.domain.refusal import Refusal
from common.domain.usage import UsageBook, UsageEvent, UsageRecord
from common.ports.transaction import Transaction


def count_one(event: UsageEvent, tx: Transaction) -> UsageAnswer:
    """Count an event, or refuse it: see `UsageBook.count`, and SubscriptionUnknown."""
    book, record = _opened([event], tx)
    is_new = book.count(event, record, tx.now)
    fate = UsageFate.of(event, Fate.COUNTED if is_new else Fate.DUPLICATE)
    return _kept(record, [fate], tx)


def count_each(events: Sequence[UsageEvent], tx: Transaction) -> UsageAnswer:
    """Count what is new; what is refused is so alone. Refuses: SubscriptionUnknown."""
    book, record = _opened(events, tx)
    return _kept(record, [_fate(event, book, record, tx) for event in events], tx)


def _opened(events: Sequence[UsageEvent], tx: Transaction) -> tuple[UsageBook, UsageRecord]:
    book = tx.usage.take(events)
    record_id = tx.new_id(UsageRecordId)
    return book, UsageRecord(id=record_id, subscription_id=book.subscription.id)


def _fate(event: UsageEvent, book: UsageBook, record: UsageRecord, tx: Transaction) -> UsageFate:
    try:
        is_new = book.count(event, record, tx.now)
    except Refusal as refusal:
        return UsageFate.of(event, Fate.REFUSED, refusal)
    return UsageFate.of(event, Fate.COUNTED if is_new else Fate.DUPLICATE)


def _kept(record: UsageRecord, fates: Iterable[UsageFate], tx: Transaction) -> UsageAnswer:
    """Keep and tell what counted; where nothing did, there is nothing to tell."""
    counted = len(record.events)
    if counted:
        tx.usage.keep(record)
        tx.tell(record.recorded())
    return UsageAnswer(
        usage_record_id=record.id if counted else None, counted=counted, items=tuple(fates)
    )
