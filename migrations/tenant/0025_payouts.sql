-- Why: payouts. What the processor holds for a property goes to the tenant's account there:
--      promised in the ledger before it is asked for, large ones after a second person's approval,
--      settled once by the processor's word.
-- Lock: SHARE on ledger_entries while it is read once for its index; the tables are new.
-- Version before: goes on working; it knows nothing of payouts.

-- up
-- The tenant's account at the processor; whether money may go there is the processor's word.
CREATE TABLE payout_accounts (
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                   text NOT NULL,
  processor_account_id text NOT NULL,
  is_enabled           boolean NOT NULL,
  told_at              timestamptz,
  connected_by         text NOT NULL,
  connected_at         timestamptz NOT NULL,
  version              bigint NOT NULL,
  trail                bytea NOT NULL,
  state_digest         bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT one_payout_account_per_tenant UNIQUE (tenant_id),
  CONSTRAINT payout_account_names_the_processors CHECK (processor_account_id <> ''),
  CONSTRAINT enabled_account_was_told_of CHECK (NOT is_enabled OR told_at IS NOT NULL)
);

CREATE TABLE payouts (
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                   text NOT NULL,
  property_id          uuid NOT NULL,
  amount_micro         bigint NOT NULL,
  currency             text NOT NULL,
  processor_account_id text NOT NULL,
  usd_micro            bigint,
  fx                   jsonb,
  needs_approval       boolean NOT NULL,
  status               text NOT NULL,
  requested_by         text NOT NULL,
  requested_at         timestamptz NOT NULL,
  business_date        date NOT NULL,
  decided_by           text,
  decided_at           timestamptz,
  step_up_token_id     text,
  assertion_hash       text,
  step_up_method       text,
  reason               text,
  paid_at              timestamptz,
  failure_code         text,
  version              bigint NOT NULL,
  trail                bytea NOT NULL,
  state_digest         bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT payout_is_positive CHECK (amount_micro > 0),
  CONSTRAINT payout_status_is_known
    CHECK (status IN ('awaiting_approval', 'pending', 'paid', 'failed', 'rejected')),
  CONSTRAINT payout_is_approved_by_another_person CHECK (decided_by <> requested_by),
  CONSTRAINT payout_is_decided_on_its_own UNIQUE (tenant_id, step_up_token_id),
  CONSTRAINT decision_on_a_payout_is_signed CHECK
    (num_nonnulls(decided_by, decided_at, step_up_token_id, assertion_hash, step_up_method)
      IN (0, 5)),
  CONSTRAINT large_payout_waits_for_approval CHECK
    (CASE WHEN NOT needs_approval THEN decided_by IS NULL
          ELSE (status = 'awaiting_approval') = (decided_by IS NULL) END),
  CONSTRAINT small_payout_is_known_to_be_small
    CHECK (needs_approval OR coalesce(usd_micro, 10000000001) <= 10000000000),
  CONSTRAINT rejected_payout_says_why CHECK ((status = 'rejected') = (reason IS NOT NULL)),
  CONSTRAINT failed_payout_says_why CHECK ((status = 'failed') = (failure_code IS NOT NULL)),
  CONSTRAINT paid_payout_says_when CHECK
    (CASE status WHEN 'paid' THEN paid_at IS NOT NULL WHEN 'failed' THEN true
       ELSE paid_at IS NULL END)
);
CREATE INDEX payouts_by_property ON payouts (tenant_id, property_id, id);

-- Payouts that the processor has not settled yet, and when to ask again.
CREATE TABLE payout_queue (
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  payout_id       text NOT NULL,
  attempts        integer NOT NULL,
  next_attempt_at timestamptz NOT NULL,
  CONSTRAINT payout_waits_once PRIMARY KEY (tenant_id, payout_id),
  CONSTRAINT waiting_payout_exists
    FOREIGN KEY (tenant_id, payout_id) REFERENCES payouts (tenant_id, id)
);
CREATE INDEX payout_queue_by_time ON payout_queue (tenant_id, next_attempt_at);

-- What the processor holds for a property is the sum of these.
CREATE INDEX card_clearing_by_property ON ledger_entries (tenant_id, property_id, currency)
  WHERE debit_account = 'card_clearing' OR credit_account = 'card_clearing';

ALTER TABLE payout_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE payout_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON payout_accounts TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE payouts ENABLE ROW LEVEL SECURITY;
ALTER TABLE payouts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON payouts TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE payout_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE payout_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON payout_queue TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
GRANT SELECT, INSERT, UPDATE (processor_account_id, is_enabled, told_at, connected_by,
  connected_at, version, trail, state_digest) ON payout_accounts TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (status, decided_by, decided_at, step_up_token_id, assertion_hash,
  step_up_method, reason, paid_at, failure_code, version, trail, state_digest)
  ON payouts TO {tenant_role};
GRANT SELECT, INSERT, DELETE, UPDATE (attempts, next_attempt_at) ON payout_queue TO {tenant_role};

-- down
DROP INDEX card_clearing_by_property;
DROP TABLE payout_queue;
DROP TABLE payouts;
DROP TABLE payout_accounts;
