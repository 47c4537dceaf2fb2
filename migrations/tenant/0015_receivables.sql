-- Why: what companies owe. A debt that a company settles later names its account, stands there in
--      the ledger, becomes an open item when its folio closes, and is paid or written off; the
--      database refuses a second item for an invoice, more than is open, and a debt of nobody.
-- Lock: ACCESS EXCLUSIVE on payments and ledger_entries for a moment (columns without a default,
--       constraints that are not held against the rows before: those named no company), and SHARE
--       on both while each is read once for its index.
-- Version before: goes on working, but for payments by `city_ledger`: it names no account, and such
--       a payment is refused until the functions are new. Debts of before stay as they are.

-- up
-- balance = not_invoiced + open - unallocated; each part is what its own rows come to.
CREATE TABLE company_accounts (
  tenant_id          uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                 text NOT NULL,
  property_id        uuid NOT NULL,
  name               text NOT NULL,
  company            jsonb NOT NULL,
  currency           text NOT NULL,
  terms_days         integer NOT NULL,
  credit_limit_micro bigint NOT NULL,
  status             text NOT NULL,
  not_invoiced_micro bigint NOT NULL,
  open_micro         bigint NOT NULL,
  unallocated_micro  bigint NOT NULL,
  opened_at          timestamptz NOT NULL,
  version            bigint NOT NULL,
  trail              bytea NOT NULL,
  state_digest       bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT company_account_status_is_known CHECK (status IN ('active', 'on_hold', 'closed')),
  CONSTRAINT credit_is_given_on_terms CHECK (credit_limit_micro >= 0 AND terms_days >= 0),
  CONSTRAINT company_account_has_no_negative_part
    CHECK (not_invoiced_micro >= 0 AND open_micro >= 0 AND unallocated_micro >= 0),
  CONSTRAINT closed_company_account_is_settled CHECK
    (status <> 'closed' OR not_invoiced_micro = 0 AND open_micro = 0 AND unallocated_micro = 0)
);
CREATE INDEX company_accounts_by_property ON company_accounts (tenant_id, property_id, id);

ALTER TABLE payments ADD COLUMN company_account_id text;
ALTER TABLE payments ADD CONSTRAINT city_ledger_payment_names_its_account
  CHECK ((method = 'city_ledger') = (company_account_id IS NOT NULL)) NOT VALID;
ALTER TABLE payments ADD CONSTRAINT payment_is_owed_by_a_company_account
  FOREIGN KEY (tenant_id, company_account_id) REFERENCES company_accounts (tenant_id, id)
  NOT VALID;
CREATE INDEX payments_by_company_account ON payments (tenant_id, company_account_id)
  WHERE company_account_id IS NOT NULL;

ALTER TABLE ledger_entries ADD COLUMN company_account_id text;
ALTER TABLE ledger_entries ADD CONSTRAINT debt_is_of_the_account_it_names CHECK (
  CASE WHEN company_account_id IS NULL
    THEN debit_account NOT LIKE 'city\_ledger:%' AND credit_account NOT LIKE 'city\_ledger:%'
    ELSE 'city_ledger:' || company_account_id IN (debit_account, credit_account)
  END) NOT VALID;
ALTER TABLE ledger_entries ADD CONSTRAINT debt_entry_is_of_a_company_account
  FOREIGN KEY (tenant_id, company_account_id) REFERENCES company_accounts (tenant_id, id)
  NOT VALID;
CREATE INDEX ledger_by_company_account
  ON ledger_entries (tenant_id, company_account_id, business_date)
  WHERE company_account_id IS NOT NULL;

-- What an account owes by an invoice. What is open of it changes, under the account's lock; and its
-- amount, where a folio was settled once more and no further invoice came of that.
CREATE TABLE receivables (
  tenant_id    uuid NOT NULL DEFAULT billing_central.current_tenant(),
  account_id   text NOT NULL,
  invoice_id   text NOT NULL,
  folio_id     text NOT NULL,
  amount_micro bigint NOT NULL,
  open_micro   bigint NOT NULL,
  currency     text NOT NULL,
  issued_on    date NOT NULL,
  due_on       date NOT NULL,
  recorded_at  timestamptz NOT NULL,
  CONSTRAINT invoice_is_owed_once PRIMARY KEY (tenant_id, account_id, invoice_id),
  CONSTRAINT receivable_is_of_an_account
    FOREIGN KEY (tenant_id, account_id) REFERENCES company_accounts (tenant_id, id),
  CONSTRAINT receivable_is_of_an_invoice
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
  CONSTRAINT receivable_is_of_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id),
  CONSTRAINT receivable_is_positive CHECK (amount_micro > 0),
  CONSTRAINT settled_stays_within_the_receivable CHECK (open_micro BETWEEN 0 AND amount_micro),
  CONSTRAINT receivable_is_due_no_earlier_than_issued CHECK (due_on >= issued_on)
);
CREATE INDEX open_receivables ON receivables (tenant_id, account_id, due_on, invoice_id)
  WHERE open_micro > 0;
CREATE INDEX receivables_by_invoice ON receivables (tenant_id, invoice_id);
CREATE INDEX receivables_by_folio ON receivables (tenant_id, folio_id);

-- What an item is made of: each settlement of its folio once, with what was kept of it by then.
CREATE TABLE receivable_parts (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  payment_id    text NOT NULL,
  account_id    text NOT NULL,
  invoice_id    text NOT NULL,
  amount_micro  bigint NOT NULL,
  currency      text NOT NULL,
  business_date date NOT NULL,
  recorded_at   timestamptz NOT NULL,
  CONSTRAINT settlement_is_invoiced_once PRIMARY KEY (tenant_id, payment_id),
  CONSTRAINT part_is_a_settlement
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, id),
  CONSTRAINT part_is_of_a_receivable FOREIGN KEY (tenant_id, account_id, invoice_id)
    REFERENCES receivables (tenant_id, account_id, invoice_id),
  CONSTRAINT receivable_part_is_positive CHECK (amount_micro > 0)
);
CREATE INDEX parts_by_receivable
  ON receivable_parts (tenant_id, account_id, invoice_id, business_date);

-- What came to an account's credit: its payments, credit notes that were set off, and settlements
-- given back after their invoice.
CREATE TABLE account_credits (
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                   text NOT NULL,
  account_id           text NOT NULL,
  kind                 text NOT NULL,
  amount_micro         bigint NOT NULL,
  currency             text NOT NULL,
  reference            text,
  processor_payment_id text,
  cash_session_id      text,
  credit_note_id       text,
  business_date        date NOT NULL,
  occurred_at          timestamptz NOT NULL,
  recorded_at          timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT company_card_payment_is_recorded_once UNIQUE (tenant_id, processor_payment_id),
  CONSTRAINT credit_note_is_set_off_once UNIQUE (tenant_id, credit_note_id),
  CONSTRAINT credit_note_that_is_set_off_exists
    FOREIGN KEY (tenant_id, credit_note_id) REFERENCES credit_notes (tenant_id, id),
  CONSTRAINT credit_is_of_an_account
    FOREIGN KEY (tenant_id, account_id) REFERENCES company_accounts (tenant_id, id),
  CONSTRAINT company_cash_lies_in_a_session
    FOREIGN KEY (tenant_id, cash_session_id) REFERENCES cash_sessions (tenant_id, id),
  CONSTRAINT account_credit_is_positive CHECK (amount_micro > 0),
  CONSTRAINT account_credit_kind_is_known CHECK
    (kind IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'refund', 'credit_note')),
  CONSTRAINT set_off_names_its_credit_note
    CHECK ((kind = 'credit_note') = (credit_note_id IS NOT NULL)),
  CONSTRAINT company_cash_names_its_session CHECK ((kind = 'cash') = (cash_session_id IS NOT NULL)),
  CONSTRAINT company_card_names_its_payment
    CHECK ((kind = 'card') = (processor_payment_id IS NOT NULL))
);
CREATE INDEX account_credits_by_account ON account_credits (tenant_id, account_id, business_date);
CREATE INDEX account_credits_by_cash_session ON account_credits (tenant_id, cash_session_id)
  WHERE cash_session_id IS NOT NULL;
CREATE INDEX company_card_payments_by_date ON account_credits (tenant_id, business_date)
  WHERE kind = 'card';

-- Which item a part of the credit went to; what was wrong is reversed by a row that names it.
CREATE TABLE receivable_allocations (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id            text NOT NULL,
  account_id    text NOT NULL,
  invoice_id    text NOT NULL,
  amount_micro  bigint NOT NULL,
  currency      text NOT NULL,
  credit_id     text,
  reverses      text,
  reason        text,
  business_date date NOT NULL,
  occurred_at   timestamptz NOT NULL,
  recorded_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT allocation_is_reversed_once UNIQUE (tenant_id, reverses),
  CONSTRAINT allocation_is_for_a_receivable FOREIGN KEY (tenant_id, account_id, invoice_id)
    REFERENCES receivables (tenant_id, account_id, invoice_id),
  CONSTRAINT allocation_is_out_of_a_credit
    FOREIGN KEY (tenant_id, credit_id) REFERENCES account_credits (tenant_id, id),
  CONSTRAINT reversal_is_of_an_allocation
    FOREIGN KEY (tenant_id, reverses) REFERENCES receivable_allocations (tenant_id, id),
  CONSTRAINT only_a_reversal_takes_back CHECK
    (amount_micro <> 0 AND (amount_micro < 0) = (reverses IS NOT NULL)),
  CONSTRAINT reversal_says_why CHECK ((reverses IS NULL) = (reason IS NULL))
);
CREATE INDEX allocations_by_receivable
  ON receivable_allocations (tenant_id, account_id, invoice_id, business_date);

-- What was given up of an item, and who confirmed that.
CREATE TABLE write_offs (
  tenant_id        uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id               text NOT NULL,
  account_id       text NOT NULL,
  invoice_id       text NOT NULL,
  amount_micro     bigint NOT NULL,
  currency         text NOT NULL,
  reason           text NOT NULL,
  confirmed_by     text NOT NULL,
  step_up_token_id text NOT NULL,
  assertion_hash   text NOT NULL,
  step_up_method   text NOT NULL,
  business_date    date NOT NULL,
  occurred_at      timestamptz NOT NULL,
  recorded_at      timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT write_off_is_confirmed_on_its_own UNIQUE (tenant_id, step_up_token_id),
  CONSTRAINT write_off_is_of_a_receivable FOREIGN KEY (tenant_id, account_id, invoice_id)
    REFERENCES receivables (tenant_id, account_id, invoice_id),
  CONSTRAINT write_off_is_positive CHECK (amount_micro > 0)
);
CREATE INDEX write_offs_by_receivable
  ON write_offs (tenant_id, account_id, invoice_id, business_date);

ALTER TABLE company_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE company_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON company_accounts TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE receivables ENABLE ROW LEVEL SECURITY;
ALTER TABLE receivables FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON receivables TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE receivable_parts ENABLE ROW LEVEL SECURITY;
ALTER TABLE receivable_parts FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON receivable_parts TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE account_credits ENABLE ROW LEVEL SECURITY;
ALTER TABLE account_credits FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON account_credits TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE receivable_allocations ENABLE ROW LEVEL SECURITY;
ALTER TABLE receivable_allocations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON receivable_allocations TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE write_offs ENABLE ROW LEVEL SECURITY;
ALTER TABLE write_offs FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON write_offs TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, UPDATE (name, company, terms_days, credit_limit_micro, status,
  not_invoiced_micro, open_micro, unallocated_micro, version, trail, state_digest)
  ON company_accounts TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (amount_micro, open_micro) ON receivables TO {tenant_role};
GRANT SELECT, INSERT ON account_credits, receivable_allocations, receivable_parts, write_offs
  TO {tenant_role};

-- down
DROP TABLE write_offs;
DROP TABLE receivable_allocations;
DROP TABLE account_credits;
DROP TABLE receivable_parts;
DROP TABLE receivables;
ALTER TABLE ledger_entries DROP COLUMN company_account_id;
ALTER TABLE payments DROP COLUMN company_account_id;
DROP TABLE company_accounts;
