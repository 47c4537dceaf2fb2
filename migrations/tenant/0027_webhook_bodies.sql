-- Why: what the processor told is kept for 90 days; that it told it, and what came of that, for
--      ever. So an event's body has a table of its own, from which a job deletes, and the event
--      stays a record that nobody can change: a delivery of any later day finds it and has no
--      second effect. The bodies that are there are moved.
-- Lock: ACCESS EXCLUSIVE on webhook_events while its bodies are moved (row security is put aside
--       for the owner, and is back before the commit); webhooks wait for it, or are sent again.
-- Version before: goes on taking events in. It cannot run an event again whose body was moved; and
--       the body of what it takes in itself stays in the old column, where check_books names it
--       until a person has moved it as below.
-- Down: puts the bodies back; an event whose body was deleted has an empty one then.

-- up
-- What was told, without a word about a guest, for 90 days.
CREATE TABLE webhook_bodies (
  tenant_id   uuid NOT NULL DEFAULT billing_central.current_tenant(),
  event_id    text NOT NULL,
  payload     text NOT NULL,
  received_at timestamptz NOT NULL,
  CONSTRAINT webhook_body_is_kept_once PRIMARY KEY (tenant_id, event_id),
  CONSTRAINT body_is_of_a_webhook
    FOREIGN KEY (tenant_id, event_id) REFERENCES webhook_events (tenant_id, event_id),
  CONSTRAINT webhook_body_is_a_document CHECK (payload IS JSON OBJECT)
);
CREATE INDEX webhook_bodies_by_age ON webhook_bodies (tenant_id, received_at, event_id);

ALTER TABLE webhook_events ALTER COLUMN payload DROP NOT NULL;
ALTER TABLE webhook_events NO FORCE ROW LEVEL SECURITY;
INSERT INTO webhook_bodies (tenant_id, event_id, payload, received_at)
SELECT tenant_id, event_id, payload, received_at
FROM webhook_events;
UPDATE webhook_events SET payload = NULL;
ALTER TABLE webhook_events FORCE ROW LEVEL SECURITY;

ALTER TABLE webhook_bodies ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_bodies FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON webhook_bodies TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, DELETE ON webhook_bodies TO {tenant_role};

-- down
ALTER TABLE webhook_events NO FORCE ROW LEVEL SECURITY;
ALTER TABLE webhook_bodies NO FORCE ROW LEVEL SECURITY;
UPDATE webhook_events
SET payload = coalesce((
  SELECT payload
  FROM webhook_bodies
  WHERE webhook_bodies.tenant_id = webhook_events.tenant_id
    AND webhook_bodies.event_id = webhook_events.event_id), webhook_events.payload, '{}');
ALTER TABLE webhook_events FORCE ROW LEVEL SECURITY;
ALTER TABLE webhook_events ALTER COLUMN payload SET NOT NULL;
DROP TABLE webhook_bodies;
