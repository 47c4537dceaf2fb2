-- What was done at the processor itself: what banks ask back, and refunds of folios that are closed.

-- invariant: disputes_are_booked_as_they_stand
-- What a bank asks for is booked as withheld, once; won, it comes back, and lost, it is written off.
-- What the processor charges for a dispute comes to the fee that the dispute knows of.
WITH expected AS (
  SELECT id AS source, 0 AS part, property_id, 'disputed_funds' AS debit,
         'card_clearing' AS credit, amount_micro, currency
  FROM payment_disputes
  WHERE is_withheld AND property_id IS NOT NULL
  UNION ALL
  SELECT id, 1, property_id,
         CASE status WHEN 'won' THEN 'card_clearing' ELSE 'dispute_losses' END, 'disputed_funds',
         CASE status WHEN 'lost' THEN amount_micro - on_account_micro ELSE amount_micro END,
         currency
  FROM payment_disputes
  WHERE is_withheld AND property_id IS NOT NULL
    AND (status = 'won' OR status = 'lost' AND amount_micro > on_account_micro)
), booked AS (
  SELECT source, part, property_id, debit_account, credit_account, amount_micro, currency
  FROM ledger_entries
  WHERE starts_with(source, 'dsp_') AND part < 2
)
SELECT source, concat_ws(' ', 'not booked:', debit, credit, amount_micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT source, concat_ws(' ', 'booked:', debit_account, credit_account, amount_micro, currency)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus
UNION ALL
SELECT coalesce(id, source), concat_ws(' ', 'charged', fee_micro, 'booked', micro)
FROM (SELECT * FROM payment_disputes WHERE property_id IS NOT NULL) AS disputes
FULL JOIN (
  SELECT source, currency,
         sum(CASE debit_account WHEN 'dispute_fees' THEN amount_micro ELSE -amount_micro END)
           AS micro
  FROM ledger_entries
  WHERE starts_with(source, 'dsp_') AND part >= 2
  GROUP BY source, currency
) AS fees ON source = id AND fees.currency = fee_currency
WHERE coalesce(fee_micro, 0) <> coalesce(micro, 0);

-- invariant: a_late_refund_waits_beside_its_folio
-- What the processor gave back of a closed folio is booked once beside it; it reaches its folio
-- once, as a refund of the same payment and amount, and is settled when it does; or it has failed
-- before, and is booked back.
SELECT coalesce(late.id, source), concat_ws(' ', 'is', paid_amount_micro, paid_currency, 'booked',
  debit_account, credit_account, booked.amount_micro)
FROM late_refunds AS late
FULL JOIN (
  SELECT * FROM ledger_entries WHERE starts_with(source, 'rfd_') AND part = 3
) AS booked ON source = late.id
WHERE (late.property_id, paid_amount_micro, paid_currency, late.business_date, 'refunds_to_settle',
       'card_clearing')
        IS DISTINCT FROM
      (booked.property_id, booked.amount_micro, booked.currency, booked.business_date,
       debit_account, credit_account)
UNION ALL
SELECT late.id, concat_ws(' ', 'settled', settled_at, 'as', refunds.payment_id,
  refunds.paid_amount_micro)
FROM late_refunds AS late
LEFT JOIN refunds ON refunds.id = late.id
WHERE (settled_at IS NOT NULL) <> (refunds.id IS NOT NULL OR failure_code IS NOT NULL)
   OR refunds.id IS NOT NULL AND failure_code IS NOT NULL
   OR (refunds.folio_id, refunds.payment_id, refunds.processor_refund_id,
       refunds.paid_amount_micro, refunds.paid_currency)
        <> (late.folio_id, late.payment_id, late.processor_refund_id, late.paid_amount_micro,
            late.paid_currency)
UNION ALL
SELECT coalesce(late.id, source), concat_ws(' ', 'failed as', failure_code, 'booked back',
  booked.amount_micro, debit_account, credit_account)
FROM (SELECT * FROM late_refunds WHERE failure_code IS NOT NULL) AS late
FULL JOIN (
  SELECT * FROM ledger_entries WHERE starts_with(source, 'rfd_') AND part = 6
) AS booked ON source = late.id
WHERE (late.property_id, paid_amount_micro, paid_currency, 'card_clearing', 'refunds_to_settle')
        IS DISTINCT FROM
      (booked.property_id, booked.amount_micro, booked.currency, debit_account, credit_account)
UNION ALL
SELECT late.id, concat('is on its folio as ', refunds.id)
FROM late_refunds AS late
JOIN refunds USING (processor_refund_id)
WHERE refunds.id <> late.id;

-- invariant: a_late_refund_is_what_its_trail_digested
-- What the processor gave back of a closed folio is what its trail digested.
SELECT id, concat_ws(' ', processor_refund_id, 'of', paid_amount_micro, paid_currency)
FROM late_refunds
WHERE state_digest <> sha256(convert_to(concat('{"amountMicro":', paid_amount_micro,
  ',"currency":', to_json(paid_currency),
  CASE WHEN failure_code IS NOT NULL THEN concat(',"failureCode":', to_json(failure_code)) END,
  ',"folioId":', to_json(folio_id),
  ',"id":', to_json(id), ',"isSettled":', to_json(settled_at IS NOT NULL),
  ',"processorRefundId":', to_json(processor_refund_id), '}'), 'UTF8'));

-- invariant: a_difference_is_open_or_answered_for
-- A difference with the processor differs, is found once, and is answered for by whoever its last
-- audit entry names, at that time and for that reason.
SELECT differences.id, concat_ws(' ', kind, status, expected_micro, found_micro, 'by', resolved_by)
FROM processor_differences AS differences
LEFT JOIN audit_entries
  ON aggregate_kind = 'processor_difference' AND aggregate_id = differences.id
    AND sequence = version
WHERE (expected_micro = found_micro) <> (kind = 'refund_to_settle')
   OR status NOT IN ('open', 'resolved', 'cleared')
   OR num_nonnulls(resolved_by, resolved_at, differences.reason)
        <> CASE status WHEN 'resolved' THEN 3 ELSE 0 END
   OR status = 'resolved'
      AND (resolved_by, resolved_at, differences.reason)
            IS DISTINCT FROM (actor, audit_entries.occurred_at, audit_entries.reason)
UNION ALL
SELECT min(id), concat(count(*), ' ', kind, ' about ', about)
FROM processor_differences
GROUP BY kind, about, currency
HAVING count(*) > 1;

-- invariant: a_difference_is_what_its_trail_digested
-- What differs with the processor, and who looks after it, is what its trail digested.
SELECT id, concat_ws(' ', kind, about, status)
FROM processor_differences
WHERE state_digest <> sha256(convert_to(concat('{"about":', to_json(about),
  ',"currency":', to_json(currency), ',"expectedMicro":', expected_micro,
  ',"foundMicro":', found_micro, ',"id":', to_json(id), ',"kind":', to_json(kind),
  ',"owner":', to_json(owner), ',"reason":', coalesce(to_json(reason)::text, 'null'),
  ',"resolvedBy":', coalesce(to_json(resolved_by)::text, 'null'),
  ',"status":', to_json(status), '}'), 'UTF8'));

-- invariant: a_payment_of_a_closed_folio_comes_and_goes_beside_it
-- What came for a closed folio is booked in, and out again by its promise and by what went back
-- otherwise; a promise that was not kept is taken back, and put on the folio after all, what is left
-- has gone from the account where it lay, and is one payment.
WITH moves AS (
  SELECT late.id, property_id, micro, paid_currency, source, part, debit, credit
  FROM returned_payments AS late
  CROSS JOIN LATERAL (VALUES
    (late.id, 4, paid_amount_micro, 'card_clearing', 'payments_to_return', true),
    (refund_id, 4, paid_amount_micro - gone_micro, 'payments_to_return', 'card_clearing',
      status IN ('pending', 'returned') AND gone_micro < paid_amount_micro),
    (late.id, 5, paid_amount_micro - gone_micro, 'payments_to_return', 'card_clearing',
      status = 'placed')
  ) AS booked (source, part, micro, debit, credit, is_booked)
  WHERE is_booked
  UNION ALL
  SELECT late.id, property_id, abs(amount_micro), currency, parts.id, 4,
         CASE WHEN amount_micro > 0 THEN 'payments_to_return' ELSE 'card_clearing' END,
         CASE WHEN amount_micro < 0 THEN 'payments_to_return'
           WHEN kind = 'lost' THEN 'disputed_funds' ELSE 'card_clearing' END
  FROM returned_parts AS parts
  JOIN returned_payments AS late ON late.id = returned_id
), booked AS (
  SELECT source, part, property_id, amount_micro, currency, debit_account, credit_account
  FROM ledger_entries AS entries
  WHERE 'payments_to_return' IN (debit_account, credit_account)
    -- a promise that was made and taken back
    AND NOT (
      starts_with(source, 'rfd_')
      AND EXISTS (
        SELECT FROM returned_payments AS late
        WHERE source = refund_id OR source = ANY (called_off || refused))
      AND EXISTS (
        SELECT FROM ledger_entries AS other
        WHERE other.source = entries.source
          AND other.part = 9 - entries.part
          AND (other.property_id, other.amount_micro, other.currency, other.debit_account,
               other.credit_account)
            = (entries.property_id, entries.amount_micro, entries.currency, entries.credit_account,
               entries.debit_account)))
)
SELECT coalesce(moves.source, booked.source), concat_ws(' ', 'is', micro, paid_currency,
  debit, 'booked', booked.amount_micro, booked.debit_account, booked.credit_account)
FROM moves
FULL JOIN booked ON booked.source = moves.source AND booked.part = moves.part
WHERE (moves.property_id, micro, paid_currency, debit, credit)
        IS DISTINCT FROM
      (booked.property_id, booked.amount_micro, booked.currency, debit_account, credit_account)
UNION ALL
SELECT late.id, concat_ws(' ', 'is', late.status, 'and on its folio', payments.folio_id, 'as',
  payments.processor_payment_id)
FROM returned_payments AS late
LEFT JOIN payments ON payments.processor_payment_id = late.processor_payment_id
WHERE (late.status = 'placed') <> (payments.id IS NOT NULL)
   OR (payments.id, payments.folio_id, payments.paid_amount_micro, payments.paid_currency)
        <> (late.id, late.folio_id, late.paid_amount_micro - gone_micro, late.paid_currency)
UNION ALL
SELECT intents.id, concat_ws(' ', 'goes back as', returned_id, 'of', late.processor_payment_id)
FROM payment_intents AS intents
LEFT JOIN returned_payments AS late ON late.id = returned_id
WHERE returned_id IS NOT NULL
  AND (late.processor_payment_id, late.folio_id)
        IS DISTINCT FROM (intents.processor_payment_id, intents.folio_id)
   OR late.status <> 'placed' AND payment_id IS NOT NULL
   OR late.status = 'placed' AND payment_id IS DISTINCT FROM late.id;

-- invariant: what_goes_back_otherwise_goes_once
-- What of a payment went back otherwise than by our refund comes to what the payment knows of it;
-- a bank has of it what its claim was lost for, and while a bank asks, nothing is promised.
SELECT late.id, concat_ws(' ', 'knows of', gone_micro, 'and', gone, 'went')
FROM returned_payments AS late
LEFT JOIN (
  SELECT returned_id, sum(amount_micro) AS gone FROM returned_parts GROUP BY returned_id
) AS parts ON parts.returned_id = late.id
WHERE gone_micro <> coalesce(gone, 0)
UNION ALL
SELECT coalesce(claims.id, parts.id), concat_ws(' ', 'claim of', on_account_micro, 'took',
  parts.amount_micro)
FROM (
  SELECT * FROM payment_disputes WHERE returned_id IS NOT NULL AND on_account_micro > 0
) AS claims
FULL JOIN (SELECT * FROM returned_parts WHERE kind = 'lost') AS parts
  ON parts.cause = processor_dispute_id
WHERE (claims.returned_id, on_account_micro, claims.currency, claims.status)
        IS DISTINCT FROM (parts.returned_id, parts.amount_micro, parts.currency, 'lost')
UNION ALL
SELECT late.id, concat_ws(' ', 'is', late.status, 'and of', all_of_them, 'claims run', run)
FROM returned_payments AS late
JOIN (
  SELECT returned_id, count(*) AS all_of_them,
         count(*) FILTER (WHERE status NOT IN ('won', 'lost')) AS run
  FROM payment_disputes
  WHERE returned_id IS NOT NULL AND is_withheld
  GROUP BY returned_id
) AS claims ON claims.returned_id = late.id
WHERE run > 0 AND late.status IN ('pending', 'failed', 'placed')
   OR run = 0 AND late.status = 'contested';

-- invariant: a_payment_of_a_closed_folio_is_what_its_trail_digested
-- What came for a closed folio, and what became of it, are what its trail digested.
SELECT id, concat_ws(' ', processor_payment_id, 'is', status, 'over', paid_amount_micro)
FROM returned_payments
WHERE state_digest <> sha256(convert_to(concat('{"amountMicro":', paid_amount_micro,
  ',"currency":', to_json(paid_currency),
  ',"failureCode":', coalesce(to_json(failure_code)::text, 'null'),
  ',"folioId":', to_json(folio_id),
  CASE WHEN gone_micro <> 0 THEN concat(',"goneMicro":', gone_micro) END,
  ',"id":', to_json(id),
  ',"processorPaymentId":', to_json(processor_payment_id),
  ',"refundId":', to_json(refund_id), ',"status":', to_json(status), '}'), 'UTF8'));
