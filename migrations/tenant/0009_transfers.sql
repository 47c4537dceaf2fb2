-- Why: transfers between folios. A line that came from another folio names the line that took it
--      away there, and no line is moved twice.
-- Lock: ACCESS EXCLUSIVE on folio_lines for a moment (a column without a default, constraints that
--       are not held against the rows before: none of those was moved), and SHARE while it is read
--       once for its index.
-- Version before: goes on working; it names its columns and moves nothing. A void that it writes of
--       a line that was moved is right: it does not come from elsewhere.

-- up
ALTER TABLE folio_lines ADD COLUMN moved_from text;
ALTER TABLE folio_lines ADD CONSTRAINT moved_line_is_a_charge
  CHECK (moved_from IS NULL OR type IN ('charge', 'tax', 'adjustment')) NOT VALID;
ALTER TABLE folio_lines ADD CONSTRAINT moved_line_was_taken_away
  FOREIGN KEY (tenant_id, moved_from) REFERENCES folio_lines (tenant_id, id) NOT VALID;
CREATE UNIQUE INDEX line_is_moved_once ON folio_lines (tenant_id, moved_from)
  WHERE moved_from IS NOT NULL;

-- down
DROP INDEX line_is_moved_once;
ALTER TABLE folio_lines DROP COLUMN moved_from;
