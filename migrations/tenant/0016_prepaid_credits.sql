-- Why: prepaid credits. Accounts, the lots that credits were granted in, what is held of them, the
--      ledger of all that moved them, and its double-entry book. The database refuses to spend what
--      is not there, a grant that is made twice, and an entry that is changed.
-- Lock: none on what is there; the tables are new.
-- Version before: goes on working, and shows no credits.

-- up
-- All amounts are micro credits: a million of them are a credit. A hot row: it is locked while its
-- credits move.
CREATE TABLE credit_accounts (
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id              text NOT NULL,
  name            text NOT NULL,
  balance_micro   bigint NOT NULL,
  held_micro      bigint NOT NULL,
  debt_micro      bigint NOT NULL,
  last_entry      bigint NOT NULL,
  free_month      date,
  free_used_micro bigint NOT NULL,
  opened_at       timestamptz NOT NULL,
  version         bigint NOT NULL,
  trail           bytea NOT NULL,
  state_digest    bytea,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT credit_account_is_opened_once UNIQUE (tenant_id, name),
  CONSTRAINT credit_balance_is_not_negative CHECK (balance_micro >= 0),
  CONSTRAINT held_credits_are_there CHECK (held_micro BETWEEN 0 AND balance_micro),
  CONSTRAINT credit_debt_is_not_negative CHECK (debt_micro >= 0 AND free_used_micro >= 0)
);

-- The credits of one grant in one account: where they were granted (the root) they bear the key of
-- what they were granted for, and where they were moved to they name their root.
CREATE TABLE credit_lots (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id            text NOT NULL,
  account_id    text NOT NULL,
  root_id       text NOT NULL,
  source        text NOT NULL,
  source_key    text,
  priority      smallint NOT NULL,
  granted_micro bigint NOT NULL,
  left_micro    bigint NOT NULL,
  held_micro    bigint NOT NULL,
  expires_at    timestamptz,
  granted_at    timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT credits_are_granted_once UNIQUE (tenant_id, source_key),
  CONSTRAINT credits_of_a_grant_are_one_lot UNIQUE (tenant_id, account_id, root_id),
  CONSTRAINT lot_is_in_an_account
    FOREIGN KEY (tenant_id, account_id) REFERENCES credit_accounts (tenant_id, id),
  CONSTRAINT lot_is_of_a_grant
    FOREIGN KEY (tenant_id, root_id) REFERENCES credit_lots (tenant_id, id),
  CONSTRAINT lot_source_is_known
    CHECK (source IN ('purchase', 'renewal', 'promotion', 'refund')),
  CONSTRAINT lot_is_granted_or_moved
    CHECK ((id = root_id) = (source_key IS NOT NULL) AND (id = root_id) = (granted_micro > 0)),
  CONSTRAINT lot_is_never_negative CHECK (left_micro >= 0),
  CONSTRAINT lot_holds_what_it_has
    CHECK (held_micro >= 0 AND held_micro <= greatest(left_micro, 0))
);
CREATE INDEX credit_lots_by_root ON credit_lots (tenant_id, root_id);
CREATE INDEX credit_lots_left ON credit_lots (tenant_id, account_id) WHERE left_micro > 0;
CREATE INDEX credit_lots_by_expiry ON credit_lots (tenant_id, expires_at) WHERE left_micro > 0;

-- What is set aside for an operation of unknown cost; it ends once.
CREATE TABLE credit_holds (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id             text NOT NULL,
  account_id     text NOT NULL,
  amount_micro   bigint NOT NULL,
  is_free        boolean NOT NULL,
  service        text NOT NULL,
  reference      text,
  status         text NOT NULL,
  captured_micro bigint NOT NULL,
  placed_at      timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  ended_at       timestamptz,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT hold_is_on_an_account
    FOREIGN KEY (tenant_id, account_id) REFERENCES credit_accounts (tenant_id, id),
  CONSTRAINT hold_status_is_known CHECK (status IN ('open', 'captured', 'released', 'expired')),
  CONSTRAINT open_hold_has_not_ended CHECK ((status = 'open') = (ended_at IS NULL)),
  CONSTRAINT capture_stays_within_the_hold CHECK (amount_micro > 0 AND captured_micro >= 0
    AND captured_micro <= CASE status WHEN 'captured' THEN amount_micro ELSE 0 END)
);
CREATE INDEX credit_holds_open ON credit_holds (tenant_id, account_id) WHERE status = 'open';
CREATE INDEX credit_holds_by_expiry ON credit_holds (tenant_id, expires_at) WHERE status = 'open';

-- Everything that ever moved credits, numbered on each account without a gap; never changed.
CREATE TABLE credit_ledger_entries (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id            text NOT NULL,
  account_id    text NOT NULL,
  sequence      bigint NOT NULL,
  kind          text NOT NULL,
  amount_micro  bigint NOT NULL,
  held_micro    bigint NOT NULL,
  debt_micro    bigint NOT NULL,
  metered_micro bigint NOT NULL,
  balance_micro bigint NOT NULL,
  service       text,
  reference     text,
  reason        text,
  hold_id       text,
  counterpart   text,
  actor         text NOT NULL,
  occurred_at   timestamptz NOT NULL,
  recorded_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT credit_entries_are_consecutive UNIQUE (tenant_id, account_id, sequence),
  CONSTRAINT credit_entry_is_on_an_account
    FOREIGN KEY (tenant_id, account_id) REFERENCES credit_accounts (tenant_id, id),
  CONSTRAINT credit_entry_is_of_a_hold
    FOREIGN KEY (tenant_id, hold_id) REFERENCES credit_holds (tenant_id, id),
  CONSTRAINT transfer_names_the_other_account
    FOREIGN KEY (tenant_id, counterpart) REFERENCES credit_accounts (tenant_id, id),
  CONSTRAINT credit_entry_leaves_something_or_nothing CHECK (balance_micro >= 0),
  CONSTRAINT credit_entry_says_what_it_is_about CHECK (
    (hold_id IS NOT NULL) = (kind IN ('hold', 'capture', 'release'))
    AND (counterpart IS NOT NULL) = (kind IN ('transfer_in', 'transfer_out'))
    AND metered_micro >= 0),
  CONSTRAINT credit_entry_moves_as_its_kind CHECK (CASE kind
    WHEN 'grant' THEN amount_micro > 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'transfer_in' THEN amount_micro > 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'transfer_out' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'spend' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = 0
      AND metered_micro >= -amount_micro
    WHEN 'usage' THEN amount_micro = 0 AND held_micro = 0 AND debt_micro = 0 AND metered_micro > 0
    WHEN 'expire' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = 0
    WHEN 'hold' THEN amount_micro = 0 AND held_micro >= 0 AND debt_micro = 0
    WHEN 'capture' THEN amount_micro <= 0 AND held_micro <= amount_micro AND debt_micro = 0
      AND metered_micro > 0
    WHEN 'release' THEN amount_micro = 0 AND held_micro <= 0 AND debt_micro = 0
    WHEN 'claw_back' THEN amount_micro <= 0 AND held_micro = 0 AND debt_micro >= 0
    WHEN 'give_back' THEN amount_micro >= 0 AND held_micro = 0 AND debt_micro <= 0
    WHEN 'debt_paid' THEN amount_micro < 0 AND held_micro = 0 AND debt_micro = amount_micro
    WHEN 'debt_waived' THEN amount_micro = 0 AND held_micro = 0 AND debt_micro < 0
    ELSE false END)
);
CREATE INDEX credit_entries_by_hold ON credit_ledger_entries (tenant_id, hold_id)
  WHERE hold_id IS NOT NULL;

-- What each entry moved of which lot; never changed.
CREATE TABLE credit_entry_lots (
  tenant_id    uuid NOT NULL DEFAULT billing_central.current_tenant(),
  entry_id     text NOT NULL,
  lot_id       text NOT NULL,
  amount_micro bigint NOT NULL,
  held_micro   bigint NOT NULL,
  CONSTRAINT entry_names_a_lot_once PRIMARY KEY (tenant_id, entry_id, lot_id),
  CONSTRAINT lot_was_moved_by_an_entry
    FOREIGN KEY (tenant_id, entry_id) REFERENCES credit_ledger_entries (tenant_id, id),
  CONSTRAINT moved_lot_exists
    FOREIGN KEY (tenant_id, lot_id) REFERENCES credit_lots (tenant_id, id),
  CONSTRAINT entry_moves_something_of_a_lot CHECK (amount_micro <> 0 OR held_micro <> 0)
);
CREATE INDEX credit_entries_by_lot ON credit_entry_lots (tenant_id, lot_id);

-- The double-entry book, in micro credits: one row names both accounts. Never changed.
CREATE TABLE credit_book_entries (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  entry_id       text NOT NULL,
  part           smallint NOT NULL,
  debit_account  text NOT NULL,
  credit_account text NOT NULL,
  amount_micro   bigint NOT NULL,
  occurred_at    timestamptz NOT NULL,
  recorded_at    timestamptz NOT NULL,
  CONSTRAINT credits_are_booked_once PRIMARY KEY (tenant_id, entry_id, part),
  CONSTRAINT booked_credits_moved
    FOREIGN KEY (tenant_id, entry_id) REFERENCES credit_ledger_entries (tenant_id, id),
  CONSTRAINT booked_credits_are_positive CHECK (amount_micro > 0),
  CONSTRAINT booked_credits_name_two_accounts CHECK (debit_account <> credit_account)
);

-- What was taken back of a grant, for a refund or a dispute; never changed.
CREATE TABLE credit_claw_backs (
  tenant_id    uuid NOT NULL DEFAULT billing_central.current_tenant(),
  source_key   text NOT NULL,
  lot_id       text NOT NULL,
  asked_micro  bigint NOT NULL,
  taken_micro  bigint NOT NULL,
  debt_micro   bigint NOT NULL,
  reason       text NOT NULL,
  occurred_at  timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL,
  CONSTRAINT credits_are_taken_back_once PRIMARY KEY (tenant_id, source_key),
  CONSTRAINT taken_back_credits_were_granted
    FOREIGN KEY (tenant_id, lot_id) REFERENCES credit_lots (tenant_id, id),
  CONSTRAINT what_is_taken_back_was_asked_for CHECK (asked_micro > 0 AND taken_micro >= 0
    AND debt_micro >= 0 AND taken_micro + debt_micro <= asked_micro)
);
CREATE INDEX credit_claw_backs_by_lot ON credit_claw_backs (tenant_id, lot_id);

-- Of what was taken back, what came back when a dispute was won: once, and never changed.
CREATE TABLE credit_claw_back_reversals (
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  source_key      text NOT NULL,
  returned_micro  bigint NOT NULL,
  cancelled_micro bigint NOT NULL,
  reason          text NOT NULL,
  occurred_at     timestamptz NOT NULL,
  recorded_at     timestamptz NOT NULL,
  CONSTRAINT claw_back_is_reversed_once PRIMARY KEY (tenant_id, source_key),
  CONSTRAINT reversed_claw_back_exists
    FOREIGN KEY (tenant_id, source_key) REFERENCES credit_claw_backs (tenant_id, source_key),
  CONSTRAINT reversal_gives_and_takes_nothing
    CHECK (returned_micro >= 0 AND cancelled_micro >= 0)
);

-- Of which lots it was told that they expire, and how many days before; never changed.
CREATE TABLE credit_expiry_warnings (
  tenant_id   uuid NOT NULL DEFAULT billing_central.current_tenant(),
  lot_id      text NOT NULL,
  days_before smallint NOT NULL,
  told_at     timestamptz NOT NULL,
  CONSTRAINT expiry_is_warned_of_once PRIMARY KEY (tenant_id, lot_id, days_before),
  CONSTRAINT warned_of_lot_exists
    FOREIGN KEY (tenant_id, lot_id) REFERENCES credit_lots (tenant_id, id),
  CONSTRAINT warning_is_given_in_time CHECK (days_before IN (1, 7))
);

ALTER TABLE credit_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_accounts TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_lots ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_lots FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_lots TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_holds FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_holds TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_ledger_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_ledger_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_ledger_entries TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_entry_lots ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_entry_lots FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_entry_lots TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_book_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_book_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_book_entries TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_claw_backs ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_claw_backs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_claw_backs TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_claw_back_reversals ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_claw_back_reversals FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_claw_back_reversals TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_expiry_warnings ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_expiry_warnings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_expiry_warnings TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, UPDATE (balance_micro, held_micro, debt_micro, last_entry, free_month,
  free_used_micro, version, trail, state_digest) ON credit_accounts TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (left_micro, held_micro) ON credit_lots TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (status, captured_micro, ended_at) ON credit_holds TO {tenant_role};
GRANT SELECT, INSERT ON credit_ledger_entries, credit_entry_lots, credit_book_entries,
  credit_claw_backs, credit_claw_back_reversals, credit_expiry_warnings TO {tenant_role};

-- down
DROP TABLE credit_expiry_warnings;
DROP TABLE credit_claw_back_reversals;
DROP TABLE credit_claw_backs;
DROP TABLE credit_book_entries;
DROP TABLE credit_entry_lots;
DROP TABLE credit_ledger_entries;
DROP TABLE credit_holds;
DROP TABLE credit_lots;
DROP TABLE credit_accounts;
