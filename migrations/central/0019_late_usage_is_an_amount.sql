-- Why: usage that came late and is on no invoice yet is a figure in money (ANA-1): what was counted
--      of it by a day, what was billed of that, and by which prices, is read over all tenants.
--      What a meter tells apart is not: a value names the record that brought it first.
-- Lock: usage_values for as long as its rows get the name of their record, once; usage is told
--       again behind it. None of the others that anybody waits for.
-- Version before: goes on working. A value that it brings names no record, and counts as one that
--      was there from the beginning.

-- up
ALTER TABLE usage_values
  ADD COLUMN record_id text,
  ADD CONSTRAINT seen_value_is_recorded FOREIGN KEY (record_id) REFERENCES usage_records (id);

ALTER TABLE usage_values NO FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_events NO FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_records NO FORCE ROW LEVEL SECURITY;
UPDATE usage_values AS seen
SET record_id = (
  SELECT records.id
  FROM usage_events AS events
  JOIN usage_records AS records ON records.id = events.record_id
  WHERE events.tenant_id = seen.tenant_id AND events.meter = seen.meter
    AND events.value_sha256 = seen.value_sha256 AND events.period_number = seen.period_number
    AND records.subscription_id = seen.subscription_id
  ORDER BY recorded_at, records.id
  LIMIT 1);
ALTER TABLE usage_values FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_events FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_records FORCE ROW LEVEL SECURITY;

CREATE POLICY figures ON subscriptions FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON usage_totals FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON usage_values FOR SELECT TO billing_analyst USING (true);
GRANT SELECT (id, tenant_id, version_id, interval, period_number, canceled_at)
  ON subscriptions TO billing_analyst;
GRANT SELECT (tenant_id, subscription_id, period_number, meter, aggregation, quantity,
    billed_quantity)
  ON usage_totals TO billing_analyst;
GRANT SELECT (tenant_id, meter, subscription_id, period_number, record_id)
  ON usage_values TO billing_analyst;
GRANT SELECT (quantity) ON usage_events TO billing_analyst;
GRANT SELECT (interval) ON usage_periods TO billing_analyst;
GRANT SELECT (currency) ON plan_versions TO billing_analyst;

-- down
REVOKE SELECT (currency) ON plan_versions FROM billing_analyst;
REVOKE SELECT (interval) ON usage_periods FROM billing_analyst;
REVOKE SELECT (quantity) ON usage_events FROM billing_analyst;
REVOKE SELECT (tenant_id, meter, subscription_id, period_number, record_id)
  ON usage_values FROM billing_analyst;
REVOKE SELECT (tenant_id, subscription_id, period_number, meter, aggregation, quantity,
    billed_quantity)
  ON usage_totals FROM billing_analyst;
REVOKE SELECT (id, tenant_id, version_id, interval, period_number, canceled_at)
  ON subscriptions FROM billing_analyst;
DROP POLICY figures ON usage_values;
DROP POLICY figures ON usage_totals;
DROP POLICY figures ON subscriptions;
ALTER TABLE usage_values
  DROP CONSTRAINT seen_value_is_recorded,
  DROP COLUMN record_id;
