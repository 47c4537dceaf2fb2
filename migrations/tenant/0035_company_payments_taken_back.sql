-- Why: a bank asks for the money of a company's card payment, or somebody gives it back at the
--      processor: it is taken from the account's credit, and what it had paid is open again.
-- Lock: ACCESS EXCLUSIVE on account_credits and payment_disputes for a moment (columns that are
--       null, constraints that are not held against the rows before), SHARE on account_credits
--       while it is read once for its index.
-- Version before: goes on working; it refuses such an event and keeps it. A dispute of a company's
--       payment it cannot show.
-- Down: is refused while anything was taken back.

-- up
-- What is taken back is less than nothing, and names the payment that it is of (`takes_back`) and
-- the processor's id of the dispute or refund (`cause`); a dispute that is won gives it again.
ALTER TABLE account_credits
  ADD COLUMN takes_back text,
  ADD COLUMN cause text;
ALTER TABLE account_credits
  DROP CONSTRAINT account_credit_is_positive,
  DROP CONSTRAINT account_credit_kind_is_known;
ALTER TABLE account_credits
  ADD CONSTRAINT account_credit_kind_is_known CHECK
    (kind IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'refund', 'credit_note', 'disputed',
      'dispute_won', 'refunded_there')) NOT VALID,
  ADD CONSTRAINT only_what_is_taken_back_is_negative CHECK
    (amount_micro <> 0 AND (amount_micro < 0) = (kind IN ('disputed', 'refunded_there'))) NOT VALID,
  ADD CONSTRAINT what_is_taken_back_names_its_payment CHECK
    (num_nonnulls(takes_back, cause)
      = CASE WHEN kind IN ('disputed', 'dispute_won', 'refunded_there') THEN 2 ELSE 0 END)
    NOT VALID,
  ADD CONSTRAINT payment_that_is_taken_back_exists
    FOREIGN KEY (tenant_id, takes_back) REFERENCES account_credits (tenant_id, id) NOT VALID;
CREATE UNIQUE INDEX company_money_is_taken_back_once ON account_credits (tenant_id, kind, cause)
  WHERE cause IS NOT NULL;
CREATE INDEX account_credits_taken_back ON account_credits (tenant_id, takes_back)
  WHERE takes_back IS NOT NULL;
CREATE INDEX allocations_by_account ON receivable_allocations (tenant_id, account_id, id);

-- A dispute is of a folio's payment, of a company's, or of none; `on_account_micro` is what of it
-- the company owes again.
ALTER TABLE payment_disputes
  ADD COLUMN receipt_id text,
  ADD COLUMN on_account_micro bigint NOT NULL DEFAULT 0;
ALTER TABLE payment_disputes
  DROP CONSTRAINT dispute_is_of_a_folios_payment_or_of_none,
  DROP CONSTRAINT dispute_is_of_one_payment;
ALTER TABLE payment_disputes
  ADD CONSTRAINT dispute_is_of_a_folio_and_its_payment CHECK
    (num_nonnulls(folio_id, payment_id) IN (0, 2)
      AND (property_id IS NULL) = (num_nonnulls(payment_id, receipt_id) = 0)) NOT VALID,
  ADD CONSTRAINT dispute_is_of_one_payment CHECK
    (num_nonnulls(payment_id, receipt_id, subscription_invoice_id) <= 1) NOT VALID,
  ADD CONSTRAINT dispute_is_of_a_companys_payment
    FOREIGN KEY (tenant_id, receipt_id) REFERENCES account_credits (tenant_id, id) NOT VALID,
  ADD CONSTRAINT company_owes_again_what_it_paid CHECK
    (on_account_micro BETWEEN 0 AND amount_micro
      AND (on_account_micro = 0 OR receipt_id IS NOT NULL)) NOT VALID;
GRANT UPDATE (on_account_micro) ON payment_disputes TO {tenant_role};

-- down
ALTER TABLE account_credits ADD CONSTRAINT nothing_was_taken_back CHECK (takes_back IS NULL);
ALTER TABLE payment_disputes ADD CONSTRAINT no_dispute_is_of_a_company CHECK (receipt_id IS NULL);
ALTER TABLE payment_disputes
  DROP CONSTRAINT company_owes_again_what_it_paid,
  DROP CONSTRAINT dispute_is_of_a_companys_payment,
  DROP CONSTRAINT dispute_is_of_a_folio_and_its_payment,
  DROP CONSTRAINT dispute_is_of_one_payment,
  DROP CONSTRAINT no_dispute_is_of_a_company;
ALTER TABLE payment_disputes DROP COLUMN on_account_micro, DROP COLUMN receipt_id;
ALTER TABLE payment_disputes
  ADD CONSTRAINT dispute_is_of_a_folios_payment_or_of_none CHECK
    (num_nonnulls(property_id, folio_id, payment_id) IN (0, 3)) NOT VALID,
  ADD CONSTRAINT dispute_is_of_one_payment CHECK
    (subscription_invoice_id IS NULL OR payment_id IS NULL) NOT VALID;
DROP INDEX allocations_by_account;
DROP INDEX account_credits_taken_back;
DROP INDEX company_money_is_taken_back_once;
ALTER TABLE account_credits
  DROP CONSTRAINT payment_that_is_taken_back_exists,
  DROP CONSTRAINT what_is_taken_back_names_its_payment,
  DROP CONSTRAINT only_what_is_taken_back_is_negative,
  DROP CONSTRAINT account_credit_kind_is_known,
  DROP CONSTRAINT nothing_was_taken_back;
ALTER TABLE account_credits
  ADD CONSTRAINT account_credit_kind_is_known CHECK
    (kind IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'refund', 'credit_note')),
  ADD CONSTRAINT account_credit_is_positive CHECK (amount_micro > 0);
ALTER TABLE account_credits DROP COLUMN cause, DROP COLUMN takes_back;
