-- Why: cash drawers, their sessions and what moves in them; two persons close a drawer, and the
--      database itself refuses one, a second session at a drawer, and cash that lies nowhere.
-- Lock: ACCESS EXCLUSIVE on payments and ledger_entries for a moment (columns without a default,
--       constraints that are not held against the rows before: none of those is cash), and SHARE on
--       ledger_entries while it is read once for its index.
-- Version before: goes on working; it writes no cash, and names its columns.

-- up
CREATE TABLE cash_drawers (
  tenant_id    uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id           text NOT NULL,
  property_id  uuid NOT NULL,
  label        text NOT NULL,
  active       boolean NOT NULL,
  version      bigint NOT NULL,
  trail        bytea NOT NULL,
  state_digest bytea NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX cash_drawers_by_property ON cash_drawers (tenant_id, property_id, id);

-- What should be in the drawer is not here: it is the sum of the session's account in the ledger.
-- `expected` is that sum as it was when the drawer was counted.
CREATE TABLE cash_sessions (
  tenant_id                    uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                           text NOT NULL,
  drawer_id                    text NOT NULL,
  property_id                  uuid NOT NULL,
  status                       text NOT NULL,
  business_date                date NOT NULL,
  opened_by                    text NOT NULL,
  opened_at                    timestamptz NOT NULL,
  counts                       integer NOT NULL,
  count                        jsonb,
  count_sha256                 bytea,
  expected                     jsonb,
  closed_by                    text,
  counted_at                   timestamptz,
  closing_token_id             text,
  closing_assertion_hash       text,
  closing_method               text,
  pending_since                timestamptz,
  stuck_at                     timestamptz,
  co_signer                    text,
  closed_at                    timestamptz,
  step_up_token_id             text,
  assertion_hash               text,
  step_up_method               text,
  discrepancy                  boolean NOT NULL,
  acknowledged_by              text,
  acknowledged_at              timestamptz,
  acknowledging_token_id       text,
  acknowledging_assertion_hash text,
  acknowledging_method         text,
  explanation                  text,
  version                      bigint NOT NULL,
  trail                        bytea NOT NULL,
  state_digest                 bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT session_is_of_a_drawer
    FOREIGN KEY (tenant_id, drawer_id) REFERENCES cash_drawers (tenant_id, id),
  CONSTRAINT session_status_is_known
    CHECK (status IN ('open', 'pending_close', 'closed', 'acknowledged')),
  CONSTRAINT open_session_holds_no_count CHECK ((status = 'open') = (count_sha256 IS NULL)),
  CONSTRAINT count_is_signed CHECK (num_nonnulls(count, count_sha256, expected, closed_by,
    counted_at, closing_token_id, closing_assertion_hash, closing_method) IN (0, 8)),
  CONSTRAINT pending_session_waits CHECK ((status = 'pending_close') = (pending_since IS NOT NULL)),
  CONSTRAINT closed_session_is_co_signed
    CHECK ((status IN ('closed', 'acknowledged')) = (co_signer IS NOT NULL)),
  CONSTRAINT co_signature_is_whole CHECK (num_nonnulls(co_signer, closed_at, step_up_token_id,
    assertion_hash, step_up_method) IN (0, 5)),
  CONSTRAINT drawer_is_closed_by_two_persons CHECK (closed_by <> co_signer),
  CONSTRAINT two_signatures_are_two_confirmations CHECK (closing_token_id <> step_up_token_id),
  CONSTRAINT acknowledgement_is_whole CHECK (num_nonnulls(acknowledged_by, acknowledged_at,
    acknowledging_token_id, acknowledging_assertion_hash, acknowledging_method, explanation)
    = CASE status WHEN 'acknowledged' THEN 6 ELSE 0 END),
  CONSTRAINT discrepancy_is_explained_by_a_third_person
    CHECK (acknowledged_by <> closed_by AND acknowledged_by <> co_signer)
);
CREATE UNIQUE INDEX one_open_session_per_drawer ON cash_sessions (tenant_id, drawer_id)
  WHERE status IN ('open', 'pending_close');
CREATE INDEX cash_sessions_by_property ON cash_sessions (tenant_id, property_id, id);
CREATE INDEX cash_sessions_by_drawer ON cash_sessions (tenant_id, drawer_id, id);
CREATE INDEX cash_sessions_by_person ON cash_sessions (tenant_id, property_id, opened_by)
  WHERE status = 'open';
CREATE INDEX cash_sessions_that_wait ON cash_sessions (tenant_id, pending_since)
  WHERE status = 'pending_close' AND stuck_at IS NULL;

-- What moved cash other than a guest: the float, what was paid in, out or dropped, and what the
-- closing booked; never changed, only added to.
CREATE TABLE cash_movements (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id            text NOT NULL,
  session_id    text NOT NULL,
  kind          text NOT NULL,
  amount_micro  bigint NOT NULL,
  currency      text NOT NULL,
  business_date date NOT NULL,
  reason        text,
  actor         text NOT NULL,
  occurred_at   timestamptz NOT NULL,
  recorded_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT movement_is_in_a_session
    FOREIGN KEY (tenant_id, session_id) REFERENCES cash_sessions (tenant_id, id),
  CONSTRAINT cash_movement_is_positive CHECK (amount_micro > 0),
  CONSTRAINT cash_movement_kind_is_known CHECK
    (kind IN ('float', 'paid_in', 'paid_out', 'drop', 'over', 'short', 'turned_in')),
  CONSTRAINT movement_by_hand_has_a_reason
    CHECK (reason IS NOT NULL OR kind NOT IN ('paid_in', 'paid_out', 'drop'))
);
CREATE INDEX cash_movements_by_session ON cash_movements (tenant_id, session_id, id);

ALTER TABLE payments ADD COLUMN cash_session_id text;
ALTER TABLE payments ADD CONSTRAINT cash_payment_names_its_session
  CHECK ((method = 'cash') = (cash_session_id IS NOT NULL)) NOT VALID;
ALTER TABLE payments ADD CONSTRAINT cash_went_into_a_session
  FOREIGN KEY (tenant_id, cash_session_id) REFERENCES cash_sessions (tenant_id, id) NOT VALID;

-- Whose cash an entry moves, so that a session's account is summed by an index of cash alone.
ALTER TABLE ledger_entries ADD COLUMN cash_session_id text;
ALTER TABLE ledger_entries ADD CONSTRAINT cash_entry_names_its_session CHECK (
  CASE
    WHEN cash_session_id IS NULL
      THEN debit_account NOT LIKE 'cash:%' AND credit_account NOT LIKE 'cash:%'
    ELSE 'cash:' || cash_session_id IN (debit_account, credit_account)
  END) NOT VALID;
ALTER TABLE ledger_entries ADD CONSTRAINT cash_entry_is_of_a_session
  FOREIGN KEY (tenant_id, cash_session_id) REFERENCES cash_sessions (tenant_id, id) NOT VALID;
CREATE INDEX ledger_by_cash_session ON ledger_entries (tenant_id, cash_session_id)
  WHERE cash_session_id IS NOT NULL;

ALTER TABLE cash_drawers ENABLE ROW LEVEL SECURITY;
ALTER TABLE cash_drawers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON cash_drawers TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE cash_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE cash_sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON cash_sessions TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE cash_movements ENABLE ROW LEVEL SECURITY;
ALTER TABLE cash_movements FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON cash_movements TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, UPDATE (label, active, version, trail, state_digest)
  ON cash_drawers TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (status, counts, count, count_sha256, expected, closed_by, counted_at,
  closing_token_id, closing_assertion_hash, closing_method, pending_since, stuck_at, co_signer,
  closed_at, step_up_token_id, assertion_hash, step_up_method, discrepancy, acknowledged_by,
  acknowledged_at, acknowledging_token_id, acknowledging_assertion_hash, acknowledging_method,
  explanation, version, trail, state_digest)
  ON cash_sessions TO {tenant_role};
GRANT SELECT, INSERT ON cash_movements TO {tenant_role};

-- down
ALTER TABLE ledger_entries DROP COLUMN cash_session_id;
ALTER TABLE payments DROP COLUMN cash_session_id;
DROP TABLE cash_movements;
DROP TABLE cash_sessions;
DROP TABLE cash_drawers;
