-- Why: credits are bought by card. A purchase is a payment that is for credits and on no folio; its
--      money is booked in a book of its own, and an account may fill itself up.
-- Lock: ACCESS EXCLUSIVE on credit_accounts for a moment (columns that are null or have a constant
--       default), SHARE ROW EXCLUSIVE on customers and payment_methods by the foreign keys.
-- Version before: goes on working, sells no credits, and tells nobody that an account is low.

-- up
ALTER TABLE credit_accounts
  ADD COLUMN low_below_micro bigint,
  ADD COLUMN is_low boolean NOT NULL DEFAULT false;
GRANT UPDATE (low_below_micro, is_low) ON credit_accounts TO {tenant_role};

-- The id is a payment intent's: the processor takes the payment under it, once.
CREATE TABLE credit_purchases (
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                   text NOT NULL,
  account_id           text NOT NULL,
  account              text NOT NULL,
  customer_id          text NOT NULL,
  payment_method_id    text NOT NULL,
  origin               text NOT NULL,
  credits_micro        bigint NOT NULL,
  amount_micro         bigint NOT NULL,
  currency             text NOT NULL,
  status               text NOT NULL,
  confirmed_at         timestamptz,
  processor_payment_id text,
  failure_code         text,
  created_at           timestamptz NOT NULL,
  changed_at           timestamptz NOT NULL,
  version              bigint NOT NULL,
  trail                bytea NOT NULL,
  state_digest         bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT processor_payment_buys_once UNIQUE (tenant_id, processor_payment_id),
  CONSTRAINT purchase_is_for_an_account
    FOREIGN KEY (tenant_id, account_id) REFERENCES credit_accounts (tenant_id, id),
  CONSTRAINT purchase_is_of_a_customer
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
  CONSTRAINT purchase_is_taken_from_a_method
    FOREIGN KEY (tenant_id, payment_method_id) REFERENCES payment_methods (tenant_id, id),
  CONSTRAINT purchase_is_about_something CHECK (credits_micro > 0 AND amount_micro > 0),
  CONSTRAINT purchase_origin_is_known CHECK (origin IN ('asked', 'top_up')),
  CONSTRAINT purchase_status_is_known CHECK (status IN
    ('requires_payment_method', 'processing', 'requires_action', 'failed', 'canceled',
     'succeeded')),
  CONSTRAINT purchase_that_is_asked_for_says_since_when CHECK
    (status NOT IN ('processing', 'requires_action') OR confirmed_at IS NOT NULL),
  CONSTRAINT failed_purchase_says_why CHECK ((status = 'failed') = (failure_code IS NOT NULL)),
  CONSTRAINT paid_purchase_names_its_charge
    CHECK (status <> 'succeeded' OR processor_payment_id IS NOT NULL)
);
CREATE UNIQUE INDEX one_top_up_at_a_time_per_account ON credit_purchases (tenant_id, account_id)
  WHERE origin = 'top_up' AND status IN ('processing', 'requires_action');
CREATE INDEX credit_purchases_by_time ON credit_purchases (tenant_id, changed_at)
  WHERE status = 'succeeded';
CREATE INDEX credit_purchases_by_account ON credit_purchases (tenant_id, account_id, created_at);

-- Purchases of which something is still to become, and when to ask.
CREATE TABLE credit_purchase_queue (
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  purchase_id     text NOT NULL,
  attempts        integer NOT NULL,
  next_attempt_at timestamptz NOT NULL,
  queued_at       timestamptz NOT NULL,
  CONSTRAINT purchase_waits_once PRIMARY KEY (tenant_id, purchase_id),
  CONSTRAINT waiting_purchase_exists
    FOREIGN KEY (tenant_id, purchase_id) REFERENCES credit_purchases (tenant_id, id)
);
CREATE INDEX credit_purchase_queue_by_time ON credit_purchase_queue (tenant_id, next_attempt_at);

-- The double-entry book of the money: one row names both accounts. Never changed.
CREATE TABLE credit_sale_entries (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  source         text NOT NULL,
  part           smallint NOT NULL,
  purchase_id    text NOT NULL,
  debit_account  text NOT NULL,
  credit_account text NOT NULL,
  amount_micro   bigint NOT NULL,
  currency       text NOT NULL,
  occurred_at    timestamptz NOT NULL,
  recorded_at    timestamptz NOT NULL,
  CONSTRAINT sale_is_booked_once PRIMARY KEY (tenant_id, source, part),
  CONSTRAINT sale_is_of_a_purchase
    FOREIGN KEY (tenant_id, purchase_id) REFERENCES credit_purchases (tenant_id, id),
  CONSTRAINT sale_moves_a_positive_amount CHECK (amount_micro > 0),
  CONSTRAINT sale_names_two_accounts CHECK (debit_account <> credit_account),
  CONSTRAINT sale_accounts_are_known CHECK (debit_account IN ('processor_clearing', 'credits_sold')
    AND credit_account IN ('processor_clearing', 'credits_sold'))
);
CREATE INDEX credit_sales_by_time ON credit_sale_entries (tenant_id, recorded_at);
CREATE INDEX credit_sales_by_purchase ON credit_sale_entries (tenant_id, purchase_id);

-- How an account fills itself up. `next_attempt_at` is null while it is off, or has failed often.
CREATE TABLE credit_top_ups (
  tenant_id         uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                text NOT NULL,
  account_id        text NOT NULL,
  account           text NOT NULL,
  is_on             boolean NOT NULL,
  threshold_micro   bigint NOT NULL,
  credits_micro     bigint NOT NULL,
  monthly_cap_micro bigint NOT NULL,
  payment_method_id text NOT NULL,
  failures          integer NOT NULL,
  next_attempt_at   timestamptz,
  set_at            timestamptz NOT NULL,
  version           bigint NOT NULL,
  trail             bytea NOT NULL,
  state_digest      bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT account_fills_itself_up_one_way UNIQUE (tenant_id, account_id),
  CONSTRAINT top_up_is_taken_from_a_method
    FOREIGN KEY (tenant_id, payment_method_id) REFERENCES payment_methods (tenant_id, id),
  CONSTRAINT filled_up_account_exists
    FOREIGN KEY (tenant_id, account_id) REFERENCES credit_accounts (tenant_id, id),
  CONSTRAINT top_up_stays_within_its_cap CHECK (threshold_micro > 0 AND credits_micro > 0
    AND credits_micro <= monthly_cap_micro),
  CONSTRAINT top_up_that_is_off_is_not_tried CHECK (is_on OR next_attempt_at IS NULL)
);
CREATE INDEX credit_top_ups_by_time ON credit_top_ups (tenant_id, next_attempt_at)
  WHERE next_attempt_at IS NOT NULL;

ALTER TABLE credit_purchases ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_purchases FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_purchases TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_purchase_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_purchase_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_purchase_queue TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_sale_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_sale_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_sale_entries TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE credit_top_ups ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_top_ups FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON credit_top_ups TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT SELECT, INSERT, UPDATE (status, confirmed_at, processor_payment_id, failure_code, changed_at,
    version, trail, state_digest) ON credit_purchases TO {tenant_role};
GRANT SELECT, INSERT, DELETE, UPDATE (attempts, next_attempt_at) ON credit_purchase_queue
  TO {tenant_role};
GRANT SELECT, INSERT ON credit_sale_entries TO {tenant_role};
GRANT SELECT, INSERT, UPDATE (is_on, threshold_micro, credits_micro, monthly_cap_micro,
    payment_method_id, failures, next_attempt_at, set_at, version, trail, state_digest)
  ON credit_top_ups TO {tenant_role};

-- down
DROP TABLE credit_top_ups;
DROP TABLE credit_sale_entries;
DROP TABLE credit_purchase_queue;
DROP TABLE credit_purchases;
ALTER TABLE credit_accounts DROP COLUMN low_below_micro, DROP COLUMN is_low;
