-- Why: an end that a subscription of the processor's own has announced may be taken back there. So
--      it is kept apart from one that somebody here has scheduled, which stays; and since when the
--      newest word of an end is, as words come late and out of order.
-- Lock: ACCESS EXCLUSIVE on subscriptions and subscription_collections for a moment (columns that
--       are null, and an update of the few rows that have an end).
-- Version before: goes on working; what it schedules has no such note, and counts as set here.

-- up
ALTER TABLE subscriptions
  ADD COLUMN ends_there integer,
  ADD COLUMN ends_here integer;
ALTER TABLE subscriptions NO FORCE ROW LEVEL SECURITY;
UPDATE subscriptions SET ends_here = last_period WHERE last_period IS NOT NULL;
ALTER TABLE subscriptions FORCE ROW LEVEL SECURITY;
ALTER TABLE subscription_collections ADD COLUMN end_told_at timestamptz;
GRANT UPDATE (end_told_at) ON subscription_collections TO billing_tenant;

-- down
REVOKE UPDATE (end_told_at) ON subscription_collections FROM billing_tenant;
ALTER TABLE subscription_collections DROP COLUMN end_told_at;
ALTER TABLE subscriptions
  DROP COLUMN ends_here,
  DROP COLUMN ends_there;
