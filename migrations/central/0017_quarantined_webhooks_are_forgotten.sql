-- Why: what a webhook said that was nobody's is kept for 90 days, as for all others (WH-6); that it
--      came, its type, its id, its hash and why it was put aside stay for ever. So a letter says
--      when its body went, and nobody, the drainer's role included, may change anything of a
--      letter but its body and what was decided about it.
-- Lock: ACCESS EXCLUSIVE on dead_letters while its rows are read through once for the checks and
--       the index: what was refused for good is little. Who puts a letter in waits for it.
-- Version before: goes on working: it decides about letters, and forgets none. It shows a letter
--       whose body is gone, and hands none of the processor's to a consumer.
-- Down: a body that is gone does not come back.

-- up
ALTER TABLE dead_letters
  ADD COLUMN forgotten_at timestamptz,
  ADD CONSTRAINT letter_is_kept_for_90_days
    CHECK (forgotten_at >= received_at + interval '2160 hours'),
  ADD CONSTRAINT forgotten_letter_has_no_body CHECK (
    CASE WHEN forgotten_at IS NULL THEN true
         WHEN message IS JSON OBJECT THEN message::jsonb -> 'payload' IS NULL
         ELSE false END);
CREATE INDEX dead_letters_with_a_body ON dead_letters (consumer, received_at, id)
  WHERE forgotten_at IS NULL;
REVOKE UPDATE ON dead_letters FROM billing_drain;
GRANT UPDATE (message, forgotten_at, replayed_at, dropped_at, dropped_because) ON dead_letters
  TO billing_drain;

-- down
REVOKE UPDATE (message, forgotten_at, replayed_at, dropped_at, dropped_because) ON dead_letters
  FROM billing_drain;
GRANT UPDATE ON dead_letters TO billing_drain;
DROP INDEX dead_letters_with_a_body;
ALTER TABLE dead_letters DROP COLUMN forgotten_at;
