-- Why: numbered invoices whose payload never changes, their number series, signatures and
--      renditions; personal data beside the payload, so that erasing it breaks no hash.
-- Lock: none that anybody waits for; every table is new.
-- Version before: goes on working, it knows none of these tables.

-- up
-- A series is a locked row, not a SEQUENCE: a rollback gives the number back.
CREATE TABLE number_series (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  jurisdiction  text NOT NULL,
  document_type text NOT NULL,
  year          smallint NOT NULL,
  last_number   bigint NOT NULL,
  last_sha256   bytea,
  CONSTRAINT one_series_per_jurisdiction_type_and_year
    PRIMARY KEY (tenant_id, jurisdiction, document_type, year)
);

CREATE TABLE invoices (
  tenant_id        uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id               text NOT NULL,
  folio_id         text NOT NULL,
  property_id      uuid NOT NULL,
  jurisdiction     text NOT NULL,
  document_type    text NOT NULL,
  year             smallint NOT NULL,
  series_number    bigint NOT NULL,
  number           text NOT NULL,
  currency         text NOT NULL,
  total_micro      bigint NOT NULL,
  business_date    date NOT NULL,
  issued_at        timestamptz NOT NULL,
  language         text NOT NULL,
  template_version text NOT NULL,
  payload          text NOT NULL,
  payload_sha256   bytea NOT NULL,
  previous_sha256  bytea,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT invoice_number_is_given_once
    UNIQUE (tenant_id, jurisdiction, document_type, year, series_number),
  CONSTRAINT printed_number_is_given_once UNIQUE (tenant_id, number),
  CONSTRAINT invoice_belongs_to_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id)
);
CREATE INDEX invoices_by_folio ON invoices (tenant_id, folio_id, id);
CREATE INDEX invoices_by_property ON invoices (tenant_id, property_id, id);
CREATE INDEX invoices_by_date ON invoices (tenant_id, property_id, business_date, id);

CREATE TABLE invoice_lines (
  tenant_id  uuid NOT NULL DEFAULT billing_central.current_tenant(),
  line_id    text NOT NULL,
  invoice_id text NOT NULL,
  CONSTRAINT line_is_on_one_document PRIMARY KEY (tenant_id, line_id),
  CONSTRAINT invoiced_line_exists
    FOREIGN KEY (tenant_id, line_id) REFERENCES folio_lines (tenant_id, id),
  CONSTRAINT line_is_on_an_invoice
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);
CREATE INDEX invoice_lines_by_invoice ON invoice_lines (tenant_id, invoice_id);

-- The one place of an invoice where personal data stands; the payload holds its salted hash.
CREATE TABLE invoice_persons (
  tenant_id  uuid NOT NULL DEFAULT billing_central.current_tenant(),
  invoice_id text NOT NULL,
  salt       bytea,
  document   jsonb,
  erased_at  timestamptz,
  CONSTRAINT one_person_per_invoice PRIMARY KEY (tenant_id, invoice_id),
  CONSTRAINT person_is_on_an_invoice
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);

CREATE TABLE invoice_signatures (
  tenant_id   uuid NOT NULL DEFAULT billing_central.current_tenant(),
  invoice_id  text NOT NULL,
  key_version text NOT NULL,
  algorithm   text NOT NULL,
  signature   bytea NOT NULL,
  signed_at   timestamptz NOT NULL,
  CONSTRAINT invoice_is_signed_once PRIMARY KEY (tenant_id, invoice_id),
  CONSTRAINT signature_is_of_an_invoice
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);

-- The issued PDF is copy 0; regenerating adds a further copy and never replaces one.
CREATE TABLE invoice_renditions (
  tenant_id        uuid NOT NULL DEFAULT billing_central.current_tenant(),
  invoice_id       text NOT NULL,
  copy             smallint NOT NULL,
  language         text NOT NULL,
  template_version text NOT NULL,
  object_name      text NOT NULL,
  pdf_sha256       bytea NOT NULL,
  rendered_at      timestamptz NOT NULL,
  CONSTRAINT copies_are_numbered PRIMARY KEY (tenant_id, invoice_id, copy),
  CONSTRAINT rendition_is_of_an_invoice
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);
CREATE INDEX renditions_by_pdf ON invoice_renditions (tenant_id, pdf_sha256);

-- What still has to be rendered; a row leaves when its PDF is stored.
CREATE TABLE render_queue (
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  invoice_id      text NOT NULL,
  attempts        integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL,
  last_error      text,
  queued_at       timestamptz NOT NULL,
  CONSTRAINT invoice_waits_once PRIMARY KEY (tenant_id, invoice_id),
  CONSTRAINT waiting_invoice_exists
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);
CREATE INDEX render_queue_by_due ON render_queue (tenant_id, next_attempt_at);

ALTER TABLE number_series ENABLE ROW LEVEL SECURITY;
ALTER TABLE number_series FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON number_series TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoices FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON invoices TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE invoice_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoice_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON invoice_lines TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE invoice_persons ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoice_persons FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON invoice_persons TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE invoice_signatures ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoice_signatures FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON invoice_signatures TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE invoice_renditions ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoice_renditions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON invoice_renditions TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE render_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE render_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON render_queue TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, UPDATE (last_number, last_sha256) ON number_series TO {tenant_role};
GRANT SELECT, INSERT ON invoices, invoice_lines, invoice_signatures, invoice_renditions
  TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (salt, document, erased_at) ON invoice_persons TO {tenant_role};
GRANT SELECT, INSERT, DELETE, UPDATE (attempts, next_attempt_at, last_error)
  ON render_queue TO {tenant_role};

-- down
DROP TABLE render_queue;
DROP TABLE invoice_renditions;
DROP TABLE invoice_signatures;
DROP TABLE invoice_persons;
DROP TABLE invoice_lines;
DROP TABLE invoices;
DROP TABLE number_series;
