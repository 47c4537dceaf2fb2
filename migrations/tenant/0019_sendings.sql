-- Why: a document is handed to the notification service with addresses. That it was is kept as
--      long as the document; the addresses are personal, stand apart and can be erased.
-- Lock: none on what is there but a moment's on invoice_renditions, which the new table refers to.
-- Version before: goes on working, and sends nothing.

-- up
-- A copy that was handed over to be sent. The hash binds the addresses under a salt that goes with
-- them. Never changed.
CREATE TABLE sendings (
  tenant_id         uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                text NOT NULL,
  document_id       text NOT NULL,
  copy              smallint NOT NULL,
  language          text NOT NULL,
  recipient_count   smallint NOT NULL,
  recipients_sha256 bytea NOT NULL,
  sent_by           text NOT NULL,
  sent_at           timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT sending_is_of_a_drawn_copy
    FOREIGN KEY (tenant_id, document_id, copy)
    REFERENCES invoice_renditions (tenant_id, invoice_id, copy),
  CONSTRAINT sending_goes_to_somebody CHECK (recipient_count BETWEEN 1 AND 10),
  CONSTRAINT sending_binds_its_recipients CHECK (octet_length(recipients_sha256) = 32)
);
CREATE INDEX sendings_by_document ON sendings (tenant_id, document_id, id);

-- The one place where the addresses stand.
CREATE TABLE sending_recipients (
  tenant_id  uuid NOT NULL DEFAULT billing_central.current_tenant(),
  sending_id text NOT NULL,
  salt       bytea,
  addresses  jsonb,
  erased_at  timestamptz,
  CONSTRAINT recipients_of_a_sending_stand_once PRIMARY KEY (tenant_id, sending_id),
  CONSTRAINT recipients_are_of_a_sending
    FOREIGN KEY (tenant_id, sending_id) REFERENCES sendings (tenant_id, id),
  CONSTRAINT erased_recipients_leave_nothing
    CHECK (num_nulls(salt, addresses) = CASE WHEN erased_at IS NULL THEN 0 ELSE 2 END)
);

ALTER TABLE sendings ENABLE ROW LEVEL SECURITY;
ALTER TABLE sendings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON sendings TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE sending_recipients ENABLE ROW LEVEL SECURITY;
ALTER TABLE sending_recipients FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON sending_recipients TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT ON sendings TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (salt, addresses, erased_at) ON sending_recipients TO {tenant_role};

-- down
DROP TABLE sending_recipients;
DROP TABLE sendings;
