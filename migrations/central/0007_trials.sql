-- Why: a subscription may begin with a trial (SUB-10): once for an account, a hotel, a mailbox, a
--      device and a card, over all tenants. A trial is due when it ends, as a period is.
-- Lock: exclusive on subscriptions while a constraint is put in the place of another one, which
--      reads the table once; no row is rewritten. The other tables are new.
-- Version before: goes on working; it makes no trials, and its cycle, which would come upon one
--      that is due, refuses it by the state and leaves it for the next version's.

-- up
ALTER TABLE subscriptions DROP CONSTRAINT due_is_what_runs;
ALTER TABLE subscriptions ADD CONSTRAINT due_is_what_runs CHECK (
  due_at IS NOT DISTINCT FROM
    CASE WHEN status IN ('trialing', 'active', 'past_due') THEN period_end END);

CREATE TABLE trials (
  subscription_id text PRIMARY KEY,
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  began_at        timestamptz NOT NULL,
  ends_at         timestamptz NOT NULL,
  remind_at       timestamptz,
  CONSTRAINT trialed_subscription_exists
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (id),
  CONSTRAINT one_trial_per_tenant UNIQUE (tenant_id),
  CONSTRAINT trial_is_told_of_before_it_ends CHECK (
    began_at < ends_at AND remind_at BETWEEN began_at AND ends_at)
);
-- Of whom the reminder is still to be told, and nobody else.
CREATE INDEX trials_to_remind ON trials (remind_at) WHERE remind_at IS NOT NULL;

-- HMACs under a key of the platform and nothing personal. They are kept as long as the platform
-- offers trials, and that is what they are for. One index a kind: each names the rule it keeps.
CREATE TABLE trial_marks (
  subscription_id text NOT NULL,
  kind            text NOT NULL,
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  mark            bytea NOT NULL,
  recorded_at     timestamptz NOT NULL,
  CONSTRAINT trial_has_one_mark_of_a_kind PRIMARY KEY (subscription_id, kind),
  CONSTRAINT marked_trial_exists FOREIGN KEY (subscription_id) REFERENCES trials (subscription_id),
  CONSTRAINT mark_kind_is_known CHECK (kind IN ('account', 'email', 'device', 'card')),
  CONSTRAINT mark_is_an_hmac CHECK (length(mark) = 32)
);
CREATE UNIQUE INDEX one_trial_per_account ON trial_marks (mark) WHERE kind = 'account';
CREATE UNIQUE INDEX one_trial_per_mailbox ON trial_marks (mark) WHERE kind = 'email';
CREATE UNIQUE INDEX one_trial_per_device ON trial_marks (mark) WHERE kind = 'device';
CREATE UNIQUE INDEX one_trial_per_card ON trial_marks (mark) WHERE kind = 'card';

ALTER TABLE trials ENABLE ROW LEVEL SECURITY;
ALTER TABLE trials FORCE ROW LEVEL SECURITY;
ALTER TABLE trial_marks ENABLE ROW LEVEL SECURITY;
ALTER TABLE trial_marks FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON trials TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY own_rows ON trial_marks TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
-- The reminder's job asks whom to tell before there is a tenant to enter.
CREATE POLICY to_remind ON trials FOR SELECT TO billing_drain USING (remind_at IS NOT NULL);

GRANT SELECT, INSERT, UPDATE ON trials TO billing_tenant;
GRANT SELECT, INSERT ON trial_marks TO billing_tenant;
GRANT SELECT (tenant_id, remind_at) ON trials TO billing_drain;

-- down
DROP TABLE trial_marks;
DROP TABLE trials;
ALTER TABLE subscriptions DROP CONSTRAINT due_is_what_runs;
ALTER TABLE subscriptions ADD CONSTRAINT due_is_what_runs CHECK (
  due_at IS NOT DISTINCT FROM
    CASE WHEN status IN ('active', 'past_due') THEN period_end END);
