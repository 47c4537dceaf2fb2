-- Why: whether the card processor, or the orchestrator, is asked at all is one state that all
--      instances share and no restart forgets: how often it did not answer, since when it is left
--      alone, who tries again.
-- Lock: none that anybody waits for; the table is new.
-- Version before: goes on asking, and knows nothing of the table.

-- up
CREATE TABLE circuit_breakers (
  name            text PRIMARY KEY,
  failures        integer NOT NULL DEFAULT 0,
  window_began_at timestamptz,
  opened_at       timestamptz,
  probe_by        text,
  probe_until     timestamptz,
  CONSTRAINT failures_are_counted_from_nought CHECK (failures >= 0),
  CONSTRAINT probe_has_a_holder_and_an_end CHECK ((probe_by IS NULL) = (probe_until IS NULL)),
  CONSTRAINT closed_breaker_needs_no_probe CHECK (probe_by IS NULL OR opened_at IS NOT NULL)
);
INSERT INTO circuit_breakers (name) VALUES ('gateway'), ('orchestrator');

ALTER TABLE circuit_breakers ENABLE ROW LEVEL SECURITY;
ALTER TABLE circuit_breakers FORCE ROW LEVEL SECURITY;
CREATE POLICY shared ON circuit_breakers TO billing_app USING (true) WITH CHECK (true);

GRANT SELECT, UPDATE ON circuit_breakers TO billing_app;

-- down
DROP TABLE circuit_breakers;
