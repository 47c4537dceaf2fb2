-- Why: the platform bills its tenants: plans in versions that never change, one subscription a
--      tenant, what was invoiced of it and how that was booked.
-- Lock: none that anybody waits for; every table is new.
-- Version before: goes on working, it knows none of these tables.

-- up
-- A version belongs to nobody: every tenant may read it. Whoever publishes one does so in the
-- transaction of the tenant that they work for, and its trail stands there.
CREATE TABLE plan_versions (
  id                text PRIMARY KEY,
  plan              text NOT NULL,
  number            integer NOT NULL,
  name              text NOT NULL,
  currency          text NOT NULL,
  month_micro       bigint,
  year_micro        bigint,
  seat_month_micro  bigint,
  seat_year_micro   bigint,
  credits_micro     bigint,
  projects          bigint,
  users             bigint,
  ai_requests       bigint,
  storage_mb        bigint,
  support           text NOT NULL,
  sla               boolean NOT NULL,
  published_at      timestamptz NOT NULL,
  CONSTRAINT plan_versions_are_consecutive UNIQUE (plan, number),
  CONSTRAINT plan_version_is_numbered_from_one CHECK (number >= 1),
  CONSTRAINT plan_fees_are_given_together CHECK (
    (month_micro IS NULL) = (year_micro IS NULL)
    AND (seat_month_micro IS NULL) = (seat_year_micro IS NULL)
    AND (month_micro IS NOT NULL OR seat_month_micro IS NULL)),
  CONSTRAINT plan_fees_are_not_negative CHECK (
    LEAST(month_micro, year_micro, seat_month_micro, seat_year_micro, credits_micro, 0) = 0)
);

INSERT INTO plan_versions VALUES
  ('plv_01K9ZQ0M8Y0000000000000001', 'free', 1, 'Free', 'USD', 0, 0, NULL, NULL, 100000000,
   1, 1, 10, 100, 'community', false, '2026-01-01T00:00:00Z'),
  ('plv_01K9ZQ0M8Y0000000000000002', 'pro', 1, 'Pro', 'USD', 29000000, 290000000, NULL, NULL,
   1000000000, 10, 5, 100, 10000, 'email', false, '2026-01-01T00:00:00Z'),
  ('plv_01K9ZQ0M8Y0000000000000003', 'team', 1, 'Team', 'USD', 99000000, 990000000, NULL, NULL,
   5000000000, 50, 20, 500, 100000, 'priority', false, '2026-01-01T00:00:00Z'),
  ('plv_01K9ZQ0M8Y0000000000000004', 'enterprise', 1, 'Enterprise', 'USD', NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, 'dedicated', true, '2026-01-01T00:00:00Z');

CREATE TABLE subscriptions (
  id                   text PRIMARY KEY,
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  status               text NOT NULL,
  time_zone            text NOT NULL,
  currency             text NOT NULL,
  started_at           timestamptz NOT NULL,
  version_id           text NOT NULL,
  seats                integer NOT NULL,
  interval             text NOT NULL,
  fee_micro            bigint NOT NULL,
  agreed_micro         bigint,
  next_version_id      text,
  next_seats           integer,
  next_interval        text,
  next_fee_micro       bigint,
  next_agreed_micro    bigint,
  anchor_at            timestamptz NOT NULL,
  anchor_months        integer NOT NULL,
  period_number        integer NOT NULL,
  period_start         timestamptz NOT NULL,
  period_end           timestamptz NOT NULL,
  period_seconds       bigint NOT NULL,
  segments             jsonb NOT NULL,
  billed_micro         bigint NOT NULL,
  credit_micro         bigint NOT NULL,
  period_credits_micro bigint NOT NULL,
  committed_periods    integer NOT NULL,
  last_period          integer,
  paused_at            timestamptz,
  canceled_at          timestamptz,
  due_at               timestamptz,
  version              bigint NOT NULL,
  trail                bytea NOT NULL,
  state_digest         bytea NOT NULL,
  CONSTRAINT subscribed_plan_exists FOREIGN KEY (version_id) REFERENCES plan_versions (id),
  CONSTRAINT next_plan_exists FOREIGN KEY (next_version_id) REFERENCES plan_versions (id),
  CONSTRAINT subscription_status_is_known CHECK (
    status IN ('trialing', 'active', 'past_due', 'suspended', 'paused', 'canceled')),
  CONSTRAINT subscription_interval_is_known CHECK (
    interval IN ('month', 'year') AND next_interval IN ('month', 'year')),
  CONSTRAINT next_terms_are_whole CHECK (
    num_nulls(next_version_id, next_seats, next_interval, next_fee_micro) IN (0, 4)),
  CONSTRAINT period_has_an_end_behind_it CHECK (period_start < period_end AND period_seconds > 0),
  CONSTRAINT subscription_owes_nobody_less_than_nothing CHECK (
    LEAST(fee_micro, agreed_micro, billed_micro, credit_micro, period_credits_micro) >= 0),
  CONSTRAINT paused_and_canceled_say_since_when CHECK (
    (status = 'paused') <= (paused_at IS NOT NULL)
    AND (status = 'canceled') = (canceled_at IS NOT NULL)),
  CONSTRAINT due_is_what_runs CHECK (
    due_at IS NOT DISTINCT FROM
      CASE WHEN status IN ('active', 'past_due') THEN period_end END)
);
CREATE UNIQUE INDEX one_subscription_per_tenant ON subscriptions (tenant_id)
  WHERE status <> 'canceled';
CREATE INDEX subscriptions_of_a_tenant ON subscriptions (tenant_id, canceled_at);
-- What is due, and nothing of what is not: the cycle costs as much as it has to do.
CREATE INDEX subscriptions_due ON subscriptions (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE subscription_series (
  year        smallint PRIMARY KEY,
  last_number bigint NOT NULL,
  last_sha256 bytea
);

CREATE TABLE subscription_invoices (
  id                text PRIMARY KEY,
  tenant_id         uuid NOT NULL DEFAULT billing_central.current_tenant(),
  subscription_id   text NOT NULL,
  purpose           text NOT NULL,
  period_number     integer NOT NULL,
  period_start      timestamptz NOT NULL,
  period_end        timestamptz NOT NULL,
  year              smallint NOT NULL,
  series_number     bigint NOT NULL,
  number            text NOT NULL,
  currency          text NOT NULL,
  lines             jsonb NOT NULL,
  total_micro       bigint NOT NULL,
  brought_micro     bigint NOT NULL,
  carried_micro     bigint NOT NULL,
  due_micro         bigint NOT NULL,
  issued_at         timestamptz NOT NULL,
  payload           text NOT NULL,
  payload_sha256    bytea NOT NULL,
  previous_sha256   bytea,
  CONSTRAINT invoiced_subscription_exists
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (id),
  CONSTRAINT platform_number_is_given_once UNIQUE (year, series_number),
  CONSTRAINT printed_platform_number_is_given_once UNIQUE (number),
  CONSTRAINT invoice_purpose_is_known CHECK (purpose IN ('period', 'change')),
  CONSTRAINT due_is_what_is_left_of_the_total CHECK (
    due_micro = total_micro - brought_micro + carried_micro
    AND LEAST(due_micro, brought_micro, carried_micro) >= 0
    AND (carried_micro = 0 OR due_micro = 0 AND brought_micro = 0))
);
CREATE UNIQUE INDEX period_is_invoiced_once
  ON subscription_invoices (subscription_id, period_number)
  WHERE purpose = 'period';
CREATE INDEX subscription_invoices_of_a_tenant ON subscription_invoices (tenant_id, id);

CREATE TABLE platform_entries (
  invoice_id     text NOT NULL,
  part           smallint NOT NULL,
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  debit_account  text NOT NULL,
  credit_account text NOT NULL,
  currency       text NOT NULL,
  amount_micro   bigint NOT NULL,
  occurred_at    timestamptz NOT NULL,
  CONSTRAINT platform_entry_is_booked_once PRIMARY KEY (invoice_id, part),
  CONSTRAINT booked_platform_invoice_exists
    FOREIGN KEY (invoice_id) REFERENCES subscription_invoices (id),
  CONSTRAINT platform_entry_is_positive CHECK (amount_micro > 0),
  CONSTRAINT platform_entry_names_two_accounts CHECK (debit_account <> credit_account)
);
CREATE INDEX platform_entries_of_a_tenant ON platform_entries (tenant_id, invoice_id);

ALTER TABLE plan_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE plan_versions FORCE ROW LEVEL SECURITY;
ALTER TABLE subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscriptions FORCE ROW LEVEL SECURITY;
ALTER TABLE subscription_series ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscription_series FORCE ROW LEVEL SECURITY;
ALTER TABLE subscription_invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscription_invoices FORCE ROW LEVEL SECURITY;
ALTER TABLE platform_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_entries FORCE ROW LEVEL SECURITY;

CREATE POLICY shared ON plan_versions TO billing_tenant USING (true) WITH CHECK (true);
CREATE POLICY shared ON subscription_series TO billing_tenant USING (true) WITH CHECK (true);
CREATE POLICY own_rows ON subscriptions TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY own_rows ON subscription_invoices TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY own_rows ON platform_entries TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
-- The cycle asks whose subscription is due before there is a tenant to enter.
CREATE POLICY due ON subscriptions FOR SELECT TO billing_drain USING (due_at IS NOT NULL);

GRANT SELECT, INSERT ON plan_versions, subscription_invoices, platform_entries TO billing_tenant;
GRANT SELECT, INSERT, UPDATE ON subscriptions, subscription_series TO billing_tenant;
GRANT SELECT (tenant_id, due_at) ON subscriptions TO billing_drain;

-- down
DROP TABLE platform_entries;
DROP TABLE subscription_invoices;
DROP TABLE subscription_series;
DROP TABLE subscriptions;
DROP TABLE plan_versions;
