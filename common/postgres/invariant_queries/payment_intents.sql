-- Customers, what they have left to pay with, and the payments that the processor takes.

-- invariant: what_was_taken_is_one_payment
-- A payment that was taken is a card payment that was recorded once, by the processor's own id.
SELECT intents.id, concat_ws(' ', intents.status, intents.processor_payment_id, 'is',
  coalesce(payment_id, 'on no folio'), 'of', payments.processor_payment_id)
FROM payment_intents AS intents
LEFT JOIN payments ON payments.id = payment_id
WHERE payment_id IS NOT NULL
  AND (payments.method, payments.processor_payment_id)
        IS DISTINCT FROM ('card', intents.processor_payment_id)
UNION ALL
SELECT min(id), concat('a payment of ', count(*), ' intents')
FROM payment_intents
GROUP BY coalesce(payment_id, id)
HAVING count(*) > 1
UNION ALL
SELECT min(id), concat(processor_payment_id, ' is of ', count(*), ' intents')
FROM payment_intents
WHERE processor_payment_id IS NOT NULL
GROUP BY processor_payment_id
HAVING count(*) > 1;

-- invariant: a_payment_that_is_under_way_waits
-- A payment that the processor was asked for, and one whose money stands on no folio yet and does not
-- go back, waits in its queue; what has come to an end does not.
SELECT id, concat_ws(' ', status, payment_id, CASE WHEN intent_id IS NULL THEN 'does not wait'
  ELSE 'waits' END)
FROM payment_intents
LEFT JOIN payment_intent_queue ON intent_id = id
WHERE (status IN ('processing', 'requires_action') OR status = 'succeeded'
    AND coalesce(payment_id, returned_id) IS NULL)
        <> (intent_id IS NOT NULL);

-- invariant: a_payment_intent_is_what_its_trail_digested
-- What is to be taken, where it stands and what became of it are what its trail digested.
SELECT id, concat_ws(' ', 'is', status, 'over', amount_micro, currency)
FROM payment_intents
WHERE state_digest <> sha256(convert_to(concat('{',
  CASE WHEN NOT allow_credit THEN '"allowCredit":false,' END,
  '"amountMicro":', amount_micro, ',"currency":',
  to_json(currency), ',"failureCode":', coalesce(to_json(failure_code)::text, 'null'),
  ',"folioId":', to_json(folio_id), ',"id":', to_json(id),
  ',"paymentId":', coalesce(to_json(payment_id)::text, 'null'),
  ',"processorPaymentId":', coalesce(to_json(processor_payment_id)::text, 'null'),
  CASE WHEN returned_id IS NOT NULL THEN concat(',"returnedId":', to_json(returned_id)) END,
  ',"status":', to_json(status), '}'), 'UTF8'));

-- invariant: a_payment_is_taken_from_its_own_customer
-- A payment is of a folio's property, and taken from a method of the customer whom it names.
SELECT intents.id, concat_ws(' ', 'of', intents.customer_id, 'from', payment_method_id, 'of',
  methods.customer_id)
FROM payment_intents AS intents
JOIN folios ON folios.id = folio_id
LEFT JOIN payment_methods AS methods ON methods.id = payment_method_id
WHERE intents.property_id <> folios.property_id
   OR payment_method_id IS NOT NULL AND methods.customer_id IS DISTINCT FROM intents.customer_id;

-- invariant: a_customer_of_the_processor_is_in_the_directory
-- A customer whom the processor knows stands in the directory by which its events find this house,
-- and nobody else of this house does.
SELECT coalesce(customers.id, listed.processor_customer_id), concat_ws(' ', 'is known as',
  customers.processor_customer_id, 'and listed as', listed.processor_customer_id)
FROM (SELECT * FROM customers WHERE processor_customer_id IS NOT NULL) AS customers
FULL JOIN (
  SELECT processor_customer_id
  FROM billing_central.processor_customers
  WHERE tenant_id = billing_central.current_tenant()
) AS listed USING (processor_customer_id)
WHERE customers.id IS NULL OR listed.processor_customer_id IS NULL;

-- invariant: a_kept_method_can_be_opened_and_a_removed_one_cannot
-- A method that is there has its token under seal, whose nonce and tag alone are 28 bytes; one that
-- was removed has none, and whoever removed it is in its trail.
SELECT id, concat_ws(' ', 'removed', removed_at, 'sealed', octet_length(sealed_token))
FROM payment_methods
WHERE (removed_at IS NULL) <> (octet_length(sealed_token) > 28)
   OR (removed_at IS NULL) IS NOT DISTINCT FROM EXISTS (
        SELECT FROM audit_entries
        WHERE aggregate_kind = 'payment_method' AND aggregate_id = payment_methods.id
          AND action = 'payment_method.removed');

-- invariant: a_lease_is_of_a_payment_that_is_under_way
-- What a folio owes is leased to a payment of it that the processor was asked for, over no more than
-- that takes, and for as long as the processor has.
SELECT leases.intent_id, concat_ws(' ', 'on', leases.folio_id, 'is', intents.status, 'over',
  leases.amount_micro, leases.currency)
FROM collection_leases AS leases
JOIN payment_intents AS intents ON intents.id = intent_id
JOIN folios ON folios.id = leases.folio_id
WHERE intents.folio_id <> leases.folio_id
   OR intents.status NOT IN ('processing', 'requires_action')
   OR leases.currency <> folios.currency
   OR intents.currency = leases.currency AND leases.amount_micro > intents.amount_micro
   OR expires_at - taken_at <> interval '15 minutes';

-- invariant: what_comes_beyond_the_debt_goes_back
-- Of a payment that was not wanted as a deposit, what its folio did not owe when the money came was
-- promised back in the same transaction; to the cent, where it was paid in the folio's currency.
SELECT paid.id, concat_ws(' ', paid.amount_micro, 'left', paid.balance_micro, 'and', refunds.id,
  'gives back', refunds.amount_micro)
FROM (
  SELECT id, amount_micro, sum(amount_micro) OVER (PARTITION BY folio_id ORDER BY sequence)
    AS balance_micro
  FROM folio_lines
) AS paid
JOIN payments ON payments.id = paid.id AND payments.paid_currency = payments.currency
JOIN payment_intents AS intents ON intents.payment_id = paid.id AND NOT allow_credit
  AND returned_id IS NULL
LEFT JOIN refunds ON refunds.payment_id = paid.id AND refunds.occurred_at = payments.occurred_at
  AND confirmed_by IS NULL AND processor_refund_id IS NULL
WHERE coalesce(refunds.amount_micro, 0)
        <> least(payments.amount_micro, greatest(-balance_micro, 0))
  AND payments.occurred_at > intents.created_at;
