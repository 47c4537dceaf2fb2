-- Why: a payout of more than a person may make alone waits for another person, however it is cut
--      up: whoever asks for one is asked what they have asked for of late.
-- Lock: SHARE on payouts while it is read once for the index; the table holds few rows.
-- Version before: goes on working.
-- Down: drops the index.

-- up
CREATE INDEX payouts_by_who_asked ON payouts (tenant_id, requested_by, requested_at);

-- down
DROP INDEX payouts_by_who_asked;
