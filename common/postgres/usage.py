"""Usage in the central schema: events that count once, folded into totals as they come.

One round trip takes the lock of the tenant's subscriptions and reads all that a batch has to be
held against, also of those that ended so lately that something of them can still be told;
another one, at the commit, writes events, values and totals. What was billed is left alone by both:
the cycle reads the totals that differ from what was billed of them, through an index of these.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from common.domain.identifiers import PlanVersionId, SubscriptionId
from common.domain.meter import Aggregation, Meter, MeterUnknown
from common.domain.money import Currency, Money
from common.domain.period import Interval, Period
from common.domain.subscription import Subscription, SubscriptionUnknown
from common.domain.usage import (
    LATE_DAYS,
    NO_MORE_AFTER,
    ClosedPeriod,
    Metered,
    UsageBook,
    UsageEvent,
    UsageRecord,
)
from common.domain.usage_bill import UsageDue, UsageShown, UsageTotal
from common.domain.usage_price import UsagePrice
from common.ports.paging import CursorInvalid, Page
from common.ports.subscriptions import UsageFilter
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.reading_ahead import STANDING, id_of
from common.postgres.session import Insert, Write, as_json
from common.postgres.stores import Desk
from common.postgres.subscription_rows import subscription_of
from common.postgres.subscriptions import GET_LATELY, LATELY, TAKE

NUMBER_MAX: Final = 2**31 - 1
METERS: Final = """
SELECT billing_central.current_tenant(), name, aggregation, unit
FROM billing_central.usage_meters
JOIN jsonb_array_elements_text($1::jsonb) AS asked ON asked = name
"""
# More periods than there can have been in the days that an event may be late.
CLOSED: Final = f"""
SELECT closed.tenant_id, closed.number, closed.started_at, closed.ended_at, closed.version_id,
       closed.seats, closed.interval, closed.subscription_id
FROM billing_central.subscriptions
CROSS JOIN LATERAL (
  SELECT *
  FROM billing_central.usage_periods AS periods
  WHERE periods.tenant_id = billing_central.current_tenant()
    AND periods.subscription_id = subscriptions.id
  ORDER BY number DESC
  LIMIT 200
) AS closed
WHERE {LATELY}
"""
COUNTED: Final = """
SELECT tenant_id, events.meter, events.event_id, quantity, value_sha256, occurred_at
FROM jsonb_to_recordset($1::jsonb) AS asked (meter text, event_id text)
JOIN billing_central.usage_events AS events
  ON tenant_id = billing_central.current_tenant()
     AND events.meter = asked.meter AND events.event_id = asked.event_id
"""
SEEN: Final = """
SELECT tenant_id, seen.meter, seen.value_sha256, period_number, subscription_id
FROM jsonb_to_recordset($1::jsonb) AS asked (meter text, value_sha256 bytea)
JOIN billing_central.usage_values AS seen
  ON tenant_id = billing_central.current_tenant()
     AND seen.meter = asked.meter AND seen.value_sha256 = asked.value_sha256
"""
UNBILLED: Final = f"""
SELECT totals.tenant_id, totals.meter, totals.aggregation, totals.period_number, totals.quantity,
       totals.billed_micro, closed.started_at, closed.ended_at, plan, plan_versions.number,
       coalesce(closed.seats, subscriptions.seats),
       coalesce(closed.interval, subscriptions.interval),
       plan_versions.currency, usage_prices
FROM billing_central.usage_totals AS totals
JOIN billing_central.subscriptions ON subscriptions.id = totals.subscription_id
LEFT JOIN billing_central.usage_periods AS closed
  ON closed.tenant_id = totals.tenant_id AND closed.subscription_id = totals.subscription_id
     AND closed.number = totals.period_number
JOIN billing_central.plan_versions
  ON plan_versions.id = coalesce(closed.version_id, subscriptions.version_id)
WHERE totals.tenant_id = billing_central.current_tenant()
  AND totals.subscription_id = coalesce($1, {STANDING})
  AND quantity <> billed_quantity
ORDER BY totals.period_number, totals.meter
"""
ENDED: Final = """
SELECT totals.tenant_id, totals.subscription_id
FROM billing_central.usage_totals AS totals
JOIN billing_central.subscriptions ON subscriptions.id = totals.subscription_id
WHERE totals.tenant_id = billing_central.current_tenant()
  AND quantity <> billed_quantity
  AND totals.period_number <= subscriptions.period_number
  AND canceled_at <= $1
GROUP BY totals.tenant_id, totals.subscription_id
ORDER BY totals.subscription_id
LIMIT $2
"""
MARK: Final = """
UPDATE billing_central.usage_totals AS kept
SET billed_quantity = marks.billed_quantity, billed_micro = marks.billed_micro
FROM jsonb_populate_recordset(NULL::billing_central.usage_totals, $2::jsonb) AS marks
WHERE kept.tenant_id = billing_central.current_tenant()
  AND kept.subscription_id = $1
  AND kept.period_number = marks.period_number
  AND kept.meter = marks.meter
"""
PAGE: Final = """
SELECT totals.tenant_id, subscription_id, totals.period_number, totals.meter, totals.aggregation,
       unit, events, quantity, billed_quantity, totals.billed_micro, currency
FROM billing_central.usage_totals AS totals
JOIN billing_central.usage_meters ON name = totals.meter
JOIN billing_central.subscriptions ON id = subscription_id
WHERE totals.tenant_id = billing_central.current_tenant()
  AND (subscription_id, totals.period_number, totals.meter) > ($1, $2::integer, $3)
  AND ($4::text IS NULL OR totals.meter = $4)
  AND ($5::integer IS NULL OR totals.period_number = $5)
ORDER BY subscription_id, totals.period_number, totals.meter
LIMIT $6
"""
INSERT_RECORD = Insert.into(
    ranks.AGGREGATES,
    "billing_central.usage_records",
    "id, subscription_id, events, events_sha256, recorded_at",
)
INSERT_EVENT = Insert.into(
    ranks.LINES,
    "billing_central.usage_events",
    "meter, event_id, record_id, period_number, quantity, value_sha256, occurred_at",
)
INSERT_VALUE = Insert.into(
    ranks.LINES,
    "billing_central.usage_values",
    "meter, value_sha256, subscription_id, period_number",
)
CLOSE = Insert.into(
    ranks.DOCUMENT_PARTS,
    "billing_central.usage_periods",
    "subscription_id, number, started_at, ended_at, version_id, seats, interval",
)
# In the order of the key: whoever folds into several totals meets others in this order.
FOLD = Insert(
    ranks.DOCUMENT_PARTS,
    """
INSERT INTO billing_central.usage_totals AS kept
  (subscription_id, period_number, meter, aggregation, events, quantity)
SELECT subscription_id, period_number, meter, aggregation, events, quantity
FROM jsonb_populate_recordset(NULL::billing_central.usage_totals, $1::jsonb)
ORDER BY subscription_id, period_number, meter
ON CONFLICT ON CONSTRAINT usage_is_totalled_once DO UPDATE
SET events = kept.events + excluded.events,
    quantity = CASE kept.aggregation
      WHEN 'max' THEN greatest(kept.quantity, excluded.quantity)
      ELSE kept.quantity + excluded.quantity END
""",
)


class Usage:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def must_know(self, meters: Iterable[str]) -> None:
        asked = sorted(set(meters))
        if asked and len(self._desk.rows(METERS, as_json(asked))) < len(asked):
            raise MeterUnknown()

    def take(self, events: Sequence[UsageEvent]) -> UsageBook:
        keys = [{"meter": each.meter, "event_id": each.event_id} for each in events]
        values = [
            {"meter": each.meter, "value_sha256": each.value_sha256}
            for each in events
            if each.value_sha256 is not None
        ]
        since = self._desk.now - timedelta(days=LATE_DAYS)
        _, found, meters, closed, counted, seen = self._desk.batch(
            Statement(TAKE),
            Statement(GET_LATELY, (since,)),
            Statement(METERS, (as_json(sorted({each.meter for each in events})),)),
            Statement(CLOSED, (since,)),
            Statement(COUNTED, (as_json(keys),)),
            Statement(SEEN, (as_json(values),)),
        )
        if not found:
            raise SubscriptionUnknown()
        return UsageBook(
            subscriptions=tuple(
                _metered(self._desk.loaded(subscription_of(row[1:])), closed, seen) for row in found
            ),
            meters={row[1]: _meter(row) for row in meters},
            counted={(row[1], row[2]): _event(row) for row in counted},
        )

    def keep(self, record: UsageRecord) -> None:
        self._desk.keep(record, lambda: self._write(record))

    def foresee(self, subscription_id: SubscriptionId | None = None) -> None:
        self._desk.foresee(UNBILLED, subscription_id, names=id_of)

    def unbilled(self, subscription: Subscription, *, and_ahead: bool) -> tuple[UsageTotal, ...]:
        totals = (_total(row) for row in self._desk.rows(UNBILLED, subscription.id))
        until = subscription.period_number
        return tuple(each for each in totals if and_ahead or each.period_number <= until)

    def unbilled_since_they_ended(self, limit: int) -> Sequence[SubscriptionId]:
        until = self._desk.now - NO_MORE_AFTER
        return [SubscriptionId(row[1]) for row in self._desk.rows(ENDED, until, limit)]

    def keep_billed(self, due: UsageDue, subscription: Subscription) -> None:
        marks = [
            {
                "period_number": total.period_number,
                "meter": total.meter,
                "billed_quantity": total.quantity,
                "billed_micro": (total.billed + total.owed).amount_micro,
            }
            for total in due.totals
        ]
        if marks:
            marked = Statement(MARK, (subscription.id, as_json(marks)))
            self._desk.write(("usage", subscription.id), Write(ranks.AGGREGATE_CHANGES, marked))
        if subscription.period_number != due.closing.number:
            self._desk.insert(CLOSE, [_closed_row(due.closing, subscription)])

    def page(self, which: UsageFilter, limit: int, cursor: str | None) -> Page[UsageShown]:
        behind = _place(key_of(cursor))
        asked = (which.meter, which.period_number, limit + 1)
        rows = self._desk.rows(PAGE, *behind, *asked)
        keys = [f"{row[1]} {row[2]} {row[3]}" for row in rows]
        return Page(tuple(_shown(row) for row in rows[:limit]), next_cursor(keys, limit))

    def _write(self, record: UsageRecord) -> None:
        record.is_new = False
        subscription_id = record.subscription_id
        self._desk.insert(INSERT_RECORD, [_record_row(record, self._desk)])
        self._desk.insert(INSERT_EVENT, _event_rows(record))
        self._desk.insert(
            INSERT_VALUE,
            [
                {
                    "meter": meter,
                    "value_sha256": value,
                    "subscription_id": subscription_id,
                    "period_number": number,
                }
                for meter, value, number in record.values
            ],
        )
        self._desk.insert(FOLD, _total_rows(record))


def _place(key: str) -> tuple[str, int, str]:
    """Where a page begins: behind a subscription, a period and a meter. Refuses: CursorInvalid."""
    if not key:
        return "", 0, ""
    parts = key.split(" ")
    if len(parts) != 3 or not parts[1].isdecimal() or int(parts[1]) > NUMBER_MAX:
        raise CursorInvalid()
    return parts[0], int(parts[1]), parts[2]


def _meter(row: Row) -> Meter:
    return Meter(name=row[1], aggregation=Aggregation(row[2]), unit=row[3])


def _metered(subscription: Subscription, closed: list[Row], seen: list[Row]) -> Metered:
    return Metered(
        subscription=subscription,
        closed=tuple(_closed(row) for row in closed if row[7] == subscription.id),
        values={(row[1], bytes(row[2]), row[3]) for row in seen if row[4] == subscription.id},
    )


def _closed(row: Row) -> ClosedPeriod:
    return ClosedPeriod(
        number=row[1],
        period=Period(row[2], row[3]),
        version_id=PlanVersionId(row[4]),
        seats=row[5],
        interval=Interval(row[6]),
    )


def _closed_row(closed: ClosedPeriod, subscription: Subscription) -> dict[str, Any]:
    return {
        "subscription_id": subscription.id,
        "number": closed.number,
        "started_at": closed.period.start,
        "ended_at": closed.period.end,
        "version_id": closed.version_id,
        "seats": closed.seats,
        "interval": closed.interval,
    }


def _event(row: Row) -> UsageEvent:
    return UsageEvent(
        meter=row[1],
        event_id=row[2],
        quantity=row[3],
        value_sha256=None if row[4] is None else bytes(row[4]),
        occurred_at=row[5],
    )


def _total(row: Row) -> UsageTotal:
    currency = Currency(row[12])
    prices = (UsagePrice.of(each) for each in row[13])
    return UsageTotal(
        meter=row[1],
        aggregation=Aggregation(row[2]),
        period_number=row[3],
        period=None if row[6] is None else Period(row[6], row[7]),
        plan=row[8],
        plan_version=row[9],
        seats=row[10],
        interval=Interval(row[11]),
        price=next((price for price in prices if price.meter == row[1]), None),
        quantity=row[4],
        billed=Money(row[5], currency),
    )


def _shown(row: Row) -> UsageShown:
    return UsageShown(
        subscription_id=SubscriptionId(row[1]),
        period_number=row[2],
        meter=row[3],
        aggregation=Aggregation(row[4]),
        unit=row[5],
        events=row[6],
        quantity=row[7],
        billed_quantity=row[8],
        billed=Money(row[9], Currency(row[10])),
    )


def _record_row(record: UsageRecord, desk: Desk) -> dict[str, Any]:
    return {
        "id": record.id,
        "subscription_id": record.subscription_id,
        "events": len(record.events),
        "events_sha256": record.events_sha256(),
        "recorded_at": desk.now,
    }


def _event_rows(record: UsageRecord) -> list[dict[str, Any]]:
    return [
        {
            "meter": event.meter,
            "event_id": event.event_id,
            "record_id": record.id,
            "period_number": number,
            "quantity": event.quantity,
            "value_sha256": event.value_sha256,
            "occurred_at": event.occurred_at,
        }
        for event, number in record.events
    ]


def _total_rows(record: UsageRecord) -> list[dict[str, Any]]:
    return [
        {
            "subscription_id": record.subscription_id,
            "period_number": number,
            "meter": meter,
            "aggregation": counted.aggregation,
            "events": counted.events,
            "quantity": counted.quantity,
        }
        for (number, meter), counted in record.totals.items()
    ]
