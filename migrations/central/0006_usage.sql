-- Why: what tenants use is counted by meters, and priced by the version of their plan (SUB-12).
-- Lock: plan_versions and subscription_invoices for an instant: a column with a constant default
--       writes no row anew, and the few invoices are read once for the check.
-- Version before: goes on working. It publishes versions without usage prices, writes no invoice of
--       the new purpose, and closes no period of usage: what was used is not counted meanwhile.
--
-- What is kept how long: totals and periods as long as the invoices that were made of them (ten
-- years); events and values for as long as somebody may ask what a line was made of (13 months).
-- An event older than 34 days is refused, so that one which was deleted can never be counted anew.
-- The tables are not cut by time: the guard (tenant, meter, event id) would have to bear the time,
-- and would let the same event in again under another one.

-- up
-- Meters are the platform's and not a plan's: what sends an event does not know the plan, and what
-- was counted has to outlive a change of it. One is added by the release that begins to send it.
CREATE TABLE usage_meters (
  name        text PRIMARY KEY,
  aggregation text NOT NULL,
  unit        text NOT NULL,
  CONSTRAINT meter_aggregation_is_known CHECK (aggregation IN ('count', 'sum', 'max', 'unique'))
);

INSERT INTO usage_meters VALUES
  ('ai_requests', 'count', 'request'),
  ('ai_tokens', 'sum', 'token'),
  ('storage_mb', 'max', 'megabyte'),
  ('active_users', 'unique', 'user');

ALTER TABLE plan_versions
  ADD COLUMN usage_prices jsonb NOT NULL DEFAULT '[]',
  ADD CONSTRAINT usage_prices_are_a_list CHECK (jsonb_typeof(usage_prices) = 'array');

ALTER TABLE subscription_invoices
  DROP CONSTRAINT invoice_purpose_is_known,
  ADD CONSTRAINT invoice_purpose_is_known CHECK (purpose IN ('period', 'change', 'usage'));

-- Periods that are over, each as it ended: an event that comes late is priced by what held then.
CREATE TABLE usage_periods (
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  subscription_id text NOT NULL,
  number          integer NOT NULL,
  started_at      timestamptz NOT NULL,
  ended_at        timestamptz NOT NULL,
  version_id      text NOT NULL,
  seats           integer NOT NULL,
  interval        text NOT NULL,
  CONSTRAINT usage_period_is_closed_once PRIMARY KEY (tenant_id, subscription_id, number),
  CONSTRAINT closed_period_is_of_a_subscription
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (id),
  CONSTRAINT closed_period_had_a_plan FOREIGN KEY (version_id) REFERENCES plan_versions (id),
  CONSTRAINT closed_period_has_an_end_behind_it CHECK (started_at < ended_at)
);

CREATE TABLE usage_records (
  id              text PRIMARY KEY,
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  subscription_id text NOT NULL,
  events          integer NOT NULL,
  events_sha256   bytea NOT NULL,
  recorded_at     timestamptz NOT NULL,
  CONSTRAINT recorded_usage_is_of_a_subscription
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (id),
  CONSTRAINT usage_record_has_events CHECK (events BETWEEN 1 AND 500)
);
CREATE INDEX usage_records_of_a_tenant ON usage_records (tenant_id, id);

CREATE TABLE usage_events (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  meter         text NOT NULL,
  event_id      text NOT NULL,
  record_id     text NOT NULL,
  period_number integer NOT NULL,
  quantity      bigint NOT NULL,
  value_sha256  bytea,
  occurred_at   timestamptz NOT NULL,
  CONSTRAINT usage_event_is_counted_once PRIMARY KEY (tenant_id, meter, event_id),
  CONSTRAINT counted_usage_is_of_a_meter FOREIGN KEY (meter) REFERENCES usage_meters (name),
  CONSTRAINT counted_usage_is_recorded FOREIGN KEY (record_id) REFERENCES usage_records (id),
  CONSTRAINT counted_usage_is_not_negative CHECK (quantity >= 0)
);
CREATE INDEX usage_events_of_a_record ON usage_events (record_id);

-- What a meter of distinct values has seen in a period, as digests: who they are is not kept.
CREATE TABLE usage_values (
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  meter           text NOT NULL,
  value_sha256    bytea NOT NULL,
  subscription_id text NOT NULL,
  period_number   integer NOT NULL,
  CONSTRAINT usage_value_is_counted_once
    PRIMARY KEY (tenant_id, meter, value_sha256, subscription_id, period_number)
);

CREATE TABLE usage_totals (
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  subscription_id text NOT NULL,
  period_number   integer NOT NULL,
  meter           text NOT NULL,
  aggregation     text NOT NULL,
  events          bigint NOT NULL,
  quantity        bigint NOT NULL,
  billed_quantity bigint NOT NULL DEFAULT 0,
  billed_micro    bigint NOT NULL DEFAULT 0,
  CONSTRAINT usage_is_totalled_once
    PRIMARY KEY (tenant_id, subscription_id, period_number, meter),
  CONSTRAINT totalled_usage_is_of_a_subscription
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (id),
  CONSTRAINT totalled_usage_is_of_a_meter FOREIGN KEY (meter) REFERENCES usage_meters (name),
  CONSTRAINT no_more_usage_is_billed_than_there_was CHECK (
    events > 0 AND billed_quantity BETWEEN 0 AND quantity AND billed_micro >= 0)
);
-- What is still to be billed, and nothing of what has been.
CREATE INDEX usage_to_be_billed ON usage_totals (tenant_id, subscription_id, period_number)
  WHERE quantity <> billed_quantity;

ALTER TABLE usage_meters ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_meters FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_periods ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_periods FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_records FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_events FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_values ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_values FORCE ROW LEVEL SECURITY;
ALTER TABLE usage_totals ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_totals FORCE ROW LEVEL SECURITY;

CREATE POLICY shared ON usage_meters FOR SELECT TO billing_tenant USING (true);
CREATE POLICY own_rows ON usage_periods TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY own_rows ON usage_records TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY own_rows ON usage_events TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY own_rows ON usage_values TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY own_rows ON usage_totals TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));

GRANT SELECT ON usage_meters TO billing_tenant;
GRANT SELECT, INSERT ON usage_periods, usage_records, usage_events, usage_values TO billing_tenant;
GRANT SELECT, INSERT ON usage_totals TO billing_tenant;
GRANT UPDATE (events, quantity, billed_quantity, billed_micro) ON usage_totals TO billing_tenant;

-- down
DROP TABLE usage_totals;
DROP TABLE usage_values;
DROP TABLE usage_events;
DROP TABLE usage_records;
DROP TABLE usage_periods;
ALTER TABLE subscription_invoices
  DROP CONSTRAINT invoice_purpose_is_known,
  ADD CONSTRAINT invoice_purpose_is_known CHECK (purpose IN ('period', 'change'));
ALTER TABLE plan_versions
  DROP CONSTRAINT usage_prices_are_a_list,
  DROP COLUMN usage_prices;
DROP TABLE usage_meters;
