-- Why: of a card payment that goes back by itself, somebody gives money back at the processor
--      meanwhile, or a bank asks for it: then it goes back so, and our own refund is called off.
-- Lock: ACCESS EXCLUSIVE on returned_payments and payment_disputes for a moment (columns with a
--       constant default or that are null, constraints that are not held against the rows before),
--       and SHARE on ledger_entries while it is read once for its index.
-- Version before: goes on working; it refuses such an event and keeps it. A payment that a bank
--       asks for it cannot show, nor the dispute of one.
-- Down: is refused while anything went back otherwise, or a bank asks for such a payment.

-- up
-- `gone_micro`: what of it went back otherwise than by our refund of now; `called_off` and
-- `refused`: ids of refunds that were promised before, and of those that were not made.
ALTER TABLE returned_payments
  ADD COLUMN gone_micro bigint NOT NULL DEFAULT 0,
  ADD COLUMN called_off text[] NOT NULL DEFAULT '{}',
  ADD COLUMN refused text[] NOT NULL DEFAULT '{}';
ALTER TABLE returned_payments
  DROP CONSTRAINT return_status_is_known,
  DROP CONSTRAINT pending_return_is_not_settled;
ALTER TABLE returned_payments
  ADD CONSTRAINT return_status_is_known CHECK
    (status IN ('pending', 'returned', 'failed', 'placed', 'contested')) NOT VALID,
  ADD CONSTRAINT pending_return_is_not_settled CHECK
    ((status IN ('pending', 'contested')) = (settled_at IS NULL)) NOT VALID,
  ADD CONSTRAINT no_more_goes_back_than_came CHECK
    (gone_micro BETWEEN 0 AND paid_amount_micro
      AND (gone_micro = 0 OR gone_micro < paid_amount_micro OR status = 'returned')) NOT VALID;
DROP INDEX returns_by_time;
CREATE INDEX returns_by_time ON returned_payments (tenant_id, next_attempt_at)
  WHERE status IN ('pending', 'contested');
CREATE INDEX returned_payments_by_folio ON returned_payments (tenant_id, folio_id);
GRANT UPDATE (refund_id, gone_micro, called_off, refused) ON returned_payments TO {tenant_role};

-- What went back otherwise: given back at the processor, lost to a bank, or made by a refund of
-- ours that had been called off. `cause` is the processor's id of it, or our refund's; of a refund
-- that failed after it was made the amount is less than nothing.
CREATE TABLE returned_parts (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id            text NOT NULL,
  returned_id   text NOT NULL,
  kind          text NOT NULL,
  cause         text NOT NULL,
  amount_micro  bigint NOT NULL,
  currency      text NOT NULL,
  business_date date NOT NULL,
  made_at       timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT part_goes_back_once UNIQUE (tenant_id, kind, cause),
  CONSTRAINT part_is_of_a_payment_that_goes_back
    FOREIGN KEY (tenant_id, returned_id) REFERENCES returned_payments (tenant_id, id),
  CONSTRAINT part_kind_is_known CHECK
    (kind IN ('refunded_there', 'refund_failed', 'lost', 'made_after_all')),
  CONSTRAINT only_a_failed_part_comes_again CHECK
    (amount_micro <> 0 AND (amount_micro < 0) = (kind = 'refund_failed'))
);
CREATE INDEX returned_parts_by_payment ON returned_parts (tenant_id, returned_id);
CREATE INDEX returned_parts_by_cause ON returned_parts (tenant_id, cause);
CREATE INDEX returned_parts_by_time ON returned_parts (tenant_id, made_at);

ALTER TABLE returned_parts ENABLE ROW LEVEL SECURITY;
ALTER TABLE returned_parts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON returned_parts TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
GRANT SELECT, INSERT ON returned_parts TO {tenant_role};

-- A dispute of such a payment names it; `on_account_micro` is what of it had not gone back.
ALTER TABLE payment_disputes ADD COLUMN returned_id text;
ALTER TABLE payment_disputes
  DROP CONSTRAINT dispute_is_of_a_folio_and_its_payment,
  DROP CONSTRAINT dispute_is_of_one_payment,
  DROP CONSTRAINT company_owes_again_what_it_paid;
ALTER TABLE payment_disputes
  ADD CONSTRAINT dispute_is_of_a_folio_and_its_payment CHECK
    (num_nonnulls(folio_id, coalesce(payment_id, returned_id)) IN (0, 2)
      AND (property_id IS NULL) = (num_nonnulls(payment_id, receipt_id, returned_id) = 0))
    NOT VALID,
  ADD CONSTRAINT dispute_is_of_one_payment CHECK
    (num_nonnulls(payment_id, receipt_id, subscription_invoice_id, returned_id) <= 1) NOT VALID,
  ADD CONSTRAINT company_owes_again_what_it_paid CHECK
    (on_account_micro BETWEEN 0 AND amount_micro
      AND (on_account_micro = 0 OR num_nonnulls(receipt_id, returned_id) = 1)) NOT VALID,
  ADD CONSTRAINT dispute_is_of_a_payment_that_goes_back
    FOREIGN KEY (tenant_id, returned_id) REFERENCES returned_payments (tenant_id, id) NOT VALID;
CREATE INDEX disputes_by_return ON payment_disputes (tenant_id, returned_id)
  WHERE returned_id IS NOT NULL;

-- What the platform owes the house for bills that credits have settled is read by this.
CREATE INDEX ledger_of_credits ON ledger_entries (tenant_id, property_id, currency)
  WHERE 'credits_clearing' IN (debit_account, credit_account);

-- down
DROP INDEX ledger_of_credits;
ALTER TABLE payment_disputes ADD CONSTRAINT no_bank_asks_for_what_goes_back
  CHECK (returned_id IS NULL);
ALTER TABLE returned_payments ADD CONSTRAINT nothing_went_back_otherwise
  CHECK (gone_micro = 0 AND status <> 'contested' AND called_off = '{}');
ALTER TABLE payment_disputes
  DROP CONSTRAINT no_bank_asks_for_what_goes_back,
  DROP CONSTRAINT dispute_is_of_a_payment_that_goes_back,
  DROP CONSTRAINT company_owes_again_what_it_paid,
  DROP CONSTRAINT dispute_is_of_one_payment,
  DROP CONSTRAINT dispute_is_of_a_folio_and_its_payment;
DROP INDEX disputes_by_return;
ALTER TABLE payment_disputes DROP COLUMN returned_id;
ALTER TABLE payment_disputes
  ADD CONSTRAINT dispute_is_of_a_folio_and_its_payment CHECK
    (num_nonnulls(folio_id, payment_id) IN (0, 2)
      AND (property_id IS NULL) = (num_nonnulls(payment_id, receipt_id) = 0)) NOT VALID,
  ADD CONSTRAINT dispute_is_of_one_payment CHECK
    (num_nonnulls(payment_id, receipt_id, subscription_invoice_id) <= 1) NOT VALID,
  ADD CONSTRAINT company_owes_again_what_it_paid CHECK
    (on_account_micro BETWEEN 0 AND amount_micro
      AND (on_account_micro = 0 OR receipt_id IS NOT NULL)) NOT VALID;
DROP TABLE returned_parts;
REVOKE UPDATE (refund_id) ON returned_payments FROM {tenant_role};
ALTER TABLE returned_payments
  DROP CONSTRAINT nothing_went_back_otherwise,
  DROP CONSTRAINT no_more_goes_back_than_came,
  DROP CONSTRAINT pending_return_is_not_settled,
  DROP CONSTRAINT return_status_is_known;
DROP INDEX returned_payments_by_folio;
DROP INDEX returns_by_time;
CREATE INDEX returns_by_time ON returned_payments (tenant_id, next_attempt_at)
  WHERE status = 'pending';
ALTER TABLE returned_payments
  ADD CONSTRAINT return_status_is_known
    CHECK (status IN ('pending', 'returned', 'failed', 'placed')),
  ADD CONSTRAINT pending_return_is_not_settled CHECK ((status = 'pending') = (settled_at IS NULL));
ALTER TABLE returned_payments
  DROP COLUMN refused,
  DROP COLUMN called_off,
  DROP COLUMN gone_micro;
