-- How the platform's invoices are charged, and what is dunned.

-- invariant: a_paid_platform_invoice_was_taken
-- An invoice is paid by the one charge of it that succeeded, for what no credit had paid of what was
-- due, and that is booked as its payment; what is given up is booked as lost, and as no loss where it
-- is paid after all, and nothing else is.
SELECT invoices.id, concat_ws(' ', number, 'due', due_micro, 'set off', set_off_micro,
  'taken', taken.amount_micro,
  'booked', paid.amount_micro, 'lost', lost.amount_micro)
FROM billing_central.subscription_invoices AS invoices
LEFT JOIN billing_central.subscription_payments AS taken
  ON taken.invoice_id = invoices.id AND taken.status = 'succeeded'
LEFT JOIN billing_central.platform_entries AS paid
  ON paid.invoice_id = invoices.id AND paid.part = 50
LEFT JOIN billing_central.platform_entries AS lost
  ON lost.invoice_id = invoices.id AND lost.part = 51
CROSS JOIN LATERAL (
  SELECT due_micro - set_off_micro AS micro, due_micro - set_off_micro - coalesce((
    SELECT sum(amount_micro)
    FROM billing_central.platform_reversal_entries AS back
    WHERE back.invoice_id = invoices.id
      AND starts_with(source, 'set_off_back:')
      AND debit_account = 'bad_debt'), 0) AS given_up_micro
) AS left_over
WHERE invoices.tenant_id = billing_central.current_tenant()
  AND ((taken.id, taken.amount_micro, taken.currency, paid.amount_micro, paid.currency,
        paid.debit_account, paid.credit_account)
       IS DISTINCT FROM
       (paid_by, CASE WHEN paid_at IS NOT NULL THEN micro END,
        CASE WHEN paid_at IS NOT NULL THEN invoices.currency END,
        CASE WHEN paid_at IS NOT NULL THEN micro END,
        CASE WHEN paid_at IS NOT NULL THEN invoices.currency END,
        CASE WHEN paid_at IS NOT NULL THEN 'processor_clearing' END,
        CASE WHEN paid_at IS NULL THEN NULL
          WHEN given_up_at IS NULL THEN 'receivable' ELSE 'bad_debt' END)
    OR (lost.amount_micro, lost.debit_account, lost.credit_account) IS DISTINCT FROM
       (CASE WHEN given_up_at IS NOT NULL THEN given_up_micro END,
        CASE WHEN given_up_at IS NOT NULL THEN 'bad_debt' END,
        CASE WHEN given_up_at IS NOT NULL THEN 'receivable' END));

-- invariant: a_charge_is_of_its_invoice
-- A charge is of what is due of an invoice of its own subscription, or of what credits had left of
-- that by some time, tried in turn, and the first one's id is the invoice's.
SELECT charges.id, concat_ws(' ', 'trial', trial, 'of', invoice_id, 'for', amount_micro)
FROM billing_central.subscription_payments AS charges
LEFT JOIN billing_central.subscription_invoices AS invoices ON invoices.id = invoice_id
WHERE charges.tenant_id = billing_central.current_tenant()
  AND ((charges.subscription_id, charges.currency, charges.tenant_id)
       IS DISTINCT FROM
       (invoices.subscription_id, invoices.currency, invoices.tenant_id)
    OR amount_micro NOT IN (
      SELECT due_micro
      UNION ALL
      SELECT due_micro - sum(CASE debit_account WHEN 'customer_credit'
               THEN moved.amount_micro ELSE -moved.amount_micro END)
               OVER (ORDER BY moved.occurred_at, source, part)
      FROM billing_central.platform_reversal_entries AS moved
      WHERE moved.invoice_id = invoices.id
        AND starts_with(source, 'set_off'))
    OR trial = 1 AND substr(charges.id, 5) <> substr(invoice_id, 5)
    OR trial > 1 AND NOT EXISTS (
      SELECT FROM billing_central.subscription_payments AS before
      WHERE before.invoice_id = charges.invoice_id AND before.trial = charges.trial - 1));

-- invariant: who_is_dunned_is_not_forgotten
-- What is declined and still open has a time at which somebody looks again, a charge under way, or
-- a subscription that is suspended for it; and nobody is past due without it, unless the processor
-- collects what they owe. What one that was canceled still owes is asked for, or given up.
SELECT subscriptions.id, concat_ws(' ', status, 'after', failures, 'failures')
FROM billing_central.subscriptions AS subscriptions
LEFT JOIN billing_central.subscription_collections AS collections
  ON subscription_id = subscriptions.id
WHERE subscriptions.tenant_id = billing_central.current_tenant()
  AND (status = 'past_due' AND coalesce(failures, 0) = 0
      AND (processor_subscription_id IS NULL OR processor_ended_at IS NOT NULL)
    OR failures > 0
      AND next_at IS NULL
      AND status <> 'suspended'
      AND (status <> 'canceled' OR EXISTS (
        SELECT FROM billing_central.subscription_invoices AS owed
        WHERE owed.subscription_id = subscriptions.id
          AND due_micro > set_off_micro AND paid_at IS NULL AND given_up_at IS NULL))
      AND NOT EXISTS (
        SELECT FROM billing_central.subscription_payments AS charges
        WHERE charges.subscription_id = subscriptions.id
          AND charges.status IN ('processing', 'requires_action')));

-- invariant: a_charge_is_what_its_trail_digested
-- The state that a charge's trail digested is the one that it is in.
SELECT id, concat_ws(' ', status, amount_micro, currency)
FROM billing_central.subscription_payments
WHERE tenant_id = billing_central.current_tenant()
  AND state_digest <> sha256(convert_to(concat(
  '{"amountMicro":', amount_micro, ',"currency":', to_json(currency),
  ',"failureCode":', coalesce(to_json(failure_code)::text, 'null'),
  CASE WHEN goes_back_as IS NOT NULL THEN concat(',"goesBackAs":', to_json(goes_back_as)) END,
  ',"id":', to_json(id),
  ',"invoiceId":', to_json(invoice_id), CASE WHEN is_superseded THEN ',"isSuperseded":true' END,
  ',"paymentMethodId":', coalesce(to_json(payment_method_id)::text, 'null'),
  CASE WHEN processor_invoice_id IS NOT NULL
    THEN concat(',"processorInvoiceId":', to_json(processor_invoice_id)) END,
  ',"processorPaymentId":', coalesce(to_json(processor_payment_id)::text, 'null'),
  ',"status":', to_json(status), ',"trial":', trial, '}'), 'UTF8'));

-- invariant: what_is_charged_once_is_guarded
-- Each unique constraint that lets an invoice be charged once is there.
SELECT name, 'is not there'
FROM unnest(ARRAY['charge_pays_one_invoice', 'invoice_is_paid_once', 'invoice_is_tried_once_a_trial',
  'one_charge_of_a_subscription_at_a_time', 'one_platform_incident_at_a_time',
  'processor_payment_pays_one_charge', 'processors_invoice_pays_once',
  'processors_subscription_collects_one', 'subscription_is_collected_one_way']) AS name
LEFT JOIN (pg_index JOIN pg_class ON pg_class.oid = indexrelid)
  ON relname = name AND relnamespace = 'billing_central'::regnamespace
     AND indisunique AND indisvalid
WHERE relname IS NULL;
