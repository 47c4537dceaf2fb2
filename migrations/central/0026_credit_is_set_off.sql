-- Why: what a change credits to a tenant is set off against invoices that wait to be paid: an
--      invoice says how much of what is due of it a credit has paid, and the rest is charged.
-- Lock: ACCESS EXCLUSIVE on subscription_invoices for a moment: a column with a constant default
--       writes no row anew, and the few invoices are read once for the checks.
-- Version before: goes on working, and sets nothing off. It would charge the whole of an invoice of
--      which a part is set off, and leave that beside the payment: the nightly check of the books
--      names such an invoice. The jobs are to be of this version when the first is set off.
-- Down: is refused while something is set off.

-- up
ALTER TABLE subscription_invoices
  ADD COLUMN set_off_micro bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT no_more_is_set_off_than_is_due CHECK (set_off_micro BETWEEN 0 AND due_micro),
  DROP CONSTRAINT no_more_is_refunded_than_was_paid,
  ADD CONSTRAINT no_more_is_refunded_than_was_paid CHECK (
    refunded_micro BETWEEN 0
      AND CASE WHEN paid_at IS NULL THEN 0 ELSE due_micro - set_off_micro END);
GRANT UPDATE (set_off_micro) ON subscription_invoices TO billing_tenant;

-- down
ALTER TABLE subscription_invoices
  ADD CONSTRAINT nothing_is_set_off CHECK (set_off_micro = 0),
  DROP CONSTRAINT no_more_is_refunded_than_was_paid,
  ADD CONSTRAINT no_more_is_refunded_than_was_paid CHECK (
    refunded_micro BETWEEN 0 AND CASE WHEN paid_at IS NULL THEN 0 ELSE due_micro END);
ALTER TABLE subscription_invoices
  DROP CONSTRAINT nothing_is_set_off,
  DROP COLUMN set_off_micro;
