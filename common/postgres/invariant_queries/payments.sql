-- Payments and refunds, and what the processor tells of them.

-- invariant: payment_takes_off_what_it_is_worth
-- A payment has one line that takes its worth off its folio; only in another currency does it differ
-- from what was handed over, and then by a rate that the folio pinned.
SELECT coalesce(payments.id, lines.id), concat_ws(' ', 'worth', payments.amount_micro,
  'paid', paid_amount_micro, paid_currency, 'line', lines.amount_micro)
FROM payments
FULL JOIN (SELECT * FROM folio_lines WHERE type = 'payment') AS lines ON lines.id = payments.id
LEFT JOIN folios ON folios.id = payments.folio_id
WHERE (lines.folio_id, -lines.amount_micro, lines.currency, lines.kind)
        IS DISTINCT FROM
      (payments.folio_id, payments.amount_micro, payments.currency, payments.method)
   OR CASE WHEN paid_currency = payments.currency
           THEN paid_amount_micro <> payments.amount_micro OR payments.fx IS NOT NULL
           ELSE payments.fx IS NULL
                OR NOT folios.fx @> jsonb_build_array(payments.fx)
                OR payments.fx ->> 'base' <> paid_currency
      END;

-- invariant: refunds_stay_within_the_payment
-- No more is given back of a payment than was paid, whatever is pending among it, and but for what
-- has failed and is taken back; a payment knows how much that is, in its own currency and on its
-- folio, and all of it is worth all of it.
SELECT payments.id, concat_ws(' ', 'paid', paid_amount_micro, 'knows of', refunded_paid_micro,
  'given back', coalesce(given.paid, 0), 'worth', refunded_micro, 'of', amount_micro)
FROM payments
LEFT JOIN (
  SELECT payment_id, sum(paid_amount_micro) AS paid, sum(amount_micro) AS micro
  FROM refunds
  LEFT JOIN refund_settlements ON refund_id = id
  WHERE status IS DISTINCT FROM 'failed'
    AND NOT EXISTS (
      SELECT FROM refund_failures AS failed
      JOIN folio_lines ON folio_lines.id = failed.id
      WHERE failed.refund_id = refunds.id)
  GROUP BY payment_id
) AS given ON payment_id = payments.id
WHERE (refunded_paid_micro, refunded_micro)
        IS DISTINCT FROM (coalesce(given.paid, 0), coalesce(given.micro, 0))
   OR refunded_paid_micro NOT BETWEEN 0 AND paid_amount_micro
   OR refunded_micro NOT BETWEEN 0 AND amount_micro
   OR refunded_paid_micro = paid_amount_micro AND refunded_micro <> amount_micro;

-- invariant: a_refund_goes_back_the_way_it_came
-- A refund is of a payment of its folio, by its method and in its currencies; cash comes out of a
-- session.
SELECT refunds.id, concat_ws(' ', 'of', payment_id, refunds.method, refunds.paid_amount_micro,
  refunds.paid_currency, 'worth', refunds.amount_micro)
FROM refunds
LEFT JOIN payments ON payments.id = payment_id
WHERE (refunds.folio_id, refunds.method, refunds.currency, refunds.paid_currency)
        IS DISTINCT FROM
      (payments.folio_id, payments.method, payments.currency, payments.paid_currency)
   OR refunds.currency = refunds.paid_currency AND refunds.amount_micro <> refunds.paid_amount_micro
   OR (refunds.method = 'cash') <> (refunds.cash_session_id IS NOT NULL);

-- invariant: a_refund_stands_on_its_folio
-- A refund has one line, which names its payment; one that failed has one more that takes it back, if
-- it failed after it was made, by the id that the failure names, once its folio is open.
WITH expected AS (
  SELECT id, folio_id, 'refund' AS type, payment_id AS corrects, amount_micro, currency, method
  FROM refunds
  UNION ALL
  SELECT lines.id, refunds.folio_id, 'refund_reversal', refunds.id, -refunds.amount_micro,
         refunds.currency, method
  FROM refunds
  JOIN refund_settlements ON refund_id = refunds.id AND status = 'failed'
  LEFT JOIN folio_lines AS lines
    ON lines.type = 'refund_reversal' AND lines.corrects = refunds.id
  UNION ALL
  SELECT failed.id, refunds.folio_id, 'refund_reversal', refunds.id, -refunds.amount_micro,
         refunds.currency, method
  FROM refund_failures AS failed
  JOIN refunds ON refunds.id = failed.refund_id
  JOIN folios ON folios.id = refunds.folio_id
  WHERE folios.status = 'open' OR EXISTS (SELECT FROM folio_lines WHERE folio_lines.id = failed.id)
), written AS (
  SELECT id, folio_id, type, corrects, amount_micro, currency, kind
  FROM folio_lines
  WHERE type IN ('refund', 'refund_reversal')
)
SELECT coalesce(id, corrects), concat_ws(' ', 'has no line:', type, amount_micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM written) AS missing
UNION ALL
SELECT id, concat_ws(' ', 'is a line of none:', type, corrects, amount_micro, currency)
FROM (SELECT * FROM written EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: a_refund_is_settled_or_waits
-- A card's refund waits in the queue until it is settled, once; every other is settled as it is
-- made. A folio counts those that wait, and is closed only when none does.
SELECT refunds.id, concat_ws(' ', method, coalesce(status, 'pending'), 'and',
  CASE WHEN refund_queue.refund_id IS NULL THEN 'waits not' ELSE 'waits' END)
FROM refunds
LEFT JOIN refund_settlements ON refund_settlements.refund_id = id
LEFT JOIN refund_queue ON refund_queue.refund_id = id
WHERE (status IS NULL) <> (refund_queue.refund_id IS NOT NULL)
   OR method <> 'card' AND (status, settled_at) IS DISTINCT FROM ('succeeded', occurred_at)
   OR settled_at < occurred_at
   OR (status = 'failed') <> (failure_code IS NOT NULL)
UNION ALL
SELECT folios.id, concat_ws(' ', folios.status, 'counts', pending_refunds, 'of',
  coalesce(waiting, 0))
FROM folios
LEFT JOIN (
  SELECT folio_id, count(*) AS waiting
  FROM refunds
  WHERE NOT EXISTS (SELECT FROM refund_settlements WHERE refund_id = id)
  GROUP BY folio_id
) AS pending ON folio_id = folios.id
WHERE pending_refunds <> coalesce(waiting, 0)
   OR folios.status = 'closed' AND pending_refunds <> 0;

-- invariant: a_refund_fails_after_it_was_made
-- What failed afterwards was a card's refund that had been made, of the same folio. While the folio
-- is closed its money lies beside that, booked once, and it lies there of nothing else.
SELECT failed.id, concat_ws(' ', 'of', failed.refund_id, method, status, 'at', settled_at, 'on',
  refunds.folio_id)
FROM refund_failures AS failed
LEFT JOIN refunds ON refunds.id = failed.refund_id
LEFT JOIN refund_settlements AS settled ON settled.refund_id = failed.refund_id
WHERE (status, method, refunds.folio_id) IS DISTINCT FROM ('succeeded', 'card', failed.folio_id)
   OR failed.failed_at < settled_at
UNION ALL
SELECT coalesce(failed.id, beside.source), concat_ws(' ', 'is', paid_amount_micro, paid_currency,
  'beside', beside.amount_micro, debit_account, credit_account)
FROM (
  SELECT failed.id, failed.folio_id, property_id, paid_amount_micro, paid_currency,
         failed.business_date, EXISTS (SELECT FROM folio_lines AS l WHERE l.id = failed.id) AS stands
  FROM refund_failures AS failed
  JOIN refunds ON refunds.id = failed.refund_id
  JOIN folios ON folios.id = failed.folio_id
) AS failed
FULL JOIN (
  SELECT * FROM ledger_entries WHERE starts_with(source, 'rvr_') AND part = 3
) AS beside ON beside.source = failed.id
WHERE beside.source IS NULL AND NOT stands
   OR beside.source IS NOT NULL
      AND (failed.folio_id, failed.property_id, paid_amount_micro, paid_currency,
           failed.business_date, 'card_clearing', 'refunds_to_settle')
            IS DISTINCT FROM
          (beside.folio_id, beside.property_id, beside.amount_micro, beside.currency,
           beside.business_date, debit_account, credit_account);

-- invariant: a_processors_payment_is_recorded_once
-- A payment of the processor is a guest's or a company's, and not both.
SELECT payments.id, concat_ws(' ', processor_payment_id, 'is', account_credits.id, 'as well')
FROM payments
JOIN account_credits USING (processor_payment_id);

-- invariant: a_dispute_is_what_its_trail_digested
-- What a bank asks back, of which payment, and where that stands are what its trail digested.
SELECT id, concat_ws(' ', processor_dispute_id, 'is', status, 'about', amount_micro)
FROM payment_disputes
WHERE state_digest <> sha256(convert_to(concat('{"amountMicro":', amount_micro, ',"currency":',
  to_json(currency),
  CASE WHEN fee_micro IS NOT NULL
    THEN concat(',"feeCurrency":', to_json(fee_currency), ',"feeMicro":', fee_micro) END,
  ',"id":', to_json(id),
  CASE WHEN subscription_invoice_id IS NOT NULL
    THEN concat(',"invoiceId":', to_json(subscription_invoice_id)) END,
  ',"paymentId":', coalesce(to_json(payment_id)::text, 'null'),
  ',"processorDisputeId":', to_json(processor_dispute_id),
  CASE WHEN receipt_id IS NOT NULL THEN concat(',"receiptId":', to_json(receipt_id)) END,
  CASE WHEN returned_id IS NOT NULL THEN concat(',"returnedId":', to_json(returned_id)) END,
  ',"status":', to_json(status),
  CASE WHEN surplus_id IS NOT NULL THEN concat(',"surplusId":', to_json(surplus_id)) END, '}'),
  'UTF8'));

-- invariant: an_event_of_the_processor_takes_effect_once
-- An event of the processor was applied once at most, however often it came.
SELECT event_id, concat('was applied ', count(*), ' times')
FROM webhook_attempts
WHERE outcome = 'applied'
GROUP BY event_id
HAVING count(*) > 1;

-- invariant: an_event_of_the_processor_is_kept_with_what_became_of_it
-- A kept event was tried, a tried event is kept, and what was repeated had been applied before.
SELECT coalesce(webhook_events.event_id, tried.event_id),
       concat_ws(' ', 'kept', webhook_events.received_at, 'tried', attempts, 'times')
FROM webhook_events
FULL JOIN (
  SELECT event_id, count(*) AS attempts,
         bool_or(outcome = 'repeated') AS repeated,
         bool_or(outcome = 'applied') AS applied
  FROM webhook_attempts
  GROUP BY event_id
) AS tried ON tried.event_id = webhook_events.event_id
WHERE webhook_events.event_id IS NULL
   OR tried.event_id IS NULL
   OR repeated AND NOT applied;

-- invariant: what_an_event_said_lies_beside_it
-- What an event said lies beside it, as old as the event, and nowhere else, so that it can go.
SELECT webhook_events.event_id, concat_ws(' ', 'came', webhook_events.received_at, 'said',
  webhook_bodies.received_at, CASE WHEN webhook_events.payload IS NOT NULL THEN 'kept for ever' END)
FROM webhook_events
LEFT JOIN webhook_bodies ON webhook_bodies.event_id = webhook_events.event_id
WHERE webhook_events.payload IS NOT NULL
   OR webhook_bodies.received_at <> webhook_events.received_at;

-- invariant: what_a_quarantined_event_said_is_forgotten
-- as: drainer
-- What an event said that is no tenant's is kept for 90 days, and a night in which it is forgotten.
SELECT id, concat_ws(' ', 'of', message_id, 'came', received_at, 'and still has its body')
FROM billing_central.dead_letters
WHERE consumer = 'take_stripe_event'
  AND forgotten_at IS NULL
  AND received_at < now() - interval '91 days';

-- invariant: a_card_payment_is_in_the_directory
-- A card payment stands in the directory by which its webhooks find this house, from the first one
-- on that was listed in it: what was recorded before there was one is not.
SELECT id, concat('is not listed as ', processor_payment_id)
FROM payments
CROSS JOIN (
  SELECT min(recorded_at) AS since
  FROM billing_central.card_payments
  WHERE tenant_id = billing_central.current_tenant()
) AS listing
WHERE method = 'card'
  AND recorded_at >= since
  AND NOT EXISTS (
    SELECT FROM billing_central.card_payments AS listed
    WHERE listed.processor_payment_id = payments.processor_payment_id
      AND listed.tenant_id = payments.tenant_id);
