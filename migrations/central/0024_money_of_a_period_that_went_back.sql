-- Why: money of a period's invoices that went back is not credited again by a change of its terms:
--      a subscription keeps what of its current period went back, by what, and what that was billed
--      with then. A credit that was given before is taken back by an invoice that it pays.
-- Lock: ACCESS EXCLUSIVE on subscriptions and subscription_invoices for a moment: a column with a
--       constant default writes no row anew, and the few invoices are read once for the check.
-- Version before: goes on working. What goes back through it is not noted, so that a change within
--      the same period credits it again, as ever. A period that it begins while both versions run
--      keeps the notes of the one before, until the next: then a change may credit less than it
--      should, and the nightly check of the books names the subscription.
-- Down: is refused while there is an invoice of the new purpose.

-- up
ALTER TABLE subscriptions
  ADD COLUMN given_back jsonb NOT NULL DEFAULT '[]';
ALTER TABLE subscription_invoices
  DROP CONSTRAINT invoice_purpose_is_known,
  ADD CONSTRAINT invoice_purpose_is_known
    CHECK (purpose IN ('period', 'change', 'usage', 'late_usage', 'taken_back'));

-- down
ALTER TABLE subscription_invoices
  DROP CONSTRAINT invoice_purpose_is_known,
  ADD CONSTRAINT invoice_purpose_is_known
    CHECK (purpose IN ('period', 'change', 'usage', 'late_usage'));
ALTER TABLE subscriptions DROP COLUMN given_back;
