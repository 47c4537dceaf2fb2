-- Why: the key that marks of trials are made under is changed one day, and who had a trial before
--      is to be known afterwards (SUB-10). A mark says under which key it is; that of a new trial is
--      written under all of them. A key is known by its number and by what it makes of a word, so
--      that no other one takes its place unnoticed.
-- Lock: exclusive on trial_marks while a column with a constant default is added, which rewrites
--      no row, and while its primary key is built anew: a few rows for each trial.
-- Version before: goes on working; it has one key, the first, and the column's default says so.

-- up
CREATE TABLE trial_keys (
  version    smallint PRIMARY KEY,
  proof      bytea,
  CONSTRAINT trial_key_is_numbered_from_one CHECK (version >= 1),
  -- Empty for the first, until an instance says it that has the key.
  CONSTRAINT trial_key_is_proven_by_an_hmac CHECK (length(proof) IN (0, 32)),
  CONSTRAINT trial_key_stays_what_it_was CHECK (proof IS NOT NULL)
);
INSERT INTO trial_keys VALUES (1, '');

ALTER TABLE trial_marks ADD COLUMN key_version smallint NOT NULL DEFAULT 1;
ALTER TABLE trial_marks DROP CONSTRAINT trial_has_one_mark_of_a_kind;
ALTER TABLE trial_marks ADD CONSTRAINT trial_has_one_mark_of_a_kind
  PRIMARY KEY (subscription_id, kind, key_version);
ALTER TABLE trial_marks ADD CONSTRAINT marks_are_under_a_key_that_is_kept
  FOREIGN KEY (key_version) REFERENCES trial_keys (version);
CREATE INDEX trial_marks_under_a_key ON trial_marks (key_version, subscription_id);

ALTER TABLE trial_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE trial_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY shared ON trial_keys TO billing_tenant USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE (proof) ON trial_keys TO billing_tenant;

-- The operator sees under which keys trials are marked, not whose, and takes the oldest away.
CREATE POLICY marked_under ON trial_marks TO billing_drain USING (true) WITH CHECK (false);
CREATE POLICY kept ON trial_keys TO billing_drain USING (true) WITH CHECK (false);
GRANT SELECT (subscription_id, key_version), DELETE ON trial_marks TO billing_drain;
GRANT SELECT (version), DELETE ON trial_keys TO billing_drain;

-- down
DROP POLICY marked_under ON trial_marks;
REVOKE SELECT (subscription_id, key_version), DELETE ON trial_marks FROM billing_drain;
ALTER TABLE trial_marks NO FORCE ROW LEVEL SECURITY;
DELETE FROM trial_marks AS mark
USING trial_marks AS older
WHERE older.subscription_id = mark.subscription_id
  AND older.kind = mark.kind
  AND older.key_version < mark.key_version;
ALTER TABLE trial_marks FORCE ROW LEVEL SECURITY;
DROP INDEX trial_marks_under_a_key;
ALTER TABLE trial_marks DROP CONSTRAINT marks_are_under_a_key_that_is_kept;
ALTER TABLE trial_marks DROP CONSTRAINT trial_has_one_mark_of_a_kind;
ALTER TABLE trial_marks DROP COLUMN key_version;
ALTER TABLE trial_marks ADD CONSTRAINT trial_has_one_mark_of_a_kind
  PRIMARY KEY (subscription_id, kind);
DROP TABLE trial_keys;
