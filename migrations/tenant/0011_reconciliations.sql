-- Why: the nightly reconciliation. What was found when the books of a property's business date were
--      held against one another is one row; the database refuses a second one for the same date,
--      a status that the differences belie, and a resolution that nobody signed.
-- Lock: SHARE on folios, payments and refunds while each is read once for its indexes: what would
--       write to them waits for that. Nothing else is touched.
-- Version before: goes on working; it knows nothing of the table.

-- up
CREATE TABLE reconciliations (
  tenant_id          uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                 text NOT NULL,
  property_id        uuid NOT NULL,
  business_date      date NOT NULL,
  status             text NOT NULL,
  processor_answered boolean NOT NULL,
  differences        jsonb NOT NULL,
  first_run_at       timestamptz NOT NULL,
  last_run_at        timestamptz NOT NULL,
  resolved_by        text,
  resolved_at        timestamptz,
  reason             text,
  version            bigint NOT NULL,
  trail              bytea NOT NULL,
  state_digest       bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT day_is_reconciled_once UNIQUE (tenant_id, property_id, business_date),
  CONSTRAINT reconciliation_status_is_known
    CHECK (status IN ('matched', 'mismatch', 'resolved', 'unknown')),
  CONSTRAINT mismatch_holds_its_differences
    CHECK ((status IN ('mismatch', 'resolved')) = (jsonb_array_length(differences) > 0)),
  CONSTRAINT answered_reconciliation_is_not_unknown
    CHECK (status <> 'unknown' OR NOT processor_answered),
  CONSTRAINT resolution_is_signed CHECK (num_nonnulls(resolved_by, resolved_at, reason)
    = CASE status WHEN 'resolved' THEN 3 ELSE 0 END),
  CONSTRAINT runs_of_a_reconciliation_follow_one_another CHECK (last_run_at >= first_run_at)
);
CREATE INDEX reconciliations_by_property ON reconciliations (tenant_id, property_id, id);

-- What a business date is held against: folios that were still open in it, card payments and
-- refunds of it, and cash that guests put into a drawer or got out of it.
CREATE INDEX folios_by_closing ON folios (tenant_id, property_id, closed_at)
  WHERE closed_at IS NOT NULL;
CREATE INDEX card_payments_by_date ON payments (tenant_id, business_date) WHERE method = 'card';
CREATE INDEX card_refunds_by_date ON refunds (tenant_id, business_date) WHERE method = 'card';
CREATE INDEX payments_by_cash_session ON payments (tenant_id, cash_session_id)
  WHERE cash_session_id IS NOT NULL;
CREATE INDEX refunds_by_cash_session ON refunds (tenant_id, cash_session_id)
  WHERE cash_session_id IS NOT NULL;

ALTER TABLE reconciliations ENABLE ROW LEVEL SECURITY;
ALTER TABLE reconciliations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON reconciliations TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, UPDATE (status, processor_answered, differences, last_run_at, resolved_by,
  resolved_at, reason, version, trail, state_digest)
  ON reconciliations TO {tenant_role};

-- down
DROP INDEX refunds_by_cash_session;
DROP INDEX payments_by_cash_session;
DROP INDEX card_refunds_by_date;
DROP INDEX card_payments_by_date;
DROP INDEX folios_by_closing;
DROP TABLE reconciliations;
