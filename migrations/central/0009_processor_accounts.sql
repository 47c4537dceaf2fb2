-- Why: an account at the processor to which a tenant's money is paid out belongs to one tenant and
--      never to a second: whoever names it afterwards is refused, and a webhook of it that names
--      somebody else is put aside. One that the processor has never proven is given up with the
--      mistake that named it; one that it has proven stays its tenant's for ever.
-- Lock: none that anybody waits for; the table is new.
-- Version before: goes on working. An account that it connects, or has connected, is listed with
--      the processor's next word of it.

-- up
CREATE TABLE processor_accounts (
  processor_account_id text NOT NULL,
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  recorded_at          timestamptz NOT NULL,
  proven_at            timestamptz,
  CONSTRAINT processor_account_is_of_one_tenant PRIMARY KEY (processor_account_id)
);

ALTER TABLE processor_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE processor_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_accounts ON processor_accounts TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY proven_account_is_never_given_up ON processor_accounts AS RESTRICTIVE FOR DELETE
  TO billing_tenant USING (is_current_tenant(tenant_id) AND proven_at IS NULL);
-- Whose an account is has to be known before there is a tenant to enter.
CREATE POLICY whose ON processor_accounts FOR SELECT TO billing_app USING (true);

GRANT SELECT, INSERT, DELETE, UPDATE (proven_at) ON processor_accounts TO billing_tenant;
GRANT SELECT ON processor_accounts TO billing_app;

-- down
DROP TABLE processor_accounts;
