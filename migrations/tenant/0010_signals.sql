-- Why: signals. What was found to be odd about cash, raised once and reviewed by a person, and
--      which days were looked at.
-- Lock: none on what is there; the tables are new.
-- Version before: goes on working, and shows no signals.

-- up
-- Something odd, raised once for a person, a pattern and a day; a review is added to it, once.
CREATE TABLE ai_signals (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id            text NOT NULL,
  property_id   uuid NOT NULL,
  business_date date NOT NULL,
  pattern       text NOT NULL,
  actor         text NOT NULL,
  score_ppm     integer NOT NULL,
  figures       jsonb NOT NULL,
  source        text NOT NULL,
  raised_at     timestamptz NOT NULL,
  verdict       text,
  reviewed_by   text,
  review_note   text,
  reviewed_at   timestamptz,
  version       bigint NOT NULL,
  trail         bytea NOT NULL,
  state_digest  bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT signal_is_raised_once
    UNIQUE (tenant_id, property_id, pattern, actor, business_date),
  CONSTRAINT signal_score_is_a_share CHECK (score_ppm BETWEEN 0 AND 1000000),
  CONSTRAINT verdict_is_known CHECK (verdict IN ('confirmed', 'dismissed')),
  CONSTRAINT review_is_whole
    CHECK (num_nonnulls(verdict, reviewed_by, review_note, reviewed_at) IN (0, 4)),
  CONSTRAINT nobody_reviews_themselves CHECK (reviewed_by <> actor)
);

-- The business days that were looked at.
CREATE TABLE cash_scans (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  property_id   uuid NOT NULL,
  business_date date NOT NULL,
  source        text NOT NULL,
  scanned_at    timestamptz NOT NULL,
  CONSTRAINT day_is_looked_at_once PRIMARY KEY (tenant_id, property_id, business_date)
);

ALTER TABLE ai_signals ENABLE ROW LEVEL SECURITY;
ALTER TABLE ai_signals FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON ai_signals TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE cash_scans ENABLE ROW LEVEL SECURITY;
ALTER TABLE cash_scans FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON cash_scans TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, UPDATE (verdict, reviewed_by, review_note, reviewed_at, version, trail,
  state_digest) ON ai_signals TO {tenant_role};
GRANT SELECT, INSERT ON cash_scans TO {tenant_role};

-- down
DROP TABLE cash_scans;
DROP TABLE ai_signals;
