-- Why: a webhook about a customer's payment method names the processor's customer and not always
--      the tenant whose it is; this directory says so. A customer of the processor belongs to one
--      tenant and never to a second. It holds nothing about a guest.
-- Lock: none that anybody waits for; the table is new.
-- Version before: goes on working, and knows no customers.

-- up
CREATE TABLE processor_customers (
  processor_customer_id text NOT NULL,
  tenant_id             uuid NOT NULL DEFAULT billing_central.current_tenant(),
  recorded_at           timestamptz NOT NULL,
  CONSTRAINT processor_customer_is_of_one_tenant PRIMARY KEY (processor_customer_id)
);

ALTER TABLE processor_customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE processor_customers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_customers ON processor_customers TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
-- Whose a customer is has to be known before there is a tenant to enter.
CREATE POLICY whose ON processor_customers FOR SELECT TO billing_app USING (true);

GRANT SELECT, INSERT ON processor_customers TO billing_tenant;
GRANT SELECT ON processor_customers TO billing_app;

-- down
DROP TABLE processor_customers;
