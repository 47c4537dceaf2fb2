-- Why: a trial takes fourteen days by default (SUB-10): a version of a plan may say otherwise.
-- Lock: plan_versions for an instant: a column with a constant default writes no row anew, and the
--       few versions are read once for the check.
-- Version before: goes on working. It publishes versions with the default, and lets every trial take
--      fourteen days.

-- up
ALTER TABLE plan_versions
  ADD COLUMN trial_days smallint NOT NULL DEFAULT 14,
  ADD CONSTRAINT trial_takes_some_days CHECK (trial_days BETWEEN 1 AND 90);

-- down
ALTER TABLE plan_versions
  DROP CONSTRAINT trial_takes_some_days,
  DROP COLUMN trial_days;
