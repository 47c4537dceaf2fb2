-- Why: a card payment that comes when its folio is closed goes back by itself: it is booked beside
--      the folio and promised back in the same commit, and a job has it made.
-- Lock: ACCESS EXCLUSIVE on payment_intents for a moment (a column that is null, constraints that
--       are not held against the rows before), SHARE ROW EXCLUSIVE on folios by the foreign key.
-- Version before: goes on working; such a payment waits there as it did. What is promised by then
--       is asked for by the new version alone.
-- Down: is refused while there is such a payment.

-- up
-- `status`: promised, made, not made, or put on its folio after that. The money is in its own
-- currency, all of it; nobody converts what only comes and goes.
CREATE TABLE returned_payments (
  tenant_id            uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                   text NOT NULL,
  property_id          uuid NOT NULL,
  folio_id             text NOT NULL,
  processor_payment_id text NOT NULL,
  paid_amount_micro    bigint NOT NULL,
  paid_currency        text NOT NULL,
  refund_id            text NOT NULL,
  business_date        date NOT NULL,
  status               text NOT NULL,
  failure_code         text,
  promised_at          timestamptz NOT NULL,
  settled_at           timestamptz,
  attempts             integer NOT NULL DEFAULT 0,
  next_attempt_at      timestamptz NOT NULL,
  version              bigint NOT NULL,
  trail                bytea NOT NULL,
  state_digest         bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT payment_is_sent_back_once UNIQUE (tenant_id, processor_payment_id),
  CONSTRAINT return_is_one_refund UNIQUE (tenant_id, refund_id),
  CONSTRAINT returned_payment_belongs_to_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id),
  CONSTRAINT returned_payment_is_positive CHECK (paid_amount_micro > 0),
  CONSTRAINT return_status_is_known CHECK (status IN ('pending', 'returned', 'failed', 'placed')),
  CONSTRAINT pending_return_is_not_settled CHECK ((status = 'pending') = (settled_at IS NULL)),
  CONSTRAINT failed_return_says_why
    CHECK ((status IN ('failed', 'placed')) = (failure_code IS NOT NULL)),
  CONSTRAINT return_is_settled_after_its_promise CHECK (settled_at >= promised_at)
);
CREATE INDEX returns_by_time ON returned_payments (tenant_id, next_attempt_at)
  WHERE status = 'pending';
CREATE INDEX returns_that_failed ON returned_payments (tenant_id, folio_id)
  WHERE status = 'failed';
CREATE INDEX returned_payments_by_date
  ON returned_payments (tenant_id, property_id, business_date);
CREATE INDEX returned_payments_by_promise ON returned_payments (tenant_id, promised_at);
CREATE INDEX returned_payments_by_settlement ON returned_payments (tenant_id, settled_at);

ALTER TABLE returned_payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE returned_payments FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON returned_payments TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
GRANT SELECT, INSERT, UPDATE (status, failure_code, settled_at, attempts, next_attempt_at, version,
    trail, state_digest)
  ON returned_payments TO {tenant_role};

ALTER TABLE payment_intents ADD COLUMN returned_id text;
ALTER TABLE payment_intents
  ADD CONSTRAINT intent_that_goes_back_says_as_what
    FOREIGN KEY (tenant_id, returned_id) REFERENCES returned_payments (tenant_id, id) NOT VALID,
  ADD CONSTRAINT only_what_succeeded_goes_back
    CHECK (returned_id IS NULL OR status = 'succeeded') NOT VALID;
GRANT UPDATE (returned_id) ON payment_intents TO {tenant_role};

-- down
ALTER TABLE returned_payments ADD CONSTRAINT no_payment_has_gone_back
  CHECK (refund_id IS NULL);
ALTER TABLE payment_intents DROP COLUMN returned_id;
DROP TABLE returned_payments;
