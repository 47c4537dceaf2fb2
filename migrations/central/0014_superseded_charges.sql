-- Why: a charge that waits for its tenant's bank (3-D Secure) is called off at the processor once
--      another one is to take its place, so that nobody pays one debt twice.
-- Lock: ACCESS EXCLUSIVE on subscription_payments for a moment (a column with a constant default).
-- Version before: goes on working; what was superseded it asks after, and calls off no more.

-- up
ALTER TABLE subscription_payments ADD COLUMN is_superseded boolean NOT NULL DEFAULT false;
GRANT UPDATE (is_superseded) ON subscription_payments TO billing_tenant;

-- down
REVOKE UPDATE (is_superseded) ON subscription_payments FROM billing_tenant;
ALTER TABLE subscription_payments DROP COLUMN is_superseded;
