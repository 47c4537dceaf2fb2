-- Why: a bank may ask for money that came a second time for an invoice of the platform, and
--      goes back by itself: it goes back by the bank or by us, and not by both. Such a dispute
--      names the charge that came second.
-- Lock: ACCESS EXCLUSIVE on payment_disputes for a moment (a column that is null, constraints that
--       are not held against the rows before), and SHARE while it is read once for its index.
-- Version before: goes on working; it refuses such an event and keeps it. A dispute of such a
--       charge it cannot show.
-- Down: is refused while there is such a dispute.

-- up
ALTER TABLE payment_disputes ADD COLUMN surplus_id text;
ALTER TABLE payment_disputes
  DROP CONSTRAINT dispute_is_of_one_payment,
  DROP CONSTRAINT company_owes_again_what_it_paid;
ALTER TABLE payment_disputes
  ADD CONSTRAINT dispute_is_of_one_payment CHECK
    (num_nonnulls(payment_id, receipt_id, subscription_invoice_id, returned_id, surplus_id) <= 1)
    NOT VALID,
  ADD CONSTRAINT company_owes_again_what_it_paid CHECK
    (on_account_micro BETWEEN 0 AND amount_micro
      AND (on_account_micro = 0 OR num_nonnulls(receipt_id, returned_id, surplus_id) = 1))
    NOT VALID;
CREATE INDEX disputes_by_surplus ON payment_disputes (tenant_id, surplus_id)
  WHERE surplus_id IS NOT NULL;

-- down
ALTER TABLE payment_disputes ADD CONSTRAINT no_dispute_is_of_what_came_second
  CHECK (surplus_id IS NULL);
ALTER TABLE payment_disputes
  DROP CONSTRAINT no_dispute_is_of_what_came_second,
  DROP CONSTRAINT company_owes_again_what_it_paid,
  DROP CONSTRAINT dispute_is_of_one_payment;
DROP INDEX disputes_by_surplus;
ALTER TABLE payment_disputes DROP COLUMN surplus_id;
ALTER TABLE payment_disputes
  ADD CONSTRAINT dispute_is_of_one_payment CHECK
    (num_nonnulls(payment_id, receipt_id, subscription_invoice_id, returned_id) <= 1) NOT VALID,
  ADD CONSTRAINT company_owes_again_what_it_paid CHECK
    (on_account_micro BETWEEN 0 AND amount_micro
      AND (on_account_micro = 0 OR num_nonnulls(receipt_id, returned_id) = 1)) NOT VALID;
