-- Why: refunds. Each names its payment, is written down before money moves, and is settled once;
--      the database refuses more than was paid, a second settlement, and a folio closed too early.
-- Lock: ACCESS EXCLUSIVE on folios, payments and folio_lines for a moment (columns with a constant
--       default, constraints that are not held against the rows before: none of those is a refund),
--       and SHARE on folio_lines while it is read once for its index.
-- Version before: goes on working; it names its columns and makes no refund. A folio that has a
--       refund's line it cannot show or close. Going down is refused while there is such a line.

-- up
ALTER TABLE folios ADD COLUMN pending_refunds integer NOT NULL DEFAULT 0;
ALTER TABLE folios ADD CONSTRAINT closed_folio_awaits_no_refund
  CHECK (pending_refunds >= 0 AND (status <> 'closed' OR pending_refunds = 0)) NOT VALID;

-- What was given back, or is promised, in the currency of the payment; refunded_micro is its worth.
ALTER TABLE payments ADD COLUMN refunded_paid_micro bigint NOT NULL DEFAULT 0;
ALTER TABLE payments ADD CONSTRAINT refunds_stay_within_what_was_paid
  CHECK (refunded_paid_micro BETWEEN 0 AND paid_amount_micro) NOT VALID;

ALTER TABLE folio_lines DROP CONSTRAINT line_type_is_known;
ALTER TABLE folio_lines ADD CONSTRAINT line_type_is_known CHECK (type IN
  ('charge', 'tax', 'payment', 'adjustment', 'void', 'rounding', 'refund', 'refund_reversal'))
  NOT VALID;
ALTER TABLE folio_lines ADD CONSTRAINT refund_line_names_what_it_gives_back
  CHECK (type NOT IN ('refund', 'refund_reversal') OR corrects IS NOT NULL) NOT VALID;
CREATE UNIQUE INDEX refund_is_reversed_once ON folio_lines (tenant_id, corrects)
  WHERE type = 'refund_reversal';

-- What was promised, or given back at once; never changed, only added to. The amounts are named as
-- those of a payment: what is handed over, and what it is worth on the folio.
CREATE TABLE refunds (
  tenant_id         uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                text NOT NULL,
  folio_id          text NOT NULL,
  payment_id        text NOT NULL,
  method            text NOT NULL,
  amount_micro      bigint NOT NULL,
  currency          text NOT NULL,
  paid_amount_micro bigint NOT NULL,
  paid_currency     text NOT NULL,
  reason            text NOT NULL,
  reference         text,
  cash_session_id   text,
  confirmed_by      text NOT NULL,
  step_up_token_id  text NOT NULL,
  assertion_hash    text NOT NULL,
  step_up_method    text NOT NULL,
  business_date     date NOT NULL,
  occurred_at       timestamptz NOT NULL,
  recorded_at       timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT refund_is_confirmed_on_its_own UNIQUE (tenant_id, step_up_token_id),
  CONSTRAINT refund_belongs_to_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id),
  CONSTRAINT refund_is_of_a_payment
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, id),
  CONSTRAINT cash_came_out_of_a_session
    FOREIGN KEY (tenant_id, cash_session_id) REFERENCES cash_sessions (tenant_id, id),
  CONSTRAINT refund_is_positive CHECK (paid_amount_micro > 0 AND amount_micro >= 0),
  CONSTRAINT refund_method_is_known CHECK
    (method IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'voucher', 'city_ledger')),
  CONSTRAINT cash_refund_names_its_session
    CHECK ((method = 'cash') = (cash_session_id IS NOT NULL)),
  CONSTRAINT refund_by_hand_has_a_reference
    CHECK (reference IS NOT NULL OR method IN ('cash', 'card'))
);
CREATE INDEX refunds_by_folio ON refunds (tenant_id, folio_id, id);
CREATE INDEX refunds_by_payment ON refunds (tenant_id, payment_id);

-- What became of a refund, once; one without a settlement is pending. Never changed.
CREATE TABLE refund_settlements (
  tenant_id    uuid NOT NULL DEFAULT billing_central.current_tenant(),
  refund_id    text NOT NULL,
  status       text NOT NULL,
  failure_code text,
  settled_at   timestamptz NOT NULL,
  CONSTRAINT refund_is_settled_once PRIMARY KEY (tenant_id, refund_id),
  CONSTRAINT settled_refund_exists
    FOREIGN KEY (tenant_id, refund_id) REFERENCES refunds (tenant_id, id),
  CONSTRAINT refund_has_succeeded_or_failed CHECK (status IN ('succeeded', 'failed')),
  CONSTRAINT failed_refund_says_why CHECK ((status = 'failed') = (failure_code IS NOT NULL))
);

-- Refunds that the processor has not settled yet, and when to ask again.
CREATE TABLE refund_queue (
  tenant_id       uuid NOT NULL DEFAULT billing_central.current_tenant(),
  refund_id       text NOT NULL,
  attempts        integer NOT NULL,
  next_attempt_at timestamptz NOT NULL,
  queued_at       timestamptz NOT NULL,
  CONSTRAINT refund_waits_once PRIMARY KEY (tenant_id, refund_id),
  CONSTRAINT waiting_refund_exists
    FOREIGN KEY (tenant_id, refund_id) REFERENCES refunds (tenant_id, id)
);
CREATE INDEX refund_queue_by_time ON refund_queue (tenant_id, next_attempt_at);

ALTER TABLE refunds ENABLE ROW LEVEL SECURITY;
ALTER TABLE refunds FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON refunds TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE refund_settlements ENABLE ROW LEVEL SECURITY;
ALTER TABLE refund_settlements FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON refund_settlements TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
ALTER TABLE refund_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE refund_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON refund_queue TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());

GRANT UPDATE (refunded_paid_micro) ON payments TO {tenant_role};
GRANT SELECT, INSERT ON refunds, refund_settlements TO {tenant_role};
GRANT SELECT, INSERT, DELETE, UPDATE (attempts, next_attempt_at) ON refund_queue TO {tenant_role};

-- down
DROP TABLE refund_queue;
DROP TABLE refund_settlements;
DROP TABLE refunds;
DROP INDEX refund_is_reversed_once;
ALTER TABLE folio_lines DROP CONSTRAINT refund_line_names_what_it_gives_back;
ALTER TABLE folio_lines DROP CONSTRAINT line_type_is_known;
ALTER TABLE folio_lines ADD CONSTRAINT line_type_is_known
  CHECK (type IN ('charge', 'tax', 'payment', 'adjustment', 'void', 'rounding'));
ALTER TABLE payments DROP COLUMN refunded_paid_micro;
ALTER TABLE folios DROP COLUMN pending_refunds;
