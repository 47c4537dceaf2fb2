-- Why: the platform's own tables: which cell a tenant lives in, the events that wait to be
--      published, the step-up tokens that were used, shared rate limits, and messages that could
--      not be read.
-- Lock: none that anybody waits for; every table is new.
-- Version before: there is none.

-- up
-- A tenant sees its own rows only, whatever a query forgets to say: the policy asks for the tenant
-- of the transaction and for the role of that tenant, both.
CREATE FUNCTION current_tenant() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('app.tenant_id', true), '')::uuid;

CREATE FUNCTION is_current_tenant(tenant uuid) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN tenant = billing_central.current_tenant()
     AND current_user = 'tenant_' || replace(tenant::text, '-', '');

CREATE TABLE tenants (
  tenant_id   uuid PRIMARY KEY,
  schema_name text NOT NULL,
  cell        text NOT NULL DEFAULT 'main',
  status      text NOT NULL DEFAULT 'active',
  created_at  timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT tenant_schema_is_its_own UNIQUE (schema_name),
  CONSTRAINT tenant_status_is_known CHECK (status IN ('active', 'moving', 'archived'))
);

-- Events in the order of their commit within an aggregate: the aggregate's lock is held from before
-- the row gets its id until after the commit.
CREATE TABLE outbox (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id    uuid NOT NULL DEFAULT billing_central.current_tenant(),
  shard        smallint NOT NULL,
  ordering_key text NOT NULL,
  sequence     bigint NOT NULL,
  event_id     text NOT NULL,
  event_type   text NOT NULL,
  event        text NOT NULL,
  recorded_at  timestamptz NOT NULL,
  published_at timestamptz,
  CONSTRAINT event_is_told_once UNIQUE (event_id),
  CONSTRAINT event_sequence_is_the_aggregates
    UNIQUE (tenant_id, ordering_key, sequence, event_type),
  CONSTRAINT outbox_shard_is_known CHECK (shard BETWEEN 0 AND 15)
);
CREATE INDEX outbox_waiting ON outbox (shard, tenant_id, id) WHERE published_at IS NULL;
CREATE INDEX outbox_age ON outbox (recorded_at) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

-- One drainer at a time works on a shard; `fence` grows with each new holder.
CREATE TABLE outbox_leases (
  shard      smallint PRIMARY KEY,
  holder     text NOT NULL DEFAULT '',
  fence      bigint NOT NULL DEFAULT 0,
  leased_until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO outbox_leases (shard) SELECT generate_series(0, 15);

-- A step-up token works once, at any time and from any instance: keyed by identity, not by text.
CREATE TABLE step_up_uses (
  issuer         text NOT NULL,
  token_id       text NOT NULL,
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  actor          text NOT NULL,
  scope          text NOT NULL,
  assertion_hash text NOT NULL,
  context        text NOT NULL,
  expires_at     timestamptz NOT NULL,
  recorded_at    timestamptz NOT NULL,
  CONSTRAINT step_up_token_is_used_once PRIMARY KEY (issuer, token_id)
);

-- Counters of the rate limits, shared by all instances; unlogged, because losing a minute of
-- counting in a crash is harmless and a durable counter would cost as much as the work it guards.
CREATE UNLOGGED TABLE rate_counters (
  bucket       text NOT NULL,
  window_start timestamptz NOT NULL,
  used         bigint NOT NULL,
  CONSTRAINT one_counter_per_bucket_and_window PRIMARY KEY (bucket, window_start)
);

-- Messages that were refused for good, with the reason; dropping one keeps the evidence.
CREATE TABLE dead_letters (
  id          text PRIMARY KEY,
  consumer    text NOT NULL,
  message_id  text NOT NULL,
  reason      text NOT NULL,
  message     text NOT NULL,
  received_at timestamptz NOT NULL,
  replayed_at timestamptz,
  dropped_at  timestamptz,
  dropped_because text,
  CONSTRAINT letter_is_dead_once UNIQUE (consumer, message_id)
);

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox_leases ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox_leases FORCE ROW LEVEL SECURITY;
ALTER TABLE step_up_uses ENABLE ROW LEVEL SECURITY;
ALTER TABLE step_up_uses FORCE ROW LEVEL SECURITY;
ALTER TABLE rate_counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE rate_counters FORCE ROW LEVEL SECURITY;
ALTER TABLE dead_letters ENABLE ROW LEVEL SECURITY;
ALTER TABLE dead_letters FORCE ROW LEVEL SECURITY;

CREATE POLICY own_row ON tenants TO billing_app
  USING (tenant_id = current_tenant()) WITH CHECK (false);
CREATE POLICY platform ON tenants TO billing_owner, billing_drain USING (true) WITH CHECK (true);
CREATE POLICY own_events ON outbox TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
-- The age of the oldest waiting event is a figure of the platform; it names no tenant and no event.
CREATE POLICY waiting_ages ON outbox FOR SELECT TO billing_app USING (published_at IS NULL);
CREATE POLICY platform ON outbox TO billing_drain USING (true) WITH CHECK (true);
CREATE POLICY platform ON outbox_leases TO billing_drain USING (true) WITH CHECK (true);
CREATE POLICY own_uses ON step_up_uses TO billing_tenant
  USING (is_current_tenant(tenant_id)) WITH CHECK (is_current_tenant(tenant_id));
CREATE POLICY shared ON rate_counters TO billing_app USING (true) WITH CHECK (true);
CREATE POLICY shared ON dead_letters TO billing_app, billing_drain USING (true) WITH CHECK (true);

GRANT USAGE ON SCHEMA billing_central TO billing_app, billing_tenant, billing_drain;
GRANT SELECT ON tenants TO billing_app, billing_drain;
GRANT INSERT ON outbox TO billing_tenant;
GRANT SELECT (recorded_at, published_at) ON outbox TO billing_app;
GRANT SELECT, DELETE ON outbox TO billing_drain;
GRANT UPDATE (published_at) ON outbox TO billing_drain;
GRANT SELECT, UPDATE ON outbox_leases TO billing_drain;
GRANT SELECT, INSERT ON step_up_uses TO billing_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_counters TO billing_app;
GRANT INSERT ON dead_letters TO billing_app;
GRANT SELECT, INSERT, UPDATE ON dead_letters TO billing_drain;

-- down
DROP TABLE dead_letters;
DROP TABLE rate_counters;
DROP TABLE step_up_uses;
DROP TABLE outbox_leases;
DROP TABLE outbox;
DROP TABLE tenants;
DROP FUNCTION is_current_tenant(uuid);
DROP FUNCTION current_tenant();
REVOKE USAGE ON SCHEMA billing_central FROM billing_app, billing_tenant, billing_drain;
