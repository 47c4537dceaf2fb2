-- Why: credit notes. A credit note is a numbered document as an invoice is, and stands among them;
--      what it takes off which line of which invoice stands here, and no line is credited beyond
--      what it came to, whoever credits at once.
-- Lock: none that anybody waits for; every table is new.
-- Version before: goes on working. It lists credit notes among the invoices, should there be any,
--      and draws none: a credit note waits for its PDF until this version is back.

-- up
-- What has been credited of an invoice. The invoice itself is never written again, so this row is
-- what credits of it wait for; it is made by the first of them.
CREATE TABLE invoice_credits (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  invoice_id     text NOT NULL,
  total_micro    bigint NOT NULL,
  credited_micro bigint NOT NULL DEFAULT 0,
  status         text NOT NULL DEFAULT 'issued',
  CONSTRAINT credits_of_an_invoice_stand_together PRIMARY KEY (tenant_id, invoice_id),
  CONSTRAINT credited_invoice_exists
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
  CONSTRAINT credits_stay_within_the_invoice
    CHECK (credited_micro BETWEEN least(total_micro, 0) AND greatest(total_micro, 0)),
  CONSTRAINT credit_status_is_known CHECK (status IN ('issued', 'credited', 'voided')),
  CONSTRAINT voided_invoice_is_credited_in_full
    CHECK (status <> 'voided' OR credited_micro = total_micro)
);

-- Which invoice a credit note corrects, and who confirmed that.
CREATE TABLE credit_notes (
  tenant_id        uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id               text NOT NULL,
  invoice_id       text NOT NULL,
  issued_by        text NOT NULL,
  step_up_token_id text NOT NULL,
  assertion_hash   text NOT NULL,
  step_up_method   text NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT credit_note_names_its_invoice
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
  CONSTRAINT credit_note_is_a_document
    FOREIGN KEY (tenant_id, id) REFERENCES invoices (tenant_id, id),
  CONSTRAINT credit_note_corrects_another_document CHECK (invoice_id <> id)
);
CREATE INDEX credit_notes_by_invoice ON credit_notes (tenant_id, invoice_id, id);

-- What a credit note takes off a line, each beginning where the one before ended: two that were
-- written past one another begin at the same place, and the second is refused.
CREATE TABLE credit_note_lines (
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  credit_note_id  text NOT NULL,
  invoice_id      text NOT NULL,
  line_id         text NOT NULL,
  invoiced_micro  bigint NOT NULL,
  before_micro    bigint NOT NULL,
  gross_micro     bigint NOT NULL,
  net_micro       bigint NOT NULL,
  taxes           jsonb NOT NULL,
  CONSTRAINT line_stands_once_on_a_credit_note PRIMARY KEY (tenant_id, credit_note_id, line_id),
  CONSTRAINT credits_of_a_line_follow_one_another
    UNIQUE (tenant_id, invoice_id, line_id, before_micro),
  CONSTRAINT credited_line_is_on_a_credit_note
    FOREIGN KEY (tenant_id, credit_note_id) REFERENCES credit_notes (tenant_id, id),
  CONSTRAINT credited_line_is_on_a_document
    FOREIGN KEY (tenant_id, line_id) REFERENCES invoice_lines (tenant_id, line_id),
  CONSTRAINT credit_takes_something_off CHECK (gross_micro <> 0),
  CONSTRAINT credit_goes_the_way_of_its_line CHECK (sign(gross_micro) = sign(invoiced_micro)),
  CONSTRAINT credits_stay_within_the_line CHECK (before_micro + gross_micro
    BETWEEN least(invoiced_micro, 0) AND greatest(invoiced_micro, 0))
);

ALTER TABLE invoice_credits ENABLE ROW LEVEL SECURITY;
ALTER TABLE invoice_credits FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON invoice_credits TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_notes TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_note_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_note_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_note_lines TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, UPDATE (credited_micro, status) ON invoice_credits TO {tenant_role};
GRANT SELECT, INSERT ON credit_notes, credit_note_lines TO {tenant_role};

-- down
DROP TABLE credit_note_lines;
DROP TABLE credit_notes;
DROP TABLE invoice_credits;
