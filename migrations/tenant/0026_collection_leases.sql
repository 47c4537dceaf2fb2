-- Why: one debt is collected once over every rail. Before the processor is asked for a payment of a
--      folio's debt, a lease on that debt is taken; while it runs, nobody else collects it. Whether
--      a payment is wanted as a deposit is kept with it, as what comes beyond the debt goes back
--      where it is not.
-- Lock: SHARE ROW EXCLUSIVE on folios and payment_intents for a moment, by the foreign keys of the
--      new table; ACCESS EXCLUSIVE on payment_intents for a moment, for a column whose default is
--      kept in the catalogue and written into no row.
-- Version before: goes on working and takes no leases. What it makes counts as a deposit, as it
--      did: what is beyond the debt stays on the folio.

-- up
ALTER TABLE payment_intents ADD COLUMN allow_credit boolean NOT NULL DEFAULT true;

CREATE TABLE collection_leases (
  tenant_id    uuid NOT NULL DEFAULT billing_central.current_tenant(),
  folio_id     text NOT NULL,
  intent_id    text NOT NULL,
  amount_micro bigint NOT NULL,
  currency     text NOT NULL,
  taken_at     timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  CONSTRAINT one_collection_of_a_debt_at_a_time PRIMARY KEY (tenant_id, folio_id),
  CONSTRAINT payment_holds_one_lease UNIQUE (tenant_id, intent_id),
  CONSTRAINT lease_is_on_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id),
  CONSTRAINT lease_is_of_a_payment
    FOREIGN KEY (tenant_id, intent_id) REFERENCES payment_intents (tenant_id, id),
  CONSTRAINT lease_is_of_a_debt CHECK (amount_micro > 0),
  CONSTRAINT lease_has_an_end CHECK (expires_at > taken_at)
);

ALTER TABLE collection_leases ENABLE ROW LEVEL SECURITY;
ALTER TABLE collection_leases FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON collection_leases TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, DELETE ON collection_leases TO {tenant_role};

-- down
DROP TABLE collection_leases;
ALTER TABLE payment_intents DROP COLUMN allow_credit;
