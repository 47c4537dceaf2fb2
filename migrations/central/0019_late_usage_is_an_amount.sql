-- Why: usage that came late and is on no invoice yet is a figure in money (ANA-1): what was counted
--      of it by a day, what was billed of that, and by which prices, is read over all tenants.
--      Of the values that a meter tells apart only the digests are there to be read.
-- Lock: none that anybody waits for.
-- Version before: goes on working, and reads none of it.

-- up
CREATE POLICY figures ON subscriptions FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON usage_totals FOR SELECT TO billing_analyst USING (true);
GRANT SELECT (id, tenant_id, version_id, interval, period_number, canceled_at)
  ON subscriptions TO billing_analyst;
GRANT SELECT (tenant_id, subscription_id, period_number, meter, aggregation, quantity,
    billed_quantity)
  ON usage_totals TO billing_analyst;
GRANT SELECT (quantity, value_sha256) ON usage_events TO billing_analyst;
GRANT SELECT (interval) ON usage_periods TO billing_analyst;
GRANT SELECT (currency) ON plan_versions TO billing_analyst;

-- down
REVOKE SELECT (currency) ON plan_versions FROM billing_analyst;
REVOKE SELECT (interval) ON usage_periods FROM billing_analyst;
REVOKE SELECT (quantity, value_sha256) ON usage_events FROM billing_analyst;
REVOKE SELECT (tenant_id, subscription_id, period_number, meter, aggregation, quantity,
    billed_quantity)
  ON usage_totals FROM billing_analyst;
REVOKE SELECT (id, tenant_id, version_id, interval, period_number, canceled_at)
  ON subscriptions FROM billing_analyst;
DROP POLICY figures ON usage_totals;
DROP POLICY figures ON subscriptions;
