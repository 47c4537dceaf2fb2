-- Why: an answer is given again only to who still works where it is about.
-- Lock: ACCESS EXCLUSIVE on idempotency_keys for a moment; the default writes no row anew.
-- Version before: goes on working; what it answers names no property, and is given again as before.
-- Down: drops the column.

-- up
ALTER TABLE idempotency_keys ADD COLUMN property_ids uuid[] NOT NULL DEFAULT '{}';

-- down
ALTER TABLE idempotency_keys DROP COLUMN property_ids;
