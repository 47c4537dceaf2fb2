-- Why: how many credits were consumed in some days is asked of all tenants, one after the other,
--      for the platform's figures (ANA-1): by when an entry was written down.
-- Lock: SHARE on credit_ledger_entries while the index is built: a tenant's credits wait for it.
-- Version before: goes on working.

-- up
CREATE INDEX credit_entries_by_time ON credit_ledger_entries (recorded_at);

-- down
DROP INDEX credit_entries_by_time;
