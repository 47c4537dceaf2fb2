-- What a tenant has used: events that count once, totals of them, and what was billed of these.

-- invariant: totals_are_what_the_events_come_to
-- The total of a meter in a period is what its events come to, each counted once.
WITH counted AS (
  SELECT subscription_id, period_number, meter, aggregation, count(*) AS events,
         CASE aggregation
           WHEN 'max' THEN max(quantity)::numeric
           WHEN 'unique' THEN count(DISTINCT value_sha256)::numeric
           WHEN 'sum' THEN sum(quantity)
           ELSE count(*)::numeric END AS quantity
  FROM (
    SELECT subscription_id, period_number, meter, quantity, value_sha256
    FROM billing_central.usage_events AS events
    JOIN billing_central.usage_records AS records ON records.id = record_id
    WHERE events.tenant_id = billing_central.current_tenant()
  ) AS events
  JOIN billing_central.usage_meters ON name = meter
  GROUP BY subscription_id, period_number, meter, aggregation
)
SELECT concat_ws(' ', subscription_id, meter), concat_ws(' ', 'period', period_number, 'totals',
  totals.events, 'of', totals.quantity, 'events', counted.events, 'of', counted.quantity)
FROM (
  SELECT subscription_id, period_number, meter, aggregation, events, quantity
  FROM billing_central.usage_totals
  WHERE tenant_id = billing_central.current_tenant()
) AS totals
FULL JOIN counted USING (subscription_id, period_number, meter)
WHERE (totals.aggregation, totals.events, totals.quantity::numeric) IS DISTINCT FROM
        (counted.aggregation, counted.events, counted.quantity);

-- invariant: distinct_values_are_those_of_the_events
-- What a meter of different values has seen in a period is what its events name.
SELECT meter, concat_ws(' ', 'in period', period_number, 'seen', seen.value, 'named', named.value)
FROM (
  SELECT subscription_id, period_number, meter, value_sha256 AS value
  FROM billing_central.usage_values
  WHERE tenant_id = billing_central.current_tenant()
) AS seen
FULL JOIN (
  SELECT DISTINCT subscription_id, period_number, meter, value_sha256 AS value
  FROM billing_central.usage_events AS events
  JOIN billing_central.usage_records AS records ON records.id = record_id
  WHERE events.tenant_id = billing_central.current_tenant()
    AND value_sha256 IS NOT NULL
) AS named USING (subscription_id, period_number, meter, value)
WHERE seen.value IS NULL OR named.value IS NULL;

-- invariant: a_usage_record_is_what_it_counted
-- A record of usage has its events as they were told, and its trail keeps the digest of them
-- (RFC 8785 over their fields, SHA-256).
WITH told AS (
  SELECT record_id, count(*) AS events, sha256(convert_to(concat('[', string_agg(concat(
    '{"eventId":', to_json(event_id), ',"meter":', to_json(meter),
    ',"occurredAt":"', replace(to_char(occurred_at AT TIME ZONE 'UTC',
      'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), '.000000', ''),
    '","quantity":', quantity,
    ',"valueSha256":', coalesce(to_json(encode(value_sha256, 'hex'))::text, 'null'), '}'), ','
    ORDER BY meter COLLATE "C", event_id COLLATE "C"), ']'), 'UTF8')) AS sha256
  FROM billing_central.usage_events
  WHERE tenant_id = billing_central.current_tenant()
  GROUP BY record_id
)
SELECT records.id, concat_ws(' ', records.events, 'events recorded,', told.events, 'there')
FROM billing_central.usage_records AS records
LEFT JOIN told ON record_id = records.id
LEFT JOIN audit_entries ON aggregate_kind = 'usage_record' AND aggregate_id = records.id
WHERE records.tenant_id = billing_central.current_tenant()
  AND (records.events::bigint, events_sha256, digest_after) IS DISTINCT FROM
        (told.events, told.sha256, sha256(convert_to(concat('{"events":', records.events,
          ',"eventsSha256":', to_json(encode(events_sha256, 'hex')),
          ',"subscription":', to_json(subscription_id), '}'), 'UTF8')));

-- invariant: usage_is_billed_as_its_invoices_say
-- What is marked as billed of a meter in a period is what the lines of invoices come to, and as
-- much of it as the last of them names.
SELECT concat_ws(' ', subscription_id, meter), concat_ws(' ', 'period', period_number, 'marked',
  billed_micro, 'for', billed_quantity, 'invoiced', coalesce(micro, 0), 'for', named)
FROM (
  SELECT subscription_id, period_number, meter, billed_micro, billed_quantity
  FROM billing_central.usage_totals
  WHERE tenant_id = billing_central.current_tenant()
) AS totals
FULL JOIN (
  SELECT subscription_id, (line ->> 'usagePeriod')::integer AS period_number,
         line ->> 'meter' AS meter, sum((line ->> 'amountMicro')::bigint) AS micro,
         max((line ->> 'quantity')::bigint) AS named
  FROM billing_central.subscription_invoices
  CROSS JOIN jsonb_array_elements(lines) AS line
  WHERE tenant_id = billing_central.current_tenant()
    AND line ->> 'kind' IN ('usage', 'late_usage')
  GROUP BY subscription_id, line ->> 'usagePeriod', line ->> 'meter'
) AS invoiced USING (subscription_id, period_number, meter)
WHERE (billed_micro::numeric, billed_quantity) IS DISTINCT FROM
        (coalesce(micro, 0), coalesce(named, billed_quantity));

-- invariant: usage_of_a_period_that_is_over_is_closed
-- A period is closed when the next one has begun, and not before.
SELECT subscription_id, concat_ws(' ', 'period', number, 'is closed in period', period_number)
FROM billing_central.usage_periods AS closed
JOIN billing_central.subscriptions ON id = subscription_id
WHERE closed.tenant_id = billing_central.current_tenant()
  AND number >= period_number;

-- invariant: usage_is_of_the_subscription_that_there_was
-- An event happened in the life of its record's subscription. Only what was told before that ended
-- may be ahead of its end, by what a sender's clock may be ahead of ours.
SELECT records.id, concat_ws(' ', meter, event_id, 'was at', events.occurred_at, 'and',
  subscription_id, 'from', started_at, 'until', canceled_at)
FROM billing_central.usage_events AS events
JOIN billing_central.usage_records AS records ON records.id = record_id
JOIN billing_central.subscriptions ON subscriptions.id = subscription_id
LEFT JOIN audit_entries AS ended
  ON ended.aggregate_kind = 'subscription' AND ended.aggregate_id = subscription_id
     AND ended.action = 'subscription.canceled'
WHERE events.tenant_id = billing_central.current_tenant()
  AND (events.occurred_at < started_at
       OR events.occurred_at >= canceled_at
          AND records.recorded_at > ended.recorded_at + interval '5 minutes');

-- invariant: what_is_counted_once_is_guarded
-- Each unique constraint that lets usage count once is there.
SELECT name, 'is not there'
FROM unnest(ARRAY['usage_event_is_counted_once', 'usage_is_totalled_once',
  'usage_period_is_closed_once', 'usage_value_is_counted_once']) AS name
LEFT JOIN (pg_index JOIN pg_class ON pg_class.oid = indexrelid)
  ON relname = name AND relnamespace = 'billing_central'::regnamespace
     AND indisunique AND indisvalid
WHERE relname IS NULL;
