-- Why: a closed folio can be opened again. What stands on a document by then stays there: the folio
--      knows the last such line, and each opening is written down with who confirmed it. A folio
--      that comes to less closes with a credit note, which names its settlement.
-- Lock: ACCESS EXCLUSIVE on folios and credit_notes for the catalogue only: a column with a
--      constant default rewrites nothing, and a new check on a new column reads nothing that fails.
-- Version before: goes on working, and reopens nothing. A folio that was reopened it would bill
--      again from its first line, which line_is_on_one_document refuses: it stays open until this
--      version is back.

-- up
ALTER TABLE folios
  ADD COLUMN reopened integer NOT NULL DEFAULT 0,
  ADD COLUMN billed_to bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT folio_was_billed_before_it_was_reopened
    CHECK (reopened >= 0 AND billed_to BETWEEN 0 AND last_line
      AND (reopened > 0 OR billed_to = 0));

-- Each time that a folio was opened again, and who confirmed it.
CREATE TABLE reopenings (
  tenant_id        uuid NOT NULL DEFAULT billing_central.current_tenant(),
  folio_id         text NOT NULL,
  number           integer NOT NULL,
  billed_to        bigint NOT NULL,
  reopened_by      text NOT NULL,
  reopened_at      timestamptz NOT NULL,
  step_up_token_id text NOT NULL,
  assertion_hash   text NOT NULL,
  step_up_method   text NOT NULL,
  CONSTRAINT folio_is_reopened_once_at_a_time PRIMARY KEY (tenant_id, folio_id, number),
  CONSTRAINT reopening_is_of_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id),
  CONSTRAINT reopenings_count_from_one CHECK (number > 0)
);

-- A credit note of a folio that came to less holds lines of it, and names their settlement.
ALTER TABLE credit_notes
  ADD COLUMN settlement_id text,
  ADD CONSTRAINT credited_settlement_exists
    FOREIGN KEY (tenant_id, settlement_id) REFERENCES settlements (tenant_id, id);
CREATE UNIQUE INDEX settlement_is_credited_once ON credit_notes (tenant_id, settlement_id);
CREATE INDEX credit_note_lines_by_line ON credit_note_lines (tenant_id, line_id);

-- When a guest left for good, as somebody said who opened the folio again: no night comes after it.
ALTER TABLE stays ADD COLUMN left_on date;

ALTER TABLE reopenings ENABLE ROW LEVEL SECURITY;
ALTER TABLE reopenings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reopenings TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT ON reopenings TO {tenant_role};
GRANT UPDATE (left_on) ON stays TO {tenant_role};

-- down
ALTER TABLE stays DROP COLUMN left_on;
DROP INDEX credit_note_lines_by_line;
DROP INDEX settlement_is_credited_once;
ALTER TABLE credit_notes DROP COLUMN settlement_id;
DROP TABLE reopenings;
ALTER TABLE folios
  DROP CONSTRAINT folio_was_billed_before_it_was_reopened,
  DROP COLUMN billed_to,
  DROP COLUMN reopened;
