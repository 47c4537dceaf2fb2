-- Why: a database that was taken back to a point in time has forgotten the documents that were
--      issued after it, and guests have them in hand. Their numbers must not be given again: the
--      series goes on behind them, and the numbers are written down as lost, with the hash that the
--      document bears where it was found. So the series has no gap that nobody can explain.
-- Lock: none on what is there; the table is new.
-- Version before: goes on working; its check of the books calls a lost number a gap.

-- up
CREATE TABLE lost_numbers (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  jurisdiction   text NOT NULL,
  document_type  text NOT NULL,
  year           integer NOT NULL,
  series_number  bigint NOT NULL,
  number         text NOT NULL,
  payload_sha256 bytea,
  found_at       timestamptz NOT NULL,
  CONSTRAINT number_is_lost_once
    PRIMARY KEY (tenant_id, jurisdiction, document_type, year, series_number),
  CONSTRAINT lost_number_is_one_of_a_series CHECK (series_number > 0),
  CONSTRAINT lost_hash_is_a_sha256 CHECK (length(payload_sha256) = 32)
);

ALTER TABLE lost_numbers ENABLE ROW LEVEL SECURITY;
ALTER TABLE lost_numbers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON lost_numbers TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT ON lost_numbers TO {tenant_role};

-- down
DROP TABLE lost_numbers;
