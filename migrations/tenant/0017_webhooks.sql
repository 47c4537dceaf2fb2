-- Why: what the card processor tells by webhooks. Each event is kept once, with what became of it,
--      and takes effect once; a dispute of a payment is one row, which a later event moves on.
-- Lock: none on what is there; the tables are new.
-- Version before: goes on working, and takes in no webhook.

-- up
-- An event as far as this house reads it, without a word about a guest; the hash is that of all
-- that was sent. Never changed.
CREATE TABLE webhook_events (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  event_id       text NOT NULL,
  id             text NOT NULL,
  type           text NOT NULL,
  api_version    text,
  livemode       boolean NOT NULL,
  payload        text NOT NULL,
  payload_sha256 bytea NOT NULL,
  received_at    timestamptz NOT NULL,
  CONSTRAINT webhook_is_kept_once PRIMARY KEY (tenant_id, event_id),
  CONSTRAINT webhook_is_numbered_once UNIQUE (tenant_id, id),
  CONSTRAINT webhook_payload_is_a_document CHECK (payload IS JSON OBJECT),
  CONSTRAINT webhook_hash_is_a_sha256 CHECK (octet_length(payload_sha256) = 32)
);

-- What became of an event each time that it was tried. Never changed.
CREATE TABLE webhook_attempts (
  tenant_id    uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id           text NOT NULL,
  event_id     text NOT NULL,
  outcome      text NOT NULL,
  code         text,
  actor        text NOT NULL,
  attempted_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT attempt_is_of_a_webhook
    FOREIGN KEY (tenant_id, event_id) REFERENCES webhook_events (tenant_id, event_id),
  CONSTRAINT webhook_outcome_is_known
    CHECK (outcome IN ('applied', 'repeated', 'refused', 'failed')),
  CONSTRAINT webhook_that_had_no_effect_says_why
    CHECK ((outcome IN ('refused', 'failed')) = (code IS NOT NULL))
);
CREATE UNIQUE INDEX webhook_takes_effect_once ON webhook_attempts (tenant_id, event_id)
  WHERE outcome = 'applied';
CREATE INDEX webhook_attempts_by_event ON webhook_attempts (tenant_id, event_id, id);

CREATE TABLE payment_disputes (
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                   text NOT NULL,
  property_id          uuid NOT NULL,
  folio_id             text NOT NULL,
  payment_id           text NOT NULL,
  processor_dispute_id text NOT NULL,
  amount_micro         bigint NOT NULL,
  currency             text NOT NULL,
  reason               text NOT NULL,
  status               text NOT NULL,
  opened_at            timestamptz NOT NULL,
  changed_at           timestamptz NOT NULL,
  version              bigint NOT NULL,
  trail                bytea NOT NULL,
  state_digest         bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT dispute_is_recorded_once UNIQUE (tenant_id, processor_dispute_id),
  CONSTRAINT dispute_is_of_a_payment
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, id),
  CONSTRAINT dispute_is_about_something CHECK (amount_micro > 0),
  CONSTRAINT dispute_status_is_known CHECK (status IN
    ('warning_needs_response', 'warning_under_review', 'warning_closed', 'needs_response',
     'under_review', 'won', 'lost'))
);
CREATE INDEX disputes_by_payment ON payment_disputes (tenant_id, payment_id);

ALTER TABLE webhook_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_events FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON webhook_events TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE webhook_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON webhook_attempts TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE payment_disputes ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_disputes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON payment_disputes TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT ON webhook_events, webhook_attempts TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (status, changed_at, version, trail, state_digest)
  ON payment_disputes TO {tenant_role};

-- down
DROP TABLE payment_disputes;
DROP TABLE webhook_attempts;
DROP TABLE webhook_events;
