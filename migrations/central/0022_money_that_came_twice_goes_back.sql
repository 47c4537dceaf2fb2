-- Why: an invoice of the platform that our own charge and a subscription of the processor's own
--      have both collected, or two charges of ours, is paid by the first of them; what came second
--      goes back by itself. It is written down as a charge that is `refunded`, and promised back in
--      the same commit.
-- Lock: ACCESS EXCLUSIVE on subscription_payments and subscription_refunds for the columns, the
--       constraints and their indexes; each is read through, and holds few rows a subscription.
-- Version before: goes on working, and refuses what comes second, as it did. Its job would credit a
--      refund of what came second as one of an invoice: the jobs are to be of this version when the
--      first is promised.
-- Down: is refused while there is money that came twice.

-- up
ALTER TABLE subscription_refunds
  ADD COLUMN surplus_id text,
  ADD COLUMN made_there text,
  ALTER COLUMN processor_payment_id DROP NOT NULL,
  ADD CONSTRAINT surplus_goes_back_once UNIQUE (surplus_id),
  ADD CONSTRAINT refund_names_its_payment CHECK (
    processor_payment_id IS NOT NULL OR status <> 'succeeded'),
  ADD CONSTRAINT what_was_made_there_was_a_surplus CHECK (
    made_there IS NULL OR surplus_id IS NOT NULL AND status = 'succeeded'),
  ADD CONSTRAINT refund_made_there_counts_once UNIQUE (tenant_id, made_there);
CREATE INDEX subscription_refunds_of_a_payment
  ON subscription_refunds (tenant_id, processor_payment_id) WHERE surplus_id IS NOT NULL;
GRANT UPDATE (processor_payment_id, made_there) ON subscription_refunds TO billing_tenant;

-- A charge either pays its invoice or goes back, never both, and by one refund of its own.
ALTER TABLE subscription_payments
  ADD COLUMN goes_back_as text,
  DROP CONSTRAINT charge_status_is_known,
  ADD CONSTRAINT charge_status_is_known CHECK (
    status IN ('processing', 'requires_action', 'failed', 'canceled', 'succeeded', 'refunded')),
  DROP CONSTRAINT paid_charge_names_its_payment,
  ADD CONSTRAINT paid_charge_names_its_payment CHECK (
    status NOT IN ('succeeded', 'refunded')
    OR coalesce(processor_payment_id, processor_invoice_id) IS NOT NULL),
  DROP CONSTRAINT what_the_processor_collects_is_taken,
  ADD CONSTRAINT what_the_processor_collects_is_taken CHECK (
    processor_invoice_id IS NULL OR status IN ('succeeded', 'refunded')),
  ADD CONSTRAINT only_what_came_second_goes_back CHECK (
    (status = 'refunded') = (goes_back_as IS NOT NULL)),
  ADD CONSTRAINT refund_is_of_one_surplus UNIQUE (goes_back_as),
  ADD CONSTRAINT surplus_goes_back_by_a_refund
    FOREIGN KEY (goes_back_as) REFERENCES subscription_refunds (id);
GRANT UPDATE (goes_back_as) ON subscription_payments TO billing_tenant;

-- down
ALTER TABLE subscription_payments ADD CONSTRAINT nothing_came_twice CHECK (status <> 'refunded');
REVOKE UPDATE (goes_back_as) ON subscription_payments FROM billing_tenant;
REVOKE UPDATE (processor_payment_id, made_there) ON subscription_refunds FROM billing_tenant;
DROP INDEX subscription_refunds_of_a_payment;
ALTER TABLE subscription_refunds NO FORCE ROW LEVEL SECURITY;
UPDATE subscription_refunds SET processor_payment_id = '' WHERE processor_payment_id IS NULL;
ALTER TABLE subscription_refunds FORCE ROW LEVEL SECURITY;
ALTER TABLE subscription_payments
  DROP CONSTRAINT nothing_came_twice,
  DROP COLUMN goes_back_as,
  DROP CONSTRAINT what_the_processor_collects_is_taken,
  ADD CONSTRAINT what_the_processor_collects_is_taken CHECK (
    processor_invoice_id IS NULL OR status = 'succeeded'),
  DROP CONSTRAINT paid_charge_names_its_payment,
  ADD CONSTRAINT paid_charge_names_its_payment CHECK (
    status <> 'succeeded' OR coalesce(processor_payment_id, processor_invoice_id) IS NOT NULL),
  DROP CONSTRAINT charge_status_is_known,
  ADD CONSTRAINT charge_status_is_known CHECK (
    status IN ('processing', 'requires_action', 'failed', 'canceled', 'succeeded'));
ALTER TABLE subscription_refunds
  DROP CONSTRAINT refund_made_there_counts_once,
  DROP CONSTRAINT what_was_made_there_was_a_surplus,
  DROP CONSTRAINT refund_names_its_payment,
  DROP CONSTRAINT surplus_goes_back_once,
  DROP COLUMN made_there,
  DROP COLUMN surplus_id,
  ALTER COLUMN processor_payment_id SET NOT NULL;
