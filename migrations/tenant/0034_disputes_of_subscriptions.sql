-- Why: a bank may ask back what an invoice of the platform was paid with. Such a dispute is of that
--      invoice, and of no folio and no purchase of credits.
-- Lock: ACCESS EXCLUSIVE on payment_disputes for a moment (a column that is null, a constraint that
--       is not held against the rows before).
-- Version before: goes on working; it names its columns, and knows no such dispute.
-- Down: is refused while there is such a dispute.

-- up
ALTER TABLE payment_disputes ADD COLUMN subscription_invoice_id text;
ALTER TABLE payment_disputes
  ADD CONSTRAINT dispute_is_of_one_payment
    CHECK (subscription_invoice_id IS NULL OR payment_id IS NULL) NOT VALID;

-- down
ALTER TABLE payment_disputes DROP CONSTRAINT dispute_is_of_one_payment;
ALTER TABLE payment_disputes ADD CONSTRAINT no_dispute_is_of_a_subscription
  CHECK (subscription_invoice_id IS NULL);
ALTER TABLE payment_disputes DROP CONSTRAINT no_dispute_is_of_a_subscription;
ALTER TABLE payment_disputes DROP COLUMN subscription_invoice_id;
