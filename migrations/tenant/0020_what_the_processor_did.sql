-- Why: refunds that were made at the processor itself, of open folios and of closed ones; what
--      banks ask back is booked, with the processor's fee, and may be about a purchase of credits.
-- Lock: ACCESS EXCLUSIVE on refunds and payment_disputes for a moment (columns that are null or
--       have a constant default, constraints that are not held against the rows before), and SHARE
--       on refunds while it is read once for its index.
-- Version before: goes on working; it names its columns, and makes no refund of the processor's.
--       A dispute of a purchase of credits it cannot show. A dispute that it records is booked when
--       it moves on under this version.
-- Down: is refused while a refund of the processor's own or a dispute of a purchase is there.

-- up
ALTER TABLE refunds ADD COLUMN processor_refund_id text;
ALTER TABLE refunds ADD CONSTRAINT processors_own_refund_is_of_a_card CHECK
  (processor_refund_id IS NULL OR method = 'card' AND confirmed_by IS NULL) NOT VALID;
CREATE UNIQUE INDEX processors_refund_is_recorded_once
  ON refunds (tenant_id, processor_refund_id) WHERE processor_refund_id IS NOT NULL;

-- A refund that the processor made of a folio that was closed: booked beside the folio until
-- somebody opens that again. `settled_at` says since when it stands on its folio, as a refund.
CREATE TABLE late_refunds (
  tenant_id           uuid NOT NULL DEFAULT billing_central.current_tenant(),
  id                  text NOT NULL,
  property_id         uuid NOT NULL,
  folio_id            text NOT NULL,
  payment_id          text NOT NULL,
  processor_refund_id text NOT NULL,
  paid_amount_micro   bigint NOT NULL,
  paid_currency       text NOT NULL,
  business_date       date NOT NULL,
  made_at             timestamptz NOT NULL,
  settled_at          timestamptz,
  version             bigint NOT NULL,
  trail               bytea NOT NULL,
  state_digest        bytea NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT late_refund_is_recorded_once UNIQUE (tenant_id, processor_refund_id),
  CONSTRAINT late_refund_is_of_a_payment
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, id),
  CONSTRAINT late_refund_belongs_to_a_folio
    FOREIGN KEY (tenant_id, folio_id) REFERENCES folios (tenant_id, id),
  CONSTRAINT late_refund_is_positive CHECK (paid_amount_micro > 0),
  CONSTRAINT late_refund_is_settled_after_it_was_made CHECK (settled_at >= made_at)
);
CREATE INDEX late_refunds_by_date ON late_refunds (tenant_id, property_id, business_date);
CREATE INDEX late_refunds_waiting ON late_refunds (tenant_id, folio_id) WHERE settled_at IS NULL;

ALTER TABLE late_refunds ENABLE ROW LEVEL SECURITY;
ALTER TABLE late_refunds FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON late_refunds TO {tenant_role}
  USING (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant())
  WITH CHECK (tenant_id = {tenant_id} AND tenant_id = billing_central.current_tenant());
GRANT SELECT, INSERT, UPDATE (settled_at, version, trail, state_digest) ON late_refunds
  TO {tenant_role};

-- A dispute of a purchase of credits is of no folio. `is_withheld`: the money is booked as gone.
ALTER TABLE payment_disputes
  ALTER COLUMN property_id DROP NOT NULL,
  ALTER COLUMN folio_id DROP NOT NULL,
  ALTER COLUMN payment_id DROP NOT NULL,
  ADD COLUMN is_withheld boolean NOT NULL DEFAULT false,
  ADD COLUMN fee_micro bigint,
  ADD COLUMN fee_currency text;
ALTER TABLE payment_disputes
  ADD CONSTRAINT dispute_is_of_a_folios_payment_or_of_none
    CHECK (num_nonnulls(property_id, folio_id, payment_id) IN (0, 3)) NOT VALID,
  ADD CONSTRAINT dispute_fee_is_an_amount
    CHECK (num_nonnulls(fee_micro, fee_currency) IN (0, 2) AND fee_micro >= 0) NOT VALID,
  ADD CONSTRAINT inquiry_withholds_nothing
    CHECK (NOT is_withheld OR NOT starts_with(status, 'warning_')) NOT VALID;
GRANT UPDATE (is_withheld, fee_micro, fee_currency) ON payment_disputes TO {tenant_role};

-- down
ALTER TABLE payment_disputes
  DROP CONSTRAINT inquiry_withholds_nothing,
  DROP CONSTRAINT dispute_fee_is_an_amount,
  DROP CONSTRAINT dispute_is_of_a_folios_payment_or_of_none;
ALTER TABLE payment_disputes
  DROP COLUMN fee_currency,
  DROP COLUMN fee_micro,
  DROP COLUMN is_withheld,
  ALTER COLUMN payment_id SET NOT NULL,
  ALTER COLUMN folio_id SET NOT NULL,
  ALTER COLUMN property_id SET NOT NULL;
DROP TABLE late_refunds;
DROP INDEX processors_refund_is_recorded_once;
ALTER TABLE refunds DROP CONSTRAINT processors_own_refund_is_of_a_card;
ALTER TABLE refunds ADD CONSTRAINT no_refund_is_the_processors_own
  CHECK (processor_refund_id IS NULL);
ALTER TABLE refunds DROP CONSTRAINT no_refund_is_the_processors_own;
ALTER TABLE refunds DROP COLUMN processor_refund_id;
