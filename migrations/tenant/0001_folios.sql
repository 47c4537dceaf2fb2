-- Why: a tenant's folios with their lines, payments and settlements, the double-entry ledger, the
--      audit trail, the settings in force, and what makes commands safe to send again.
-- Lock: none that anybody waits for; every table is new.
-- Version before: there is none.

-- up
-- Settings, properties and tax rules as they were at each moment: a charge names its version.
CREATE TABLE settings_versions (
  tenant_id   uuid NOT NULL DEFAULT billing_central.current_tenant(),
  version     bigint NOT NULL,
  document    jsonb NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT settings_versions_are_consecutive PRIMARY KEY (tenant_id, version)
);

CREATE TABLE folios (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id             text NOT NULL,
  property_id    uuid NOT NULL,
  currency       text NOT NULL,
  status         text NOT NULL,
  guest_name     text NOT NULL,
  guest          jsonb NOT NULL,
  reservation_id text,
  window_name    text NOT NULL,
  windows        jsonb NOT NULL,
  routing        jsonb NOT NULL,
  stay           jsonb,
  fx             jsonb NOT NULL,
  tax_sums       jsonb NOT NULL,
  balance_micro  bigint NOT NULL,
  last_line      bigint NOT NULL,
  business_date  date NOT NULL,
  opened_at      timestamptz NOT NULL,
  closed_at      timestamptz,
  version        bigint NOT NULL,
  trail          bytea NOT NULL,
  state_digest   bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT folio_status_is_known CHECK (status IN ('open', 'closed')),
  CONSTRAINT closed_folio_balances CHECK (status <> 'closed' OR balance_micro = 0),
  CONSTRAINT one_folio_per_reservation_and_window
    UNIQUE (tenant_id, property_id, reservation_id, window_name)
);
CREATE INDEX folios_by_property ON folios (tenant_id, property_id, id);
CREATE INDEX folios_by_status ON folios (tenant_id, property_id, status, id);
CREATE INDEX folios_by_date ON folios (tenant_id, property_id, business_date, id);
CREATE INDEX folios_by_reservation ON folios (tenant_id, reservation_id)
  WHERE reservation_id IS NOT NULL;

-- Everything that ever moved the balance of a folio, in its order; never changed, only added to.
CREATE TABLE folio_lines (
  tenant_id          uuid NOT NULL DEFAULT billing_central.current_tenant(),
  folio_id           text NOT NULL,
  sequence           bigint NOT NULL,
  id                 text NOT NULL,
  type               text NOT NULL,
  kind               text NOT NULL,
  description        jsonb NOT NULL,
  window_name        text NOT NULL,
  quantity           text,
  unit_amount_micro  bigint,
  amount_micro       bigint NOT NULL,
  currency           text NOT NULL,
  business_date      date NOT NULL,
  service_date       date,
  source             text NOT NULL,
  external_reference text,
  corrects           text,
  charge_id          text,
  reason             text,
  tax                jsonb,
  untaxed            text,
  settings_version   bigint NOT NULL,
  actor              text NOT NULL,
  occurred_at        timestamptz NOT NULL,
  recorded_at        timestamptz NOT NULL,
  CONSTRAINT folio_lines_are_consecutive PRIMARY KEY (tenant_id, folio_id, sequence),
  CONSTRAINT line_id_is_used_once UNIQUE (tenant_id, id),
  CONSTRAINT external_reference_is_posted_once UNIQUE (tenant_id, source, external_reference),
  CONSTRAINT line_belongs_to_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id),
  CONSTRAINT line_type_is_known
    CHECK (type IN ('charge', 'tax', 'payment', 'adjustment', 'void', 'rounding')),
  CONSTRAINT correction_names_its_line CHECK (type <> 'void' OR corrects IS NOT NULL),
  CONSTRAINT line_amount_is_exact CHECK (abs(amount_micro) < 9007199254740992)
);
CREATE UNIQUE INDEX line_is_voided_once ON folio_lines (tenant_id, corrects) WHERE type = 'void';

CREATE TABLE payments (
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                   text NOT NULL,
  folio_id             text NOT NULL,
  method               text NOT NULL,
  amount_micro         bigint NOT NULL,
  currency             text NOT NULL,
  paid_amount_micro    bigint NOT NULL,
  paid_currency        text NOT NULL,
  fx                   jsonb,
  processor_payment_id text,
  method_token_digest  text,
  reference            text,
  refunded_micro       bigint NOT NULL DEFAULT 0,
  business_date        date NOT NULL,
  occurred_at          timestamptz NOT NULL,
  recorded_at          timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT processor_payment_is_recorded_once UNIQUE (tenant_id, processor_payment_id),
  CONSTRAINT payment_belongs_to_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id),
  CONSTRAINT payment_is_positive CHECK (amount_micro > 0 AND paid_amount_micro > 0),
  CONSTRAINT refunds_stay_within_the_payment CHECK (refunded_micro BETWEEN 0 AND amount_micro),
  CONSTRAINT payment_method_is_known CHECK
    (method IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'voucher', 'city_ledger'))
);
CREATE INDEX payments_by_folio ON payments (tenant_id, folio_id);

CREATE TABLE settlements (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id             text NOT NULL,
  folio_id       text NOT NULL,
  charges_micro  bigint NOT NULL,
  payments_micro bigint NOT NULL,
  residual_micro bigint NOT NULL,
  currency       text NOT NULL,
  fx             jsonb,
  settled_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT settlement_belongs_to_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id)
);
CREATE INDEX settlements_by_folio ON settlements (tenant_id, folio_id);

-- One row names both accounts: an unbalanced entry cannot be written down.
CREATE TABLE ledger_entries (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  source         text NOT NULL,
  part           smallint NOT NULL,
  folio_id       text,
  property_id    uuid NOT NULL,
  debit_account  text NOT NULL,
  credit_account text NOT NULL,
  amount_micro   bigint NOT NULL,
  currency       text NOT NULL,
  business_date  date NOT NULL,
  occurred_at    timestamptz NOT NULL,
  recorded_at    timestamptz NOT NULL,
  CONSTRAINT movement_is_booked_once PRIMARY KEY (tenant_id, source, part),
  CONSTRAINT entry_amount_is_positive CHECK (amount_micro > 0),
  CONSTRAINT entry_names_two_accounts CHECK (debit_account <> credit_account)
);
CREATE INDEX ledger_by_folio ON ledger_entries (tenant_id, folio_id);
CREATE INDEX ledger_by_date ON ledger_entries (tenant_id, property_id, business_date);

-- Who did what, when, why and with which strength of proof; hash-chained per aggregate.
CREATE TABLE audit_entries (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id             text NOT NULL,
  aggregate_kind text NOT NULL,
  aggregate_id   text NOT NULL,
  sequence       bigint NOT NULL,
  action         text NOT NULL,
  actor          text NOT NULL,
  auth_strength  text NOT NULL,
  step_up_token_id text,
  assertion_hash text,
  reason         text,
  detail         text NOT NULL,
  digest_before  bytea,
  digest_after   bytea NOT NULL,
  trace_id       text NOT NULL,
  occurred_at    timestamptz NOT NULL,
  recorded_at    timestamptz NOT NULL,
  previous_hash  bytea NOT NULL,
  hash           bytea NOT NULL,
  CONSTRAINT audit_entry_is_written_once PRIMARY KEY (tenant_id, id),
  CONSTRAINT audit_entries_are_consecutive
    UNIQUE (tenant_id, aggregate_kind, aggregate_id, sequence)
);
CREATE INDEX audit_by_time ON audit_entries (tenant_id, recorded_at, id);

-- The answer that a command gave: sending it again gives the same answer and no second effect.
CREATE TABLE idempotency_keys (
  tenant_id   uuid NOT NULL DEFAULT billing_central.current_tenant(),
  key_hash    bytea NOT NULL,
  function    text NOT NULL,
  fingerprint bytea NOT NULL,
  status      smallint NOT NULL,
  headers     text NOT NULL,
  body        text NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT command_is_answered_once PRIMARY KEY (tenant_id, key_hash)
);
CREATE INDEX idempotency_by_age ON idempotency_keys (recorded_at);

-- Events that were taken in, recorded in the transaction of their effect.
CREATE TABLE inbox (
  tenant_id   uuid NOT NULL DEFAULT billing_central.current_tenant(),
  consumer    text NOT NULL,
  event_id    text NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT event_takes_effect_once PRIMARY KEY (tenant_id, consumer, event_id)
);

ALTER TABLE settings_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE settings_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON settings_versions TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE folios ENABLE ROW LEVEL SECURITY;
ALTER TABLE folios FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON folios TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE folio_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE folio_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON folio_lines TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON payments TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE settlements ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlements FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON settlements TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE ledger_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON ledger_entries TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON audit_entries TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON idempotency_keys TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON inbox TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT ON settings_versions, folio_lines, settlements, ledger_entries, audit_entries,
  inbox TO {tenant_role};
GRANT SELECT, INSERT, UPDATE ON folios TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (refunded_micro) ON payments TO {tenant_role};
GRANT SELECT, INSERT, DELETE ON idempotency_keys TO {tenant_role};

-- down
DROP TABLE inbox;
DROP TABLE idempotency_keys;
DROP TABLE audit_entries;
DROP TABLE ledger_entries;
DROP TABLE settlements;
DROP TABLE payments;
DROP TABLE folio_lines;
DROP TABLE folios;
DROP TABLE settings_versions;
