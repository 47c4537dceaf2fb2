-- Why: an invoice that two companies share is credited by one note, and each sets off its own part;
--      what a first part left of a note could be given to nobody. Set-offs of a note follow one
--      another: each says how much others had taken, so that two that missed one another cannot
--      both be written.
-- Lock: ACCESS EXCLUSIVE on account_credits for a moment (a column with a default that is not
--       written into the rows, a constraint that is not held against them), SHARE while it is read
--       once for its index.
-- Version before: goes on working: it sets a note off once, as nothing of it was before, and
--       refuses one of which something was.
-- Down: is refused while a note was set off in parts.

-- up
ALTER TABLE account_credits ADD COLUMN set_off_before_micro bigint NOT NULL DEFAULT 0;
ALTER TABLE account_credits
  DROP CONSTRAINT credit_note_is_set_off_once,
  ADD CONSTRAINT set_offs_of_a_note_follow_one_another
    UNIQUE (tenant_id, credit_note_id, set_off_before_micro),
  ADD CONSTRAINT only_a_set_off_has_others_before CHECK (set_off_before_micro >= 0
    AND (set_off_before_micro = 0 OR credit_note_id IS NOT NULL)) NOT VALID;

-- down
ALTER TABLE account_credits
  ADD CONSTRAINT credit_note_is_set_off_once UNIQUE (tenant_id, credit_note_id);
ALTER TABLE account_credits
  DROP CONSTRAINT only_a_set_off_has_others_before,
  DROP CONSTRAINT set_offs_of_a_note_follow_one_another,
  DROP COLUMN set_off_before_micro;
