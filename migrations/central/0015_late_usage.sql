-- Why: what was used until a subscription ended may be told up to 34 days late: it lands on one
--      final invoice of its own, written when nothing more can come.
-- Lock: ACCESS EXCLUSIVE on subscription_invoices for an instant: its few rows are read once for
--       the check, and once for the index of none of them.
-- Version before: goes on working. What is told late of a subscription that has ended it refuses,
--      and it writes no invoice of the new purpose.
-- Down: is refused while there is such an invoice.

-- up
ALTER TABLE subscription_invoices
  DROP CONSTRAINT invoice_purpose_is_known,
  ADD CONSTRAINT invoice_purpose_is_known
    CHECK (purpose IN ('period', 'change', 'usage', 'late_usage'));
CREATE UNIQUE INDEX late_usage_is_invoiced_once ON subscription_invoices (subscription_id)
  WHERE purpose = 'late_usage';

-- down
DROP INDEX late_usage_is_invoiced_once;
ALTER TABLE subscription_invoices
  DROP CONSTRAINT invoice_purpose_is_known,
  ADD CONSTRAINT invoice_purpose_is_known CHECK (purpose IN ('period', 'change', 'usage'));
