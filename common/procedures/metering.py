"""Counting usage: what one event and a batch of them have in common.

An event is counted for the subscription that there was when it happened. So a batch may be of two:
what the tenant used before it ended one, and since it has subscribed anew; each has its own record.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from common.contracts.usage import Fate, UsageAnswer, UsageFate
from common.domain.identifiers import SubscriptionId
from common.domain.platform_identifiers import UsageRecordId
from common.domain.refusal import Refusal
from common.domain.usage import UsageBook, UsageEvent, UsageRecord
from common.ports.transaction import Transaction

Records: TypeAlias = Mapping[SubscriptionId, UsageRecord]


def count_one(event: UsageEvent, tx: Transaction) -> UsageAnswer:
    """Count an event, or refuse it: see `UsageBook.count`, and SubscriptionUnknown."""
    book, records = _opened([event], tx)
    is_new = book.count(event, records, tx.now)
    fate = UsageFate.of(event, Fate.COUNTED if is_new else Fate.DUPLICATE)
    return _kept(records, [fate], tx)


def count_each(events: Sequence[UsageEvent], tx: Transaction) -> UsageAnswer:
    """Count what is new; what is refused is so alone. Refuses: SubscriptionUnknown."""
    book, records = _opened(events, tx)
    return _kept(records, [_fate(event, book, records, tx) for event in events], tx)


def _opened(events: Sequence[UsageEvent], tx: Transaction) -> tuple[UsageBook, Records]:
    book = tx.usage.take(events)
    return book, {
        each.id: UsageRecord(id=tx.new_id(UsageRecordId), subscription_id=each.id)
        for each in book.subscriptions
    }


def _fate(event: UsageEvent, book: UsageBook, records: Records, tx: Transaction) -> UsageFate:
    try:
        is_new = book.count(event, records, tx.now)
    except Refusal as refusal:
        return UsageFate.of(event, Fate.REFUSED, refusal)
    return UsageFate.of(event, Fate.COUNTED if is_new else Fate.DUPLICATE)


def _kept(records: Records, fates: Iterable[UsageFate], tx: Transaction) -> UsageAnswer:
    """Keep and tell what counted; where nothing did, there is nothing to tell."""
    counted = [record for record in records.values() if record.events]
    for record in counted:
        tx.usage.keep(record)
        tx.tell(record.recorded())
    return UsageAnswer.of(counted, fates)
