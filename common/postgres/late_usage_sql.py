"""Usage that came after its period was billed and is on no invoice yet, as `billing_analyst` asks.

As of the end of the days, $2: what had been told by then, less what invoices had by then. Records
and invoices are never changed, so that a past day is answered as on that day, for as long as events
are kept. What may differ is looked for where it is cheap: among the totals that are not billed now,
and the lines that were written since. Whether a period was over is known by a bill of it, or by the
end of its subscription: that is as of when it was written down, which for one that was worth
something is its last movement.
"""

from typing import Final

LEAKING: Final = """touched AS (
  SELECT subscription_id, period_number, meter
  FROM billing_central.usage_totals
  WHERE quantity <> billed_quantity
  UNION
  SELECT subscription_id, (line ->> 'usagePeriod')::integer, line ->> 'meter'
  FROM billing_central.subscription_invoices
  CROSS JOIN LATERAL jsonb_array_elements(lines) AS line
  WHERE issued_at >= $2 AND line ->> 'meter' IS NOT NULL
),
leaking AS (
  SELECT totals.tenant_id, totals.subscription_id, totals.period_number, totals.meter,
         totals.aggregation, coalesce(closed.interval, subscriptions.interval) AS interval,
         versions.currency, usage_prices, counted.quantity, billed.micro AS billed_micro,
         counted.events, counted.told_at, bill.since
  FROM touched
  JOIN billing_central.subscriptions ON subscriptions.id = touched.subscription_id
  JOIN billing_central.usage_totals AS totals
    ON totals.tenant_id = subscriptions.tenant_id AND totals.subscription_id = subscriptions.id
       AND totals.period_number = touched.period_number AND totals.meter = touched.meter
  LEFT JOIN billing_central.usage_periods AS closed
    ON closed.tenant_id = totals.tenant_id AND closed.subscription_id = totals.subscription_id
       AND closed.number = totals.period_number
  JOIN billing_central.plan_versions AS versions
    ON versions.id = coalesce(closed.version_id, subscriptions.version_id)
       AND usage_prices @> jsonb_build_array(jsonb_build_object('meter', totals.meter))
  CROSS JOIN LATERAL (
    SELECT max(issued_at) AS since
    FROM billing_central.subscription_invoices AS bills
    WHERE bills.tenant_id = totals.tenant_id AND bills.subscription_id = totals.subscription_id
      AND issued_at < $2
      AND (purpose IN ('usage', 'late_usage')
           OR purpose = 'period' AND bills.period_number > totals.period_number)
  ) AS bill
  CROSS JOIN LATERAL (
    SELECT coalesce(sum((line ->> 'amountMicro')::bigint), 0)::bigint AS micro,
           coalesce(max((line ->> 'quantity')::bigint), 0) AS quantity
    FROM billing_central.subscription_invoices AS bills
    CROSS JOIN LATERAL jsonb_array_elements(lines) AS line
    WHERE bills.tenant_id = totals.tenant_id AND bills.subscription_id = totals.subscription_id
      AND issued_at < $2
      AND line ->> 'meter' = totals.meter
      AND (line ->> 'usagePeriod')::integer = totals.period_number
  ) AS billed
  CROSS JOIN LATERAL (
    SELECT (CASE totals.aggregation
             WHEN 'max' THEN max(events.quantity)
             WHEN 'unique' THEN count(DISTINCT value_sha256)
             WHEN 'sum' THEN sum(events.quantity)
             ELSE count(*) END)::bigint AS quantity,
           count(*) FILTER (
             WHERE recorded_at >= coalesce(bill.since, '-infinity')) AS events,
           max(recorded_at) AS told_at
    FROM billing_central.usage_records AS records
    JOIN billing_central.usage_events AS events ON events.record_id = records.id
    WHERE records.tenant_id = totals.tenant_id
      AND records.subscription_id = totals.subscription_id
      AND events.period_number = totals.period_number AND events.meter = totals.meter
      AND recorded_at < $2
  ) AS counted
  WHERE $1::timestamptz IS NOT NULL
    AND totals.period_number BETWEEN 1 AND subscriptions.period_number
    AND counted.quantity <> billed.quantity
    AND (bill.since IS NOT NULL
         OR canceled_at < $2 AND $2 > coalesce(
           (SELECT max(recorded_at)
            FROM billing_central.revenue_movements AS moved
            WHERE moved.subscription_id = subscriptions.id), '-infinity'))
)"""
LATE_USAGE: Final = f"""
WITH {LEAKING}
SELECT currency, meter, aggregation, interval, usage_prices, quantity, billed_micro, events
FROM leaking
"""
# The key is that of the total; it is priced where it is read.
LATE_USAGE_ROWS: Final = f"""
WITH {LEAKING}
SELECT key, tenant_id, subscription_id, period_number, told_at, currency, meter, aggregation,
       interval, usage_prices, quantity, billed_micro
FROM (
  SELECT *, concat_ws(' ', subscription_id, period_number, meter) COLLATE "C" AS key
  FROM leaking
) AS keyed
WHERE key > $3
ORDER BY key
LIMIT $4
"""
UNBILLED_USAGE_ROWS: Final = f"""
WITH {LEAKING}
SELECT DISTINCT records.id, records.tenant_id, records.subscription_id, NULL, NULL, NULL,
       NULL::bigint, recorded_at
FROM leaking
JOIN billing_central.usage_records AS records
  ON records.tenant_id = leaking.tenant_id AND records.subscription_id = leaking.subscription_id
     AND recorded_at >= coalesce(since, '-infinity') AND recorded_at < $2
JOIN billing_central.usage_events AS events
  ON events.record_id = records.id
     AND events.period_number = leaking.period_number AND events.meter = leaking.meter
WHERE records.id > $3
ORDER BY records.id
LIMIT $4
"""
