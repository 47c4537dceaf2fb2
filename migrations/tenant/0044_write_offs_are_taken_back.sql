-- Why: a company pays after all what was written off, or its invoice is credited: what was given
--      up is owed again first, or the house would owe the company what it never paid. A write-off
--      is taken back as a whole and once, by a row that names it.
-- Lock: ACCESS EXCLUSIVE on write_offs for a moment (a column without a default, a constraint that
--       is not held against the rows), SHARE while it is read for its index; the table holds few
--       rows.
-- Version before: goes on working: it knows of no write-off that is less than nothing, and sums
--                 them.
-- Down: is refused while a write-off is taken back.

-- up
ALTER TABLE write_offs ADD COLUMN reverses text;
ALTER TABLE write_offs
  DROP CONSTRAINT write_off_is_positive,
  ADD CONSTRAINT write_off_is_taken_back_once UNIQUE (tenant_id, reverses),
  ADD CONSTRAINT what_is_taken_back_is_a_write_off
    FOREIGN KEY (tenant_id, reverses) REFERENCES write_offs (tenant_id, id),
  ADD CONSTRAINT write_off_is_negative_where_it_takes_one_back CHECK
    (amount_micro <> 0 AND (amount_micro < 0) = (reverses IS NOT NULL)) NOT VALID;

-- down
ALTER TABLE write_offs
  DROP CONSTRAINT write_off_is_negative_where_it_takes_one_back,
  DROP CONSTRAINT what_is_taken_back_is_a_write_off,
  DROP CONSTRAINT write_off_is_taken_back_once,
  ADD CONSTRAINT write_off_is_positive CHECK (amount_micro > 0),
  DROP COLUMN reverses;
