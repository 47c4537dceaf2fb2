-- Why: what the platform's invoices were paid with may go back: a refund is a credit note of the
--      platform with a number of its own, and what a bank asks back is booked as withheld, as lost
--      or as back. An invoice says how much of its money is gone in which way.
-- Lock: ACCESS EXCLUSIVE on subscription_invoices for a moment: columns with a constant default
--       write no row anew, and the constraint is held against the rows once they are there.
-- Version before: goes on working. What is refunded or disputed meanwhile it refuses, as ever, and
--      it is taken in when the event is replayed, or stands among the differences.
-- Down: is refused while there is a credit note or an entry of the kind.

-- up
ALTER TABLE subscription_invoices
  ADD COLUMN refunded_micro bigint NOT NULL DEFAULT 0,
  ADD COLUMN withheld_micro bigint NOT NULL DEFAULT 0,
  ADD COLUMN lost_micro bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT no_more_is_refunded_than_was_paid CHECK (
    refunded_micro BETWEEN 0 AND CASE WHEN paid_at IS NULL THEN 0 ELSE due_micro END),
  ADD CONSTRAINT money_of_a_bank_is_not_negative CHECK (LEAST(withheld_micro, lost_micro) >= 0);
GRANT UPDATE (refunded_micro, withheld_micro, lost_micro) ON subscription_invoices
  TO billing_tenant;

-- The numbers of the platform's credit notes: a series of their own, over all tenants.
CREATE TABLE platform_credit_series (
  year        smallint PRIMARY KEY,
  last_number bigint NOT NULL,
  last_sha256 bytea
);

CREATE TABLE platform_credit_notes (
  id                  text PRIMARY KEY,
  tenant_id           uuid NOT NULL DEFAULT billing_central.current_tenant(),
  subscription_id     text NOT NULL,
  invoice_id          text NOT NULL,
  processor_refund_id text NOT NULL,
  year                smallint NOT NULL,
  series_number       bigint NOT NULL,
  number              text NOT NULL,
  currency            text NOT NULL,
  net_micro           bigint NOT NULL,
  tax_micro           bigint NOT NULL,
  total_micro         bigint NOT NULL,
  issued_at           timestamptz NOT NULL,
  payload             text NOT NULL,
  payload_sha256      bytea NOT NULL,
  previous_sha256     bytea,
  CONSTRAINT credited_platform_invoice_exists
    FOREIGN KEY (invoice_id) REFERENCES subscription_invoices (id),
  CONSTRAINT credited_subscription_exists
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (id),
  CONSTRAINT platform_refund_is_credited_once UNIQUE (tenant_id, processor_refund_id),
  CONSTRAINT platform_credit_number_is_given_once UNIQUE (year, series_number),
  CONSTRAINT printed_platform_credit_number_is_given_once UNIQUE (number),
  CONSTRAINT platform_credit_is_of_something CHECK (
    total_micro > 0 AND total_micro = net_micro + tax_micro AND LEAST(net_micro, tax_micro) >= 0)
);
CREATE INDEX platform_credit_notes_of_an_invoice ON platform_credit_notes (invoice_id, id);
CREATE INDEX platform_credit_notes_by_issue ON platform_credit_notes (issued_at);
CREATE INDEX platform_credit_notes_of_a_tenant ON platform_credit_notes (tenant_id, issued_at);

-- What went back, or was withheld, in the platform's books. `source` is the processor's refund or
-- dispute; each of its parts is booked once. Never changed.
CREATE TABLE platform_reversal_entries (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  source         text NOT NULL,
  part           smallint NOT NULL,
  invoice_id     text NOT NULL,
  debit_account  text NOT NULL,
  credit_account text NOT NULL,
  currency       text NOT NULL,
  amount_micro   bigint NOT NULL,
  occurred_at    timestamptz NOT NULL,
  CONSTRAINT reversal_is_booked_once PRIMARY KEY (tenant_id, source, part),
  CONSTRAINT reversed_platform_invoice_exists
    FOREIGN KEY (invoice_id) REFERENCES subscription_invoices (id),
  CONSTRAINT reversal_is_positive CHECK (amount_micro > 0),
  CONSTRAINT reversal_names_two_accounts CHECK (debit_account <> credit_account)
);
CREATE INDEX platform_reversals_of_an_invoice ON platform_reversal_entries (invoice_id);
CREATE INDEX platform_reversals_by_time ON platform_reversal_entries (occurred_at);

ALTER TABLE platform_credit_series ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_credit_series FORCE ROW LEVEL SECURITY;
ALTER TABLE platform_credit_notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_credit_notes FORCE ROW LEVEL SECURITY;
ALTER TABLE platform_reversal_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_reversal_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY shared ON platform_credit_series TO billing_tenant USING (true) WITH CHECK (true);
CREATE POLICY own_rows ON platform_credit_notes TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY own_rows ON platform_reversal_entries TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
GRANT SELECT, INSERT, UPDATE ON platform_credit_series TO billing_tenant;
GRANT SELECT, INSERT ON platform_credit_notes, platform_reversal_entries TO billing_tenant;

-- Figures of all tenants: what was given back of what was earned, and what banks hold or have.
CREATE POLICY figures ON platform_credit_notes FOR SELECT TO billing_analyst USING (true);
CREATE POLICY figures ON platform_reversal_entries FOR SELECT TO billing_analyst USING (true);
GRANT SELECT (id, tenant_id, subscription_id, invoice_id, number, currency, net_micro, tax_micro,
    total_micro, issued_at)
  ON platform_credit_notes TO billing_analyst;
GRANT SELECT (tenant_id, source, invoice_id, debit_account, credit_account, currency, amount_micro,
    occurred_at)
  ON platform_reversal_entries TO billing_analyst;

-- down
ALTER TABLE platform_credit_notes ADD CONSTRAINT nothing_was_credited CHECK (id IS NULL);
ALTER TABLE platform_reversal_entries ADD CONSTRAINT nothing_was_reversed CHECK (source IS NULL);
DROP TABLE platform_reversal_entries;
DROP TABLE platform_credit_notes;
DROP TABLE platform_credit_series;
REVOKE UPDATE (refunded_micro, withheld_micro, lost_micro) ON subscription_invoices
  FROM billing_tenant;
ALTER TABLE subscription_invoices
  DROP CONSTRAINT money_of_a_bank_is_not_negative,
  DROP CONSTRAINT no_more_is_refunded_than_was_paid;
ALTER TABLE subscription_invoices
  DROP COLUMN lost_micro,
  DROP COLUMN withheld_micro,
  DROP COLUMN refunded_micro;
