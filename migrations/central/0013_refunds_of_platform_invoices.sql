-- Why: somebody of the platform gives back money of an invoice: it is promised here, asked of the
--      processor under our id, and credited once that has made it.
-- Lock: none that anybody waits for; the table is new.
-- Version before: goes on working, and knows no such refund: its job asks for none.

-- up
CREATE TABLE subscription_refunds (
  id                   text PRIMARY KEY,
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  subscription_id      text NOT NULL,
  invoice_id           text NOT NULL,
  processor_payment_id text NOT NULL,
  currency             text NOT NULL,
  amount_micro         bigint NOT NULL,
  reason               text NOT NULL,
  requested_at         timestamptz NOT NULL,
  status               text NOT NULL,
  failure_code         text,
  settled_at           timestamptz,
  attempts             integer NOT NULL DEFAULT 0,
  next_attempt_at      timestamptz,
  version              bigint NOT NULL,
  trail                bytea NOT NULL,
  state_digest         bytea NOT NULL,
  CONSTRAINT refunded_platform_invoice_exists
    FOREIGN KEY (invoice_id) REFERENCES subscription_invoices (id),
  CONSTRAINT refunded_subscription_exists
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (id),
  CONSTRAINT platform_refund_is_positive CHECK (amount_micro > 0),
  CONSTRAINT platform_refund_status_is_known CHECK (status IN ('pending', 'succeeded', 'failed')),
  CONSTRAINT failed_platform_refund_says_why CHECK (
    (status = 'failed') = (failure_code IS NOT NULL)),
  CONSTRAINT platform_refund_waits_while_it_is_pending CHECK (
    (status = 'pending') = (next_attempt_at IS NOT NULL)
    AND (status = 'pending') = (settled_at IS NULL))
);
CREATE INDEX subscription_refunds_of_an_invoice ON subscription_refunds (invoice_id)
  WHERE status = 'pending';
CREATE INDEX subscription_refunds_due ON subscription_refunds (tenant_id, next_attempt_at)
  WHERE next_attempt_at IS NOT NULL;

ALTER TABLE subscription_refunds ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscription_refunds FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON subscription_refunds TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
GRANT SELECT, INSERT, UPDATE (status, failure_code, settled_at, attempts, next_attempt_at, version,
    trail, state_digest) ON subscription_refunds TO billing_tenant;

-- down
DROP TABLE subscription_refunds;
