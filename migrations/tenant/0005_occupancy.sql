-- Why: which nights and persons a charge is for. Taxes by the night and by the person go by it, and
--      a charge that is corrected later is taxed by it again.
-- Lock: ACCESS EXCLUSIVE on folio_lines for a moment (a column without a default).
-- Version before: goes on working; it names its columns, and its charges are for one night of one
--      person as far as this one knows.

-- up
ALTER TABLE folio_lines ADD COLUMN occupancy jsonb;

-- down
ALTER TABLE folio_lines DROP COLUMN occupancy;
