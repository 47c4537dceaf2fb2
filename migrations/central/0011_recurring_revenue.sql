-- Why: what subscriptions are worth a month is known for every day of the past (ANA-1): each step
--      of a subscription's worth is written down with what made it, and is never changed.
--      The platform's finance staff read these steps, invoices, charges and trials of all tenants
--      as billing_analyst, who sees so much of them and changes nothing.
-- Lock: ACCESS EXCLUSIVE on subscriptions while those that run are counted, once, and SHARE on the
--       tables that get an index while it is built: some rows a subscription and month.
-- Version before: goes on working. What it changes is written down with the next change of the same
--      subscription, by the version that knows how.

-- up
CREATE TABLE revenue_movements (
  subscription_id text NOT NULL,
  number          integer NOT NULL,
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  kind            text NOT NULL,
  currency        text NOT NULL,
  change_micro    bigint NOT NULL,
  worth_micro     bigint NOT NULL,
  occurred_at     timestamptz NOT NULL,
  recorded_at     timestamptz NOT NULL,
  CONSTRAINT worth_moves_one_step_at_a_time PRIMARY KEY (subscription_id, number),
  CONSTRAINT moved_subscription_exists
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (id),
  CONSTRAINT worth_moves_as_its_kind CHECK (number > 0 AND CASE kind
    WHEN 'new' THEN change_micro > 0 AND worth_micro = change_micro
    WHEN 'reactivation' THEN change_micro > 0 AND worth_micro = change_micro
    WHEN 'expansion' THEN change_micro > 0 AND worth_micro > change_micro
    WHEN 'contraction' THEN change_micro < 0 AND worth_micro > 0
    WHEN 'churn' THEN change_micro < 0 AND worth_micro = 0
    ELSE false END),
  CONSTRAINT worth_moved_before_it_was_recorded CHECK (occurred_at <= recorded_at)
);
CREATE UNIQUE INDEX tenant_is_new_once ON revenue_movements (tenant_id) WHERE kind = 'new';
CREATE INDEX revenue_movements_of_a_tenant ON revenue_movements (tenant_id);
CREATE INDEX revenue_movements_by_time ON revenue_movements (recorded_at);

-- What runs when this is brought in is counted from now on.
ALTER TABLE subscriptions NO FORCE ROW LEVEL SECURITY;
INSERT INTO revenue_movements (subscription_id, number, tenant_id, kind, currency, change_micro,
  worth_micro, occurred_at, recorded_at)
SELECT id, 1, tenant_id, 'new', currency, worth, worth, now(), now()
FROM subscriptions
CROSS JOIN LATERAL (
  SELECT CASE interval WHEN 'year' THEN (2 * fee_micro + 12) / 24 ELSE fee_micro END AS worth
) AS month
WHERE status IN ('active', 'past_due')
  AND worth > 0;
ALTER TABLE subscriptions FORCE ROW LEVEL SECURITY;

ALTER TABLE revenue_movements ENABLE ROW LEVEL SECURITY;
ALTER TABLE revenue_movements FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON revenue_movements TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
GRANT SELECT, INSERT ON revenue_movements TO billing_tenant;

CREATE INDEX subscription_invoices_by_issue ON subscription_invoices (issued_at);
CREATE INDEX subscription_invoices_by_payment ON subscription_invoices (paid_at)
  WHERE due_micro > 0;
CREATE INDEX platform_entries_by_time ON platform_entries (occurred_at);
CREATE INDEX subscription_payments_of_an_invoice ON subscription_payments (invoice_id, created_at);
CREATE INDEX subscription_payments_failed ON subscription_payments (changed_at)
  WHERE status = 'failed';
CREATE INDEX usage_records_by_time ON usage_records (recorded_at);
CREATE INDEX trials_by_end ON trials (ends_at);

-- Of all tenants, and only to be read: what figures are made of, and nothing that is no figure.
CREATE POLICY figures ON revenue_movements FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON subscription_invoices FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON subscription_payments FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON platform_entries FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON trials FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON usage_records FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON usage_events FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON usage_periods FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON plan_versions FOR SELECT TO billing_analyst USING (true);
-- Whose credits are asked for is found here; they are read as each tenant itself reads them.
CREATE POLICY figures ON tenants FOR SELECT TO billing_analyst USING (status = 'active');
GRANT USAGE ON SCHEMA billing_central TO billing_analyst;
GRANT SELECT (tenant_id, cell) ON tenants TO billing_analyst;
GRANT SELECT ON revenue_movements TO billing_analyst;
GRANT SELECT (id, tenant_id, subscription_id, purpose, period_number, number, currency, lines,
    total_micro, due_micro, issued_at, paid_at, given_up_at)
  ON subscription_invoices TO billing_analyst;
GRANT SELECT (invoice_id, status, created_at, changed_at) ON subscription_payments
  TO billing_analyst;
GRANT SELECT (debit_account, credit_account, currency, amount_micro, occurred_at)
  ON platform_entries TO billing_analyst;
GRANT SELECT (subscription_id, tenant_id, began_at, ends_at) ON trials TO billing_analyst;
GRANT SELECT (id, tenant_id, subscription_id, recorded_at) ON usage_records TO billing_analyst;
GRANT SELECT (tenant_id, meter, record_id, period_number) ON usage_events TO billing_analyst;
GRANT SELECT (tenant_id, subscription_id, number, version_id) ON usage_periods TO billing_analyst;
GRANT SELECT (id, usage_prices) ON plan_versions TO billing_analyst;

-- down
REVOKE SELECT (tenant_id, cell) ON tenants FROM billing_analyst;
DROP POLICY figures ON tenants;
REVOKE SELECT (id, usage_prices) ON plan_versions FROM billing_analyst;
REVOKE SELECT (tenant_id, subscription_id, number, version_id) ON usage_periods
  FROM billing_analyst;
REVOKE SELECT (tenant_id, meter, record_id, period_number) ON usage_events FROM billing_analyst;
REVOKE SELECT (id, tenant_id, subscription_id, recorded_at) ON usage_records FROM billing_analyst;
DROP POLICY figures ON plan_versions;
DROP POLICY figures ON usage_periods;
DROP POLICY figures ON usage_events;
DROP POLICY figures ON usage_records;
DROP INDEX usage_records_by_time;
REVOKE SELECT (subscription_id, tenant_id, began_at, ends_at) ON trials FROM billing_analyst;
REVOKE SELECT (debit_account, credit_account, currency, amount_micro, occurred_at)
  ON platform_entries FROM billing_analyst;
REVOKE SELECT (invoice_id, status, created_at, changed_at) ON subscription_payments
  FROM billing_analyst;
REVOKE SELECT (id, tenant_id, subscription_id, purpose, period_number, number, currency, lines,
    total_micro, due_micro, issued_at, paid_at, given_up_at)
  ON subscription_invoices FROM billing_analyst;
DROP POLICY figures ON trials;
DROP POLICY figures ON platform_entries;
DROP POLICY figures ON subscription_payments;
DROP POLICY figures ON subscription_invoices;
DROP INDEX trials_by_end;
DROP INDEX subscription_payments_failed;
DROP INDEX subscription_payments_of_an_invoice;
DROP INDEX platform_entries_by_time;
DROP INDEX subscription_invoices_by_payment;
DROP INDEX subscription_invoices_by_issue;
DROP TABLE revenue_movements;
REVOKE USAGE ON SCHEMA billing_central FROM billing_analyst;
