-- Why: a refund of a card may fail after it was made: the house has the money again. On its
--      folio it is taken back; beside one that is closed the money waits until that is opened
--      again. A company has what was given back of its payment to its credit again.
-- Lock: ACCESS EXCLUSIVE on late_refunds and account_credits for a moment (a column that is null,
--       constraints that are not held against the rows before).
-- Version before: goes on working; it refuses such an event and keeps it. A refund that has failed
--       afterwards it shows as made, and reopening its folio leaves the money where it lies.
-- Down: is refused while a refund has failed afterwards.

-- up
-- `id` is that of the line that takes the refund back, which stands on its folio or will once that
-- is open again. Never changed.
CREATE TABLE refund_failures (
  tenant_id     uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id            text NOT NULL,
  refund_id     text NOT NULL,
  folio_id      text NOT NULL,
  failure_code  text NOT NULL,
  business_date date NOT NULL,
  failed_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT refund_fails_once UNIQUE (tenant_id, refund_id),
  CONSTRAINT failed_refund_belongs_to_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id),
  CONSTRAINT refund_that_failed_afterwards_exists
    FOREIGN KEY (tenant_id, refund_id) REFERENCES refunds (tenant_id, id)
);
CREATE INDEX refund_failures_by_folio ON refund_failures (tenant_id, folio_id);
CREATE INDEX refund_failures_by_time ON refund_failures (tenant_id, failed_at);

ALTER TABLE refund_failures ENABLE ROW LEVEL SECURITY;
ALTER TABLE refund_failures FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON refund_failures TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
GRANT SELECT, INSERT ON refund_failures TO {tenant_role};

-- One that failed while it waited for its folio has never stood on that.
ALTER TABLE late_refunds ADD COLUMN failure_code text;
ALTER TABLE late_refunds ADD CONSTRAINT late_refund_that_failed_waits_no_longer
  CHECK (failure_code IS NULL OR settled_at IS NOT NULL) NOT VALID;
GRANT UPDATE (failure_code) ON late_refunds TO {tenant_role};

ALTER TABLE account_credits
  DROP CONSTRAINT account_credit_kind_is_known,
  DROP CONSTRAINT what_is_taken_back_names_its_payment;
ALTER TABLE account_credits
  ADD CONSTRAINT account_credit_kind_is_known CHECK
    (kind IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'refund', 'credit_note', 'disputed',
      'dispute_won', 'refunded_there', 'refund_failed')) NOT VALID,
  ADD CONSTRAINT what_is_taken_back_names_its_payment CHECK
    (num_nonnulls(takes_back, cause)
      = CASE WHEN kind IN ('disputed', 'dispute_won', 'refunded_there', 'refund_failed')
          THEN 2 ELSE 0 END)
    NOT VALID;

-- down
ALTER TABLE refund_failures ADD CONSTRAINT no_refund_failed_afterwards CHECK (id IS NULL);
ALTER TABLE late_refunds ADD CONSTRAINT no_late_refund_failed CHECK (failure_code IS NULL);
ALTER TABLE account_credits ADD CONSTRAINT nothing_came_again CHECK (kind <> 'refund_failed');
ALTER TABLE account_credits
  DROP CONSTRAINT nothing_came_again,
  DROP CONSTRAINT account_credit_kind_is_known,
  DROP CONSTRAINT what_is_taken_back_names_its_payment;
ALTER TABLE account_credits
  ADD CONSTRAINT account_credit_kind_is_known CHECK
    (kind IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'refund', 'credit_note', 'disputed',
      'dispute_won', 'refunded_there')) NOT VALID,
  ADD CONSTRAINT what_is_taken_back_names_its_payment CHECK
    (num_nonnulls(takes_back, cause)
      = CASE WHEN kind IN ('disputed', 'dispute_won', 'refunded_there') THEN 2 ELSE 0 END)
    NOT VALID;
ALTER TABLE late_refunds DROP CONSTRAINT late_refund_that_failed_waits_no_longer;
ALTER TABLE late_refunds DROP COLUMN failure_code;
DROP TABLE refund_failures;
