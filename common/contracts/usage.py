"""How usage reads on the wire: events that come in, and what became of each of them."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from common.contracts.fields import Amount, Instant, Token, Word
from common.contracts.references import SubscriptionRef, UsageRecordRef
from common.contracts.shapes import Outcome, Request, Shape
from common.domain.canonical import digest
from common.domain.meter import Aggregation
from common.domain.refusal import Refusal
from common.domain.usage import UsageEvent, UsageRecord
from common.domain.usage_bill import UsageShown

MeterName = Annotated[Word, Field(examples=["ai_tokens"])]
QUANTITY_MAX = 10**9


class UsageEventShape(Shape):
    """Something that was used. The id is its sender's and counts once for the meter. `quantity` is
    for meters that sum or keep the highest, `value` for those that count different ones."""

    meter: MeterName
    event_id: Token
    quantity: Annotated[int, Field(ge=0, le=QUANTITY_MAX, examples=[1200])] | None = None
    value: Token | None = None
    occurred_at: Instant

    def event(self) -> UsageEvent:
        """As the rules read it: of the value they know the SHA-256."""
        named = {"meter": self.meter, "value": self.value}
        return UsageEvent(
            meter=self.meter,
            event_id=self.event_id,
            quantity=self.quantity,
            value_sha256=None if self.value is None else digest(named),
            occurred_at=self.occurred_at,
        )


class UsageGiven(UsageEventShape, Request):
    """One event."""


class Fate(StrEnum):
    """What became of an event: it counts, it counted before, or it was refused."""

    COUNTED = "counted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class UsageFate(Shape):
    """An event's meter and id, and what became of it; what was refused says by its code, why."""

    meter: MeterName
    event_id: Token
    fate: Fate
    code: str | None = None
    detail: str | None = None

    @classmethod
    def of(cls, event: UsageEvent, fate: Fate, refusal: Refusal | None = None) -> "UsageFate":
        said = code = None
        if refusal is not None:
            said = refusal.detail or refusal.title
            code = f"MELMASTOON.{refusal.area}.{refusal.code}"
        return cls(meter=event.meter, event_id=event.event_id, fate=fate, code=code, detail=said)


class UsageAnswer(Outcome):
    """What became of each event, in their order. `usageRecordIds` are what counted, one for each
    subscription that the events are of, the newest first; `usageRecordId` is the first of them,
    null if nothing counted."""

    usage_record_id: UsageRecordRef | None
    usage_record_ids: tuple[UsageRecordRef, ...]
    counted: int
    items: tuple[UsageFate, ...]

    @classmethod
    def of(cls, records: Sequence[UsageRecord], fates: Iterable[UsageFate]) -> "UsageAnswer":
        ids = tuple(record.id for record in records)
        return cls(
            usage_record_id=next(iter(ids), None),
            usage_record_ids=ids,
            counted=sum(len(record.events) for record in records),
            items=tuple(fates),
        )


class UsageView(Shape):
    """What a meter has counted in a period, and what was billed of it."""

    subscription_id: SubscriptionRef
    period_number: int
    meter: MeterName
    aggregation: Aggregation
    unit: str
    events: int
    quantity: int
    billed_quantity: int
    billed: Amount

    @classmethod
    def of(cls, shown: UsageShown) -> "UsageView":
        return cls(
            subscription_id=shown.subscription_id,
            period_number=shown.period_number,
            meter=shown.meter,
            aggregation=shown.aggregation,
            unit=shown.unit,
            events=shown.events,
            quantity=shown.quantity,
            billed_quantity=shown.billed_quantity,
            billed=shown.billed,
        )
