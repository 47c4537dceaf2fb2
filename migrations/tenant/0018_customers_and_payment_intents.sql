-- Why: payments are taken at the processor. Customers, the methods that they have left (tokens
--      sealed under data keys, which a key elsewhere wraps), and the payments to be taken, each of
--      which is asked for once, waits for its word, and becomes one payment on its folio.
-- Lock: none on what is there but SHARE ROW EXCLUSIVE on folios and payments for a moment, by the
--      foreign keys of the new tables.
-- Version before: goes on working, and takes no payments.

-- up
-- E-mail address, name and telephone are personal, and are what an erasure replaces.
CREATE TABLE customers (
  tenant_id             uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                    text NOT NULL,
  email                 text NOT NULL,
  name                  text NOT NULL,
  phone                 text,
  processor_customer_id text,
  details_version       integer NOT NULL,
  told_version          integer NOT NULL,
  refused_code          text,
  attempts              integer NOT NULL DEFAULT 0,
  next_attempt_at       timestamptz NOT NULL,
  created_at            timestamptz NOT NULL,
  changed_at            timestamptz NOT NULL,
  version               bigint NOT NULL,
  trail                 bytea NOT NULL,
  state_digest          bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT one_customer_per_email UNIQUE (tenant_id, email),
  CONSTRAINT processor_customer_is_of_one_customer UNIQUE (tenant_id, processor_customer_id),
  CONSTRAINT email_is_kept_in_one_form CHECK (email = lower(email) AND email !~ '\s'),
  CONSTRAINT processor_is_told_what_there_is CHECK (told_version BETWEEN 0 AND details_version)
);
CREATE INDEX customers_to_be_told ON customers (tenant_id, next_attempt_at)
  WHERE told_version < details_version;

-- A data key, wrapped. Wrapping it anew changes nothing that it has sealed.
CREATE TABLE data_keys (
  tenant_id   uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id          text NOT NULL,
  key_version text NOT NULL,
  wrapped     bytea NOT NULL,
  made_at     timestamptz NOT NULL,
  wrapped_at  timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT data_key_is_wrapped CHECK (octet_length(wrapped) > 32)
);
CREATE INDEX data_keys_by_age ON data_keys (tenant_id, wrapped_at);

CREATE TABLE payment_methods (
  tenant_id        uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id               text NOT NULL,
  customer_id      text NOT NULL,
  kind             text NOT NULL,
  brand            text NOT NULL,
  last_four        text NOT NULL,
  expiry_month     integer,
  expiry_year      integer,
  fingerprint      text,
  data_key_id      text NOT NULL,
  sealed_token     bytea,
  token_digest     bytea NOT NULL,
  purpose          text NOT NULL,
  consented_at     timestamptz NOT NULL,
  kept_at          timestamptz NOT NULL,
  told_at          timestamptz NOT NULL,
  authenticated_at timestamptz,
  removed_at       timestamptz,
  version          bigint NOT NULL,
  trail            bytea NOT NULL,
  state_digest     bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT payment_method_is_kept_once UNIQUE (tenant_id, token_digest),
  CONSTRAINT payment_method_is_of_a_customer
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
  CONSTRAINT payment_method_is_sealed_by_a_key
    FOREIGN KEY (tenant_id, data_key_id) REFERENCES data_keys (tenant_id, id),
  CONSTRAINT payment_method_kind_is_known CHECK (kind IN ('card', 'bank_account')),
  CONSTRAINT payment_method_purpose_is_known CHECK (purpose IN ('this_stay', 'later_stays')),
  CONSTRAINT last_four_are_four_digits CHECK (last_four ~ '^[0-9]{4}$'),
  CONSTRAINT expiry_is_a_month CHECK (expiry_month BETWEEN 1 AND 12),
  CONSTRAINT token_digest_is_a_sha256 CHECK (octet_length(token_digest) = 32),
  CONSTRAINT removed_method_has_no_token CHECK ((removed_at IS NULL) = (sealed_token IS NOT NULL))
);
CREATE INDEX payment_methods_by_customer ON payment_methods (tenant_id, customer_id, id);

CREATE TABLE payment_intents (
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                   text NOT NULL,
  property_id          uuid NOT NULL,
  folio_id             text NOT NULL,
  customer_id          text NOT NULL,
  amount_micro         bigint NOT NULL,
  currency             text NOT NULL,
  status               text NOT NULL,
  payment_method_id    text,
  confirmed_at         timestamptz,
  processor_payment_id text,
  failure_code         text,
  payment_id           text,
  created_at           timestamptz NOT NULL,
  changed_at           timestamptz NOT NULL,
  version              bigint NOT NULL,
  trail                bytea NOT NULL,
  state_digest         bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT processor_payment_is_of_one_intent UNIQUE (tenant_id, processor_payment_id),
  CONSTRAINT payment_is_of_one_intent UNIQUE (tenant_id, payment_id),
  CONSTRAINT intent_belongs_to_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id),
  CONSTRAINT intent_is_of_a_customer
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
  CONSTRAINT intent_is_taken_from_a_method
    FOREIGN KEY (tenant_id, payment_method_id) REFERENCES payment_methods (tenant_id, id),
  CONSTRAINT intent_became_a_payment
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, id),
  CONSTRAINT intent_is_about_something CHECK (amount_micro > 0),
  CONSTRAINT intent_status_is_known CHECK (status IN
    ('requires_payment_method', 'processing', 'requires_action', 'failed', 'canceled',
     'succeeded')),
  CONSTRAINT intent_that_is_asked_for_names_its_method CHECK
    (status NOT IN ('processing', 'requires_action')
     OR (payment_method_id IS NOT NULL AND confirmed_at IS NOT NULL)),
  CONSTRAINT failed_intent_says_why CHECK ((status = 'failed') = (failure_code IS NOT NULL)),
  CONSTRAINT succeeded_intent_names_its_charge
    CHECK (status <> 'succeeded' OR processor_payment_id IS NOT NULL),
  CONSTRAINT only_what_succeeded_is_a_payment CHECK (payment_id IS NULL OR status = 'succeeded')
);
CREATE INDEX payment_intents_by_folio ON payment_intents (tenant_id, folio_id, id);

-- Intents of which something is still to become, and when to ask.
CREATE TABLE payment_intent_queue (
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  intent_id       text NOT NULL,
  attempts        integer NOT NULL,
  next_attempt_at timestamptz NOT NULL,
  queued_at       timestamptz NOT NULL,
  CONSTRAINT intent_waits_once PRIMARY KEY (tenant_id, intent_id),
  CONSTRAINT waiting_intent_exists
    FOREIGN KEY (tenant_id, intent_id) REFERENCES payment_intents (tenant_id, id)
);
CREATE INDEX payment_intent_queue_by_time ON payment_intent_queue (tenant_id, next_attempt_at);

ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE customers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON customers TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE data_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE data_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON data_keys TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE payment_methods ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_methods FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON payment_methods TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE payment_intents ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_intents FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON payment_intents TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE payment_intent_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_intent_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON payment_intent_queue TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, UPDATE (email, name, phone, processor_customer_id, details_version,
    told_version, refused_code, attempts, next_attempt_at, changed_at, version, trail, state_digest)
  ON customers TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (key_version, wrapped, wrapped_at) ON data_keys TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (brand, last_four, expiry_month, expiry_year, fingerprint,
    sealed_token, told_at, authenticated_at, removed_at, version, trail, state_digest)
  ON payment_methods TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (status, payment_method_id, confirmed_at, processor_payment_id,
    failure_code, payment_id, changed_at, version, trail, state_digest)
  ON payment_intents TO {tenant_role};
GRANT SELECT, INSERT, DELETE, UPDATE (attempts, next_attempt_at) ON payment_intent_queue
  TO {tenant_role};

-- down
DROP TABLE payment_intent_queue;
DROP TABLE payment_intents;
DROP TABLE payment_methods;
DROP TABLE data_keys;
DROP TABLE customers;
