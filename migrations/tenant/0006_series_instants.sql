-- Why: numbers are given in the order of time. A document bears the instant at which its
--      transaction began, before it waited for the series; so the series remembers the last
--      instant that it gave, and the next document bears that one if its own is earlier.
-- Lock: ACCESS EXCLUSIVE on number_series for a moment (a column without a default).
-- Version before: goes on working; it names its columns, and what it issues moves no instant on.

-- up
ALTER TABLE number_series ADD COLUMN last_issued_at timestamptz;
GRANT UPDATE (last_issued_at) ON number_series TO {tenant_role};

-- down
ALTER TABLE number_series DROP COLUMN last_issued_at;
