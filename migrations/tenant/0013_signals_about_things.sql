-- Why: the platform's orchestrator points out folios, payments and refunds, and not persons alone;
--      a refund shows what was pointed out about it, its payment or its folio.
-- Lock: ACCESS EXCLUSIVE on ai_signals, a small table that no money waits for, for as long as the
--      check reads it.
-- Version before: goes on working on the signals about persons; one about a thing it cannot show.

-- up
ALTER TABLE ai_signals
  ADD COLUMN subject text,
  ALTER COLUMN actor DROP NOT NULL,
  ADD CONSTRAINT signal_is_about_somebody_or_something
    CHECK (num_nonnulls(actor, subject) = 1);
CREATE UNIQUE INDEX signal_about_a_thing_is_raised_once ON ai_signals (tenant_id, subject, pattern);

-- down
DROP INDEX signal_about_a_thing_is_raised_once;
ALTER TABLE ai_signals DROP CONSTRAINT signal_is_about_somebody_or_something;
UPDATE ai_signals SET actor = subject WHERE actor IS NULL;
ALTER TABLE ai_signals
  ALTER COLUMN actor SET NOT NULL,
  DROP COLUMN subject;
