-- Why: events that were published and counters of rate limits were kept for ever (AUD-3). A job
--      deletes them now, and the database lets nobody delete an event that is not published, or
--      was within 30 days, the drainer's role included: nothing that committed is lost (EVT-4).
--      Counters are found by their age, so they get an index; those that are there are let go
--      first, as an index over all that was never deleted would keep every request waiting, and to
--      begin to count anew harms nobody.
-- Lock: ACCESS EXCLUSIVE on outbox for a moment, and on rate_counters for the moment that it takes
--       to empty it and to index nothing.
-- Version before: goes on working: it deletes neither.
-- Down: nothing that was deleted comes back.

-- up
CREATE POLICY events_are_kept_for_30_days ON outbox AS RESTRICTIVE FOR DELETE TO billing_drain
  USING (published_at < now() - interval '30 days');
TRUNCATE rate_counters;
CREATE INDEX rate_counters_by_age ON rate_counters (window_start);

-- down
DROP INDEX rate_counters_by_age;
DROP POLICY events_are_kept_for_30_days ON outbox;
