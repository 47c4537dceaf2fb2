-- What subscriptions are worth a month, and the steps that it moved by.

-- invariant: a_subscription_is_worth_what_its_movements_come_to
-- The movements of a subscription, numbered from one without a gap, come to what it is worth now: the
-- fee of a month, or a twelfth of a year's, while its periods follow one another, and nothing else.
SELECT id, concat_ws(' ', 'is worth', worth, 'by', movements, 'movements up to', last, 'that come to',
  moved, 'and left', stands)
FROM (
  SELECT id, CASE WHEN status NOT IN ('active', 'past_due') THEN 0
    WHEN interval = 'year' THEN (2 * fee_micro + 12) / 24
    ELSE fee_micro END AS worth
  FROM billing_central.subscriptions
  WHERE tenant_id = billing_central.current_tenant()
) AS subscriptions
LEFT JOIN LATERAL (
  SELECT count(*) AS movements, max(number) AS last, sum(change_micro) AS moved,
         (array_agg(worth_micro ORDER BY number DESC))[1] AS stands
  FROM billing_central.revenue_movements
  WHERE subscription_id = id
) AS steps ON true
WHERE (coalesce(moved, 0), coalesce(stands, 0), coalesce(last, 0)::bigint)
  IS DISTINCT FROM (worth::numeric, worth, movements);

-- invariant: a_tenant_is_new_before_it_comes_back
-- The first movement of a tenant, and no other one, is that of somebody new: also where the clock
-- stood still while it ended and began anew.
SELECT subscription_id, concat_ws(' ', 'movement', number, 'is', kind, 'in place', place)
FROM (
  SELECT subscription_id, number, kind,
         row_number() OVER (ORDER BY recorded_at, number, kind <> 'new') AS place
  FROM billing_central.revenue_movements
  WHERE tenant_id = billing_central.current_tenant()
) AS steps
WHERE (kind = 'new') <> (place = 1);

-- invariant: revenue_that_moves_once_is_guarded
-- Each unique constraint that lets a movement be written down once is there.
SELECT name, 'is not there'
FROM unnest(ARRAY['tenant_is_new_once', 'worth_moves_one_step_at_a_time']) AS name
LEFT JOIN (pg_index JOIN pg_class ON pg_class.oid = indexrelid)
  ON relname = name AND relnamespace = 'billing_central'::regnamespace
     AND indisunique AND indisvalid
WHERE relname IS NULL;
