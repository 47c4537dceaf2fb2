-- Why: what differs between the books and the processor is a row with a status, an owner and since
--      when it is open; found once, however many runs find it.
-- Lock: SHARE on payments, refund_settlements, account_credits and payment_disputes while each is
--       read once for its index: what would write to them waits for that.
-- Version before: goes on working; it knows nothing of the table.

-- up
CREATE TABLE processor_differences (
  tenant_id      uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id             text NOT NULL,
  kind           text NOT NULL,
  about          text NOT NULL,
  payment        text NOT NULL,
  currency       text NOT NULL,
  expected_micro bigint NOT NULL,
  found_micro    bigint NOT NULL,
  property_id    uuid,
  status         text NOT NULL,
  owner          text NOT NULL,
  opened_at      timestamptz NOT NULL,
  looked_at      timestamptz NOT NULL,
  resolved_by    text,
  resolved_at    timestamptz,
  reason         text,
  version        bigint NOT NULL,
  trail          bytea NOT NULL,
  state_digest   bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT difference_is_found_once UNIQUE (tenant_id, kind, about, currency),
  CONSTRAINT difference_kind_is_known CHECK (kind IN
    ('payment_amount', 'payment_not_captured', 'payment_not_recorded', 'refund_amount',
     'refund_not_made', 'refund_not_recorded', 'refund_to_settle', 'dispute_amount',
     'dispute_not_opened', 'dispute_not_recorded')),
  CONSTRAINT difference_differs
    CHECK ((expected_micro = found_micro) = (kind = 'refund_to_settle')),
  CONSTRAINT difference_status_is_known CHECK (status IN ('open', 'resolved', 'cleared')),
  CONSTRAINT difference_has_an_owner CHECK (owner <> ''),
  CONSTRAINT answer_for_a_difference_is_signed CHECK
    (num_nonnulls(resolved_by, resolved_at, reason)
      = CASE status WHEN 'resolved' THEN 3 ELSE 0 END),
  CONSTRAINT looks_at_a_difference_follow_one_another CHECK (looked_at >= opened_at)
);
CREATE INDEX open_differences ON processor_differences (tenant_id, opened_at)
  WHERE status = 'open';

CREATE INDEX card_payments_by_recording ON payments (tenant_id, recorded_at)
  WHERE method = 'card';
CREATE INDEX company_card_payments_by_recording ON account_credits (tenant_id, recorded_at)
  WHERE kind = 'card';
CREATE INDEX settlements_by_time ON refund_settlements (tenant_id, settled_at);
CREATE INDEX disputes_by_opening ON payment_disputes (tenant_id, opened_at);
CREATE INDEX late_refunds_by_time ON late_refunds (tenant_id, made_at);

ALTER TABLE processor_differences ENABLE ROW LEVEL SECURITY;
ALTER TABLE processor_differences FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON processor_differences TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
GRANT SELECT, INSERT, UPDATE (payment, expected_micro, found_micro, property_id, status, owner,
  opened_at, looked_at, resolved_by, resolved_at, reason, version, trail, state_digest)
  ON processor_differences TO {tenant_role};

-- down
DROP INDEX late_refunds_by_time;
DROP INDEX disputes_by_opening;
DROP INDEX settlements_by_time;
DROP INDEX company_card_payments_by_recording;
DROP INDEX card_payments_by_recording;
DROP TABLE processor_differences;
