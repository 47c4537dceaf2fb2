-- Why: a subscription may be collected by a subscription of the processor's own (Stripe Billing).
--      What that takes pays our invoices, once; our collector leaves it alone meanwhile.
-- Lock: ACCESS EXCLUSIVE on subscription_payments and subscription_collections for the columns, the
--       constraints and their indexes; each is read through, and holds few rows a subscription.
-- Version before: goes on working. It collects what is handed over meanwhile no more, since nothing
--      is due for it, and could not ask for it again: the constraint says so.

-- up
ALTER TABLE subscription_payments
  ADD COLUMN processor_invoice_id text,
  ALTER COLUMN customer_id DROP NOT NULL,
  ALTER COLUMN payment_method_id DROP NOT NULL,
  DROP CONSTRAINT paid_charge_names_its_payment,
  ADD CONSTRAINT paid_charge_names_its_payment CHECK (
    status <> 'succeeded' OR coalesce(processor_payment_id, processor_invoice_id) IS NOT NULL),
  ADD CONSTRAINT processors_invoice_pays_once UNIQUE (tenant_id, processor_invoice_id),
  ADD CONSTRAINT charge_is_ours_or_the_processors CHECK (
    (processor_invoice_id IS NULL) = (customer_id IS NOT NULL)
    AND (processor_invoice_id IS NULL) = (payment_method_id IS NOT NULL)),
  ADD CONSTRAINT what_the_processor_collects_is_taken CHECK (
    processor_invoice_id IS NULL OR status = 'succeeded');
ALTER TABLE subscription_collections
  ADD COLUMN processor_subscription_id text,
  ADD COLUMN processor_ended_at timestamptz,
  ADD CONSTRAINT processors_subscription_collects_one UNIQUE (processor_subscription_id),
  ADD CONSTRAINT what_has_ended_there_was_there CHECK (
    processor_ended_at IS NULL OR processor_subscription_id IS NOT NULL),
  ADD CONSTRAINT what_the_processor_collects_is_left_alone CHECK (
    next_at IS NULL OR processor_subscription_id IS NULL OR processor_ended_at IS NOT NULL);
GRANT UPDATE (processor_subscription_id, processor_ended_at) ON subscription_collections
  TO billing_tenant;

-- down
REVOKE UPDATE (processor_subscription_id, processor_ended_at) ON subscription_collections
  FROM billing_tenant;
ALTER TABLE subscription_collections
  DROP COLUMN processor_subscription_id,
  DROP COLUMN processor_ended_at;
ALTER TABLE subscription_payments
  DROP CONSTRAINT paid_charge_names_its_payment,
  ADD CONSTRAINT paid_charge_names_its_payment CHECK (
    status <> 'succeeded' OR processor_payment_id IS NOT NULL),
  DROP COLUMN processor_invoice_id,
  ALTER COLUMN customer_id SET NOT NULL,
  ALTER COLUMN payment_method_id SET NOT NULL;
