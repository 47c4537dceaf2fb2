-- The platform's own books: what a tenant has subscribed to, and what it was invoiced of that.

-- invariant: a_period_is_invoiced_once_and_in_order
-- The periods of a subscription are numbered from one to the current one, each with one invoice,
-- and none begins before the one in front of it has ended. A trial is number nought, with none.
SELECT id, concat_ws(' ', 'in period', period_number, 'with', count, 'invoices from', first, 'to',
  last)
FROM billing_central.subscriptions AS subscriptions
LEFT JOIN (
  SELECT subscription_id, count(*) AS count, min(period_number) AS first,
         max(period_number) AS last
  FROM billing_central.subscription_invoices
  WHERE purpose = 'period'
  GROUP BY subscription_id
) AS invoiced ON subscription_id = id
WHERE tenant_id = billing_central.current_tenant()
  AND (coalesce(count, 0), first, last) IS DISTINCT FROM
        (period_number::bigint, CASE WHEN period_number > 0 THEN 1 END, NULLIF(period_number, 0))
UNION ALL
SELECT id, concat_ws(' ', 'begins', period_start, 'before', ended)
FROM (
  SELECT id, period_start,
         lag(period_end) OVER (PARTITION BY subscription_id ORDER BY period_number) AS ended
  FROM billing_central.subscription_invoices
  WHERE tenant_id = billing_central.current_tenant()
    AND purpose = 'period'
) AS periods
WHERE period_start < ended;

-- invariant: a_period_costs_what_its_terms_cost
-- The invoices of a subscription's period, without tax and what was used, come to what its fees cost
-- for the seconds that each was in force, rounded once, half away from zero, and to what of the
-- period went back beside that, as far as it was billed then; and its credit is what invoices left
-- of it and what was not set off against them.
WITH RECURSIVE exact AS (
  SELECT id, sum(fee * (since - coalesce(until, 0))) AS cost
  FROM (
    SELECT id, (segment ->> 0)::numeric AS since, (segment ->> 1)::numeric AS fee,
           lead((segment ->> 0)::numeric) OVER (PARTITION BY id ORDER BY place) AS until
    FROM billing_central.subscriptions
    CROSS JOIN LATERAL jsonb_array_elements(segments) WITH ORDINALITY AS parts (segment, place)
    WHERE tenant_id = billing_central.current_tenant()
  ) AS fees
  GROUP BY id
), minor AS (
  SELECT id, CASE
    WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX',
      'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000
    WHEN currency IN ('CLF', 'UYW') THEN 100
    ELSE 10000 END AS unit
  FROM billing_central.subscriptions
  WHERE tenant_id = billing_central.current_tenant()
), kept AS (
  SELECT id, 0 AS place, round(cost / period_seconds / unit) * unit AS micro, given_back
  FROM billing_central.subscriptions
  JOIN exact USING (id)
  JOIN minor USING (id)
  UNION ALL
  SELECT id, place + 1,
         CASE WHEN micro < (given_back -> place ->> 1)::numeric
           THEN LEAST(micro + (given_back -> place ->> 2)::numeric,
                      (given_back -> place ->> 1)::numeric)
           ELSE micro END,
         given_back
  FROM kept
  WHERE place < jsonb_array_length(given_back)
)
SELECT id, concat_ws(' ', 'billed', billed_micro, 'invoiced', invoiced, 'by its terms', cost,
  'in', period_seconds, 'seconds, credit', credit_micro, 'of', left_over)
FROM billing_central.subscriptions
JOIN exact USING (id)
JOIN (SELECT id, micro FROM kept WHERE place = jsonb_array_length(given_back)) AS costs USING (id)
LEFT JOIN LATERAL (
  SELECT sum(total_micro - tax_micro - usage.micro)
           FILTER (WHERE invoices.period_number = subscriptions.period_number
                   AND purpose <> 'taken_back') AS invoiced,
         sum(carried_micro) - sum(brought_micro) - sum(set_off_micro) AS left_over
  FROM billing_central.subscription_invoices AS invoices
  CROSS JOIN LATERAL (
    SELECT coalesce(sum((line ->> 'amountMicro')::bigint), 0) AS micro
    FROM jsonb_array_elements(lines) AS line
    WHERE line ->> 'kind' IN ('usage', 'late_usage')
  ) AS usage
  WHERE subscription_id = subscriptions.id
) AS sums ON true
WHERE (billed_micro::numeric, billed_micro::numeric, credit_micro::numeric) IS DISTINCT FROM
        (invoiced, costs.micro, left_over);

-- invariant: a_platform_invoice_is_as_it_was_written
-- An invoice of the platform fits its hash, and its lines come to its total with their tax.
SELECT id, concat_ws(' ', number, 'comes to', total_micro, 'by lines of', lines_micro, 'and tax of',
  tax_micro)
FROM billing_central.subscription_invoices
CROSS JOIN LATERAL (
  SELECT sum((line ->> 'amountMicro')::bigint) AS lines_micro
  FROM jsonb_array_elements(lines) AS line
) AS sums
WHERE tenant_id = billing_central.current_tenant()
  AND (payload_sha256, total_micro::numeric, payload::jsonb -> 'lines',
       (payload::jsonb ->> 'dueMicro')::bigint, payload::jsonb ->> 'number',
       coalesce((payload::jsonb #>> '{tax,taxMicro}')::bigint, 0))
      IS DISTINCT FROM
      (sha256(convert_to(payload, 'UTF8')), lines_micro + tax_micro, lines, due_micro, number,
       tax_micro);

-- invariant: a_platform_invoice_bears_the_tax_that_it_says
-- The tax of an invoice of the platform is its rate on its lines, rounded once, half away from zero,
-- to whole minor units; so much is booked as owed to that country, and a change within a period is
-- taxed as the period was. A bill that was written while there was a seller says who that is.
WITH minor AS (
  SELECT id AS invoice_id, CASE
    WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX',
      'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000
    WHEN currency IN ('CLF', 'UYW') THEN 100
    ELSE 10000 END AS unit
  FROM billing_central.subscription_invoices
  WHERE tenant_id = billing_central.current_tenant()
)
SELECT invoices.id, concat_ws(' ', invoices.number, 'is taxed', invoices.tax_micro,
  'by rate', expected, 'booked', owed, 'as', invoices.taxed_as ->> 'treatment',
  'of', invoices.taxed_as ->> 'country')
FROM billing_central.subscription_invoices AS invoices
JOIN minor ON minor.invoice_id = invoices.id
CROSS JOIN LATERAL (
  SELECT round((invoices.total_micro - invoices.tax_micro)::numeric
               * coalesce((invoices.taxed_as ->> 'ratePpm')::bigint, 0)
               / 1000000 / unit) * unit AS expected
) AS reckoned
LEFT JOIN LATERAL (
  SELECT sum(CASE WHEN credit_account = account THEN amount_micro ELSE -amount_micro END) AS owed
  FROM billing_central.platform_entries
  CROSS JOIN (SELECT 'vat_payable:' || (invoices.taxed_as ->> 'country') AS account) AS named
  WHERE platform_entries.invoice_id = invoices.id
    AND account IN (debit_account, credit_account)
) AS booked ON true
LEFT JOIN billing_central.subscription_invoices AS of_period
  ON invoices.purpose = 'change' AND of_period.purpose = 'period'
  AND of_period.subscription_id = invoices.subscription_id
  AND of_period.period_number = invoices.period_number
WHERE invoices.tenant_id = billing_central.current_tenant()
  AND ((invoices.tax_micro::numeric, invoices.tax_micro::numeric)
         IS DISTINCT FROM (expected, coalesce(owed, 0))
    OR of_period.taxed_as <> invoices.taxed_as
    OR invoices.purpose NOT IN ('change', 'taken_back') AND invoices.taxed_as ->> 'seller' IS NULL AND EXISTS (
         SELECT FROM billing_central.platform_tax_rules
         WHERE in_force_from <= invoices.issued_at));

-- invariant: a_platform_invoice_is_booked
-- What an invoice of the platform comes to is in the platform's books: what it makes due is owed,
-- and what it leaves or takes of a credit moved there.
SELECT invoices.id, concat_ws(' ', 'due', due_micro, 'owed', owed, 'credit moved', credit)
FROM billing_central.subscription_invoices AS invoices
LEFT JOIN (
  SELECT invoice_id,
         sum(amount_micro) FILTER (WHERE debit_account = 'receivable') AS debited,
         sum(amount_micro) FILTER (WHERE credit_account = 'receivable') AS settled,
         sum(amount_micro) FILTER (WHERE credit_account = 'customer_credit') AS given,
         sum(amount_micro) FILTER (WHERE debit_account = 'customer_credit') AS used
  FROM billing_central.platform_entries
  WHERE part < 50
  GROUP BY invoice_id
) AS entries ON invoice_id = invoices.id
CROSS JOIN LATERAL (
  SELECT coalesce(debited, 0) - coalesce(settled, 0) AS owed,
         coalesce(given, 0) - coalesce(used, 0) AS credit
) AS moved
WHERE tenant_id = billing_central.current_tenant()
  AND (owed, credit) IS DISTINCT FROM
        (due_micro::numeric, (carried_micro - brought_micro)::numeric);

-- invariant: a_subscription_is_what_its_trail_digested
-- The state of a subscription is the one whose digest its trail keeps.
WITH terms AS (
  SELECT id, concat('{"agreedMicro":', coalesce(agreed_micro::text, 'null'),
    ',"creditsMicro":', coalesce(now_on.credits_micro::text, 'null'),
    ',"currency":', to_json(subscriptions.currency), ',"feeMicro":', fee_micro,
    ',"interval":', to_json(subscriptions.interval), ',"seats":', seats,
    ',"versionId":', to_json(version_id), '}') AS now_in_force,
    CASE WHEN next_version_id IS NULL THEN 'null' ELSE
      concat('{"agreedMicro":', coalesce(next_agreed_micro::text, 'null'),
      ',"creditsMicro":', coalesce(then_on.credits_micro::text, 'null'),
      ',"currency":', to_json(subscriptions.currency), ',"feeMicro":', next_fee_micro,
      ',"interval":', to_json(next_interval), ',"seats":', next_seats,
      ',"versionId":', to_json(next_version_id), '}') END AS later
  FROM billing_central.subscriptions AS subscriptions
  JOIN (SELECT id AS plan_id, credits_micro FROM billing_central.plan_versions) AS now_on
    ON now_on.plan_id = version_id
  LEFT JOIN (SELECT id AS plan_id, credits_micro FROM billing_central.plan_versions) AS then_on
    ON then_on.plan_id = next_version_id
  WHERE tenant_id = billing_central.current_tenant()
), written AS (
  SELECT subscriptions.id, state_digest, concat(
    '{"anchor":["', told.anchor, '",', anchor_months, ',', to_json(time_zone), ']',
    ',"billedMicro":', billed_micro,
    ',"canceledAt":', coalesce('"' || told.canceled || '"', 'null'),
    ',"committedPeriods":', committed_periods, ',"creditMicro":', credit_micro,
    CASE WHEN ends_there IS NOT NULL THEN concat(
      ',"endsHere":', coalesce(ends_here::text, 'null'), ',"endsThere":', ends_there) END,
    CASE WHEN given_back <> '[]' THEN ',"givenBack":' || replace(given_back::text, ' ', '') END,
    ',"lastPeriod":', coalesce(last_period::text, 'null'), ',"nextTerms":', later,
    ',"pausedAt":', coalesce('"' || told.paused || '"', 'null'),
    ',"period":[', period_number, ',"', told.start, '","', told.end, '",', period_seconds, ']',
    ',"periodCreditsMicro":', period_credits_micro,
    ',"segments":', replace(segments::text, ' ', ''),
    ',"status":', to_json(status), ',"terms":', now_in_force, '}') AS state
  FROM billing_central.subscriptions AS subscriptions
  JOIN terms USING (id)
  CROSS JOIN LATERAL (
    SELECT to_char(anchor_at AT TIME ZONE 'UTC', form) AS anchor,
           to_char(canceled_at AT TIME ZONE 'UTC', form) AS canceled,
           to_char(paused_at AT TIME ZONE 'UTC', form) AS paused,
           to_char(period_start AT TIME ZONE 'UTC', form) AS start,
           to_char(period_end AT TIME ZONE 'UTC', form) AS end
    FROM (VALUES ('YYYY-MM-DD"T"HH24:MI:SS"+00:00"')) AS forms (form)
  ) AS told
)
SELECT id, state
FROM written
WHERE state_digest IS DISTINCT FROM sha256(convert_to(state, 'UTF8'));

-- invariant: a_trial_is_in_front_of_the_first_period
-- Who tries is in no period yet, and has a trial that ends when the subscription says; each trial
-- has a subscription and all marks of who began it, under the oldest key that is kept and whatever
-- other ones there were; it is told of while it runs or never.
SELECT subscriptions.id, concat_ws(' ', 'tries in period', period_number, 'until', period_end,
  'its trial ends', ends_at)
FROM billing_central.subscriptions AS subscriptions
LEFT JOIN billing_central.trials AS trials ON trials.subscription_id = subscriptions.id
WHERE subscriptions.tenant_id = billing_central.current_tenant()
  AND (subscriptions.status = 'trialing' OR period_number = 0)
  AND (period_number, ends_at) IS DISTINCT FROM (0, period_end)
UNION ALL
SELECT trials.subscription_id, concat_ws(' ', 'is marked by', kinds, 'under the key', key_version)
FROM billing_central.trials AS trials
LEFT JOIN (
  SELECT subscription_id, key_version, string_agg(kind, ' ' ORDER BY kind) AS kinds
  FROM billing_central.trial_marks
  WHERE kind <> 'card'
  GROUP BY subscription_id, key_version
) AS marked ON marked.subscription_id = trials.subscription_id
WHERE trials.tenant_id = billing_central.current_tenant()
  AND kinds IS DISTINCT FROM 'account device email'
UNION ALL
SELECT trials.subscription_id, concat_ws(' ', 'is not marked under the oldest key', oldest)
FROM billing_central.trials AS trials
CROSS JOIN (SELECT min(version) AS oldest FROM billing_central.trial_keys) AS kept
WHERE trials.tenant_id = billing_central.current_tenant()
  AND NOT EXISTS (
    SELECT
    FROM billing_central.trial_marks AS marks
    WHERE marks.subscription_id = trials.subscription_id
      AND marks.key_version = oldest);

-- invariant: what_the_platform_does_once_is_guarded
-- Each unique constraint that lets the platform do a thing once is there.
SELECT name, 'is not there'
FROM unnest(ARRAY['one_subscription_per_tenant', 'period_is_invoiced_once',
  'late_usage_is_invoiced_once',
  'plan_versions_are_consecutive', 'platform_entry_is_booked_once',
  'platform_tax_rules_are_consecutive', 'declared_once_a_country_and_rate',
  'platform_number_is_given_once', 'printed_platform_number_is_given_once',
  'one_trial_per_account', 'one_trial_per_tenant', 'one_trial_per_mailbox',
  'one_trial_per_device', 'one_trial_per_card']) AS name
LEFT JOIN (pg_index JOIN pg_class ON pg_class.oid = indexrelid)
  ON relname = name AND relnamespace = 'billing_central'::regnamespace
     AND indisunique AND indisvalid
WHERE relname IS NULL;
