-- Why: what the platform invoices is charged to a payment method of the tenant, and what is
--      declined is dunned: charges, how far the collecting of a subscription has come, whether an
--      invoice is paid or given up, and incidents of the platform, in which nobody is suspended.
-- Lock: ACCESS EXCLUSIVE on subscription_invoices for the columns, the constraints and the index;
--       it holds an invoice a subscription and month, and is read through once for each.
--       SHARE ROW EXCLUSIVE on subscriptions for the foreign keys.
-- Version before: goes on working. What it invoices is open (or paid, where nothing is due), and is
--      collected with the next invoice of its subscription.

-- up
-- An invoice is paid where nothing is due or a charge has paid it, uncollectible where it was given
-- up and nobody has paid it since, and open otherwise.
ALTER TABLE subscription_invoices
  ADD COLUMN paid_at timestamptz,
  ADD COLUMN paid_by text,
  ADD COLUMN given_up_at timestamptz,
  ADD CONSTRAINT charge_pays_one_invoice UNIQUE (paid_by),
  ADD CONSTRAINT paid_invoice_names_its_charge CHECK ((paid_at IS NULL) = (paid_by IS NULL)),
  ADD CONSTRAINT what_is_not_due_is_not_settled CHECK (
    due_micro > 0 OR paid_at IS NULL AND given_up_at IS NULL);
CREATE INDEX subscription_invoices_open ON subscription_invoices (subscription_id, issued_at, id)
  WHERE due_micro > 0 AND paid_at IS NULL AND given_up_at IS NULL;

CREATE TABLE subscription_payments (
  id                   text PRIMARY KEY,
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  subscription_id      text NOT NULL,
  invoice_id           text NOT NULL,
  trial                integer NOT NULL,
  customer_id          text NOT NULL,
  payment_method_id    text NOT NULL,
  currency             text NOT NULL,
  amount_micro         bigint NOT NULL,
  status               text NOT NULL,
  confirmed_at         timestamptz NOT NULL,
  processor_payment_id text,
  failure_code         text,
  created_at           timestamptz NOT NULL,
  changed_at           timestamptz NOT NULL,
  next_attempt_at      timestamptz,
  version              bigint NOT NULL,
  trail                bytea NOT NULL,
  state_digest         bytea NOT NULL,
  CONSTRAINT charged_invoice_exists
    FOREIGN KEY (invoice_id) REFERENCES subscription_invoices (id),
  CONSTRAINT charged_subscription_exists
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (id),
  CONSTRAINT invoice_is_tried_once_a_trial UNIQUE (invoice_id, trial),
  CONSTRAINT processor_payment_pays_one_charge UNIQUE (tenant_id, processor_payment_id),
  CONSTRAINT charge_is_of_something CHECK (amount_micro > 0 AND trial > 0),
  CONSTRAINT charge_status_is_known CHECK (
    status IN ('processing', 'requires_action', 'failed', 'canceled', 'succeeded')),
  CONSTRAINT failed_charge_says_why CHECK ((status = 'failed') = (failure_code IS NOT NULL)),
  CONSTRAINT paid_charge_names_its_payment CHECK (
    status <> 'succeeded' OR processor_payment_id IS NOT NULL),
  CONSTRAINT charge_is_asked_after_while_it_is_under_way CHECK (
    (next_attempt_at IS NOT NULL) = (status IN ('processing', 'requires_action')))
);
CREATE UNIQUE INDEX one_charge_of_a_subscription_at_a_time
  ON subscription_payments (subscription_id)
  WHERE status IN ('processing', 'requires_action');
CREATE UNIQUE INDEX invoice_is_paid_once ON subscription_payments (invoice_id)
  WHERE status = 'succeeded';
CREATE INDEX subscription_payments_due ON subscription_payments (next_attempt_at)
  WHERE next_attempt_at IS NOT NULL;
CREATE INDEX subscription_payments_of_a_tenant ON subscription_payments (tenant_id, changed_at);

ALTER TABLE subscription_invoices
  ADD CONSTRAINT invoice_is_paid_by_a_charge
    FOREIGN KEY (paid_by) REFERENCES subscription_payments (id);

CREATE TABLE subscription_collections (
  id                text PRIMARY KEY,
  tenant_id         uuid NOT NULL DEFAULT billing_central.current_tenant(),
  subscription_id   text NOT NULL,
  payment_method_id text,
  failing_since     timestamptz,
  failed_at         timestamptz,
  failures          integer NOT NULL,
  wants_method      boolean NOT NULL,
  must_charge       boolean NOT NULL,
  next_at           timestamptz,
  version           bigint NOT NULL,
  trail             bytea NOT NULL,
  state_digest      bytea NOT NULL,
  CONSTRAINT subscription_is_collected_one_way UNIQUE (subscription_id),
  CONSTRAINT collected_subscription_exists
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (id),
  CONSTRAINT what_fails_says_since_when CHECK (
    failures >= 0 AND (failures > 0) = (failing_since IS NOT NULL)
    AND (failures > 0) = (failed_at IS NOT NULL) AND failing_since <= failed_at)
);
CREATE INDEX subscription_collections_of_a_tenant ON subscription_collections (tenant_id);
-- What is due, and nothing of what is not: collecting costs as much as there is to do.
CREATE INDEX subscription_collections_due ON subscription_collections (next_at)
  WHERE next_at IS NOT NULL;

CREATE TABLE platform_incidents (
  id           text PRIMARY KEY,
  office       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  reason       text NOT NULL,
  declared_at  timestamptz NOT NULL,
  ended_at     timestamptz,
  version      bigint NOT NULL,
  trail        bytea NOT NULL,
  state_digest bytea NOT NULL,
  CONSTRAINT incident_ends_after_it_began CHECK (ended_at >= declared_at)
);
CREATE UNIQUE INDEX one_platform_incident_at_a_time ON platform_incidents ((true))
  WHERE ended_at IS NULL;
CREATE INDEX platform_incidents_by_end ON platform_incidents (ended_at);

ALTER TABLE subscription_payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscription_payments FORCE ROW LEVEL SECURITY;
ALTER TABLE subscription_collections ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscription_collections FORCE ROW LEVEL SECURITY;
ALTER TABLE platform_incidents ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_incidents FORCE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON subscription_payments TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY own_rows ON subscription_collections TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY own_rows ON platform_incidents TO billing_tenant
  USING (is_current_tenant(office)) WITH CHECK (is_current_tenant(office));
-- An incident is nobody's, like a plan: whoever is dunned has to know that one is on. The office
-- that declared it changes it, and has its trail.
CREATE POLICY shared ON platform_incidents FOR SELECT TO billing_tenant USING (true);
-- While the processor is left alone nobody is suspended.
CREATE POLICY seen ON circuit_breakers FOR SELECT TO billing_tenant USING (true);
-- The jobs ask for whom something is due before there is a tenant to enter.
CREATE POLICY due ON subscription_payments FOR SELECT TO billing_drain
  USING (next_attempt_at IS NOT NULL);
CREATE POLICY due ON subscription_collections FOR SELECT TO billing_drain
  USING (next_at IS NOT NULL);
GRANT SELECT, INSERT, UPDATE (status, processor_payment_id, failure_code, changed_at,
    next_attempt_at, version, trail, state_digest) ON subscription_payments TO billing_tenant;
GRANT SELECT, INSERT, UPDATE (payment_method_id, failing_since, failed_at, failures, wants_method,
    must_charge, next_at, version, trail, state_digest) ON subscription_collections
  TO billing_tenant;
GRANT SELECT, INSERT, UPDATE (ended_at, version, trail, state_digest) ON platform_incidents
  TO billing_tenant;
GRANT UPDATE (paid_at, paid_by, given_up_at) ON subscription_invoices TO billing_tenant;
GRANT SELECT (name, opened_at) ON circuit_breakers TO billing_tenant;
GRANT SELECT (tenant_id, next_attempt_at) ON subscription_payments TO billing_drain;
GRANT SELECT (tenant_id, next_at) ON subscription_collections TO billing_drain;

-- down
REVOKE SELECT (name, opened_at) ON circuit_breakers FROM billing_tenant;
DROP POLICY seen ON circuit_breakers;
REVOKE UPDATE (paid_at, paid_by, given_up_at) ON subscription_invoices FROM billing_tenant;
DROP TABLE platform_incidents;
DROP TABLE subscription_collections;
ALTER TABLE subscription_invoices DROP COLUMN paid_at, DROP COLUMN paid_by, DROP COLUMN given_up_at;
DROP TABLE subscription_payments;
