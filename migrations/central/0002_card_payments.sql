-- Why: a webhook of the processor names a payment and not always the tenant whose it is; the
--      directory of card payments says so. It holds no amount and nothing about a guest.
-- Lock: none that anybody waits for; the table is new.
-- Version before: goes on working; what it records stands in no directory, and a webhook that
--      names no tenant is kept for a person to look at.

-- up
CREATE TABLE card_payments (
  processor_payment_id text NOT NULL,
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  recorded_at          timestamptz NOT NULL,
  CONSTRAINT card_payment_is_listed_once PRIMARY KEY (processor_payment_id, tenant_id)
);

ALTER TABLE card_payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE card_payments FORCE ROW LEVEL SECURITY;
CREATE POLICY own_payments ON card_payments TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
-- Whose a payment is has to be known before there is a tenant to enter.
CREATE POLICY whose ON card_payments FOR SELECT TO billing_app USING (true);

GRANT SELECT, INSERT ON card_payments TO billing_tenant;
GRANT SELECT ON card_payments TO billing_app;

-- down
DROP TABLE card_payments;
