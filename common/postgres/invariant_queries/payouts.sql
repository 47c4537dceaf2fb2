-- Payouts: what goes to the tenant's own account at the processor, and by whose decision.

-- invariant: payouts_are_booked_as_they_stand
-- A payout is booked as promised, once; paid, it has left; failed or rejected, it came back, from
-- where it was by then.
WITH expected AS (
  SELECT id AS source, 0 AS part, property_id, 'payouts_in_transit' AS debit,
         'card_clearing' AS credit, amount_micro, currency
  FROM payouts
  UNION ALL
  SELECT id, 1, property_id, 'bank_clearing', 'payouts_in_transit', amount_micro, currency
  FROM payouts
  WHERE paid_at IS NOT NULL
  UNION ALL
  SELECT id, 2, property_id, 'card_clearing',
         CASE WHEN paid_at IS NULL THEN 'payouts_in_transit' ELSE 'bank_clearing' END,
         amount_micro, currency
  FROM payouts
  WHERE status IN ('failed', 'rejected')
), booked AS (
  SELECT source, part, property_id, debit_account, credit_account, amount_micro, currency
  FROM ledger_entries
  WHERE starts_with(source, 'pyo_')
)
SELECT source, concat_ws(' ', 'not booked:', debit, credit, amount_micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT source, concat_ws(' ', 'booked:', debit_account, credit_account, amount_micro, currency)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: a_large_payout_is_decided_by_another_person
-- More than 10,000 dollars, and what nobody can say in dollars, is decided by somebody else than who
-- asked for it, with a confirmation that was used; anything else is decided by nobody.
SELECT id, concat_ws(' ', usd_micro, status, 'by', requested_by, 'and', decided_by)
FROM payouts
WHERE decided_by = requested_by
   OR NOT needs_approval AND (coalesce(usd_micro, 10000000001) > 10000000000
     OR decided_by IS NOT NULL)
   OR needs_approval AND (status = 'awaiting_approval') <> (decided_by IS NULL)
   OR decided_by IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM billing_central.step_up_uses AS uses
        WHERE uses.token_id = step_up_token_id
          AND uses.actor = decided_by
          AND uses.assertion_hash = payouts.assertion_hash);

-- invariant: a_payout_account_is_in_the_directory
-- The account that is connected stands in the directory as this house's, from the first one on that
-- was listed in it; one to which money may go is proven there as well, and so is never given up.
SELECT id, concat_ws(' ', processor_account_id, 'listed', listed.recorded_at, 'proven', proven_at)
FROM payout_accounts
CROSS JOIN (
  SELECT min(recorded_at) AS since
  FROM billing_central.processor_accounts
  WHERE tenant_id = billing_central.current_tenant()
) AS listing
LEFT JOIN (
  SELECT * FROM billing_central.processor_accounts
  WHERE tenant_id = billing_central.current_tenant()
) AS listed USING (processor_account_id)
WHERE (connected_at >= since OR told_at >= since)
  AND (listed.processor_account_id IS NULL OR is_enabled AND proven_at IS NULL);

-- invariant: a_payout_is_settled_or_waits
-- A payout waits in the queue while, and only while, the processor is to be asked for it.
SELECT id, concat_ws(' ', status, CASE WHEN payout_id IS NULL THEN 'waits not' ELSE 'waits' END)
FROM payouts
LEFT JOIN payout_queue ON payout_id = id
WHERE (status = 'pending') <> (payout_id IS NOT NULL);

-- invariant: a_payout_is_what_its_trail_digested
-- What is paid out, to which account, who asked and who decided is what its trail digested.
SELECT id, concat_ws(' ', status, amount_micro, currency)
FROM payouts
WHERE state_digest <> sha256(convert_to(concat('{"amountMicro":', amount_micro,
  ',"currency":', to_json(currency), ',"decidedBy":', coalesce(to_json(decided_by)::text, 'null'),
  ',"id":', to_json(id), ',"processorAccountId":', to_json(processor_account_id),
  ',"requestedBy":', to_json(requested_by), ',"status":', to_json(status), '}'), 'UTF8'))
UNION ALL
SELECT id, concat_ws(' ', processor_account_id, is_enabled)
FROM payout_accounts
WHERE state_digest <> sha256(convert_to(concat('{"id":', to_json(id), ',"isEnabled":',
  to_json(is_enabled), ',"processorAccountId":', to_json(processor_account_id), '}'), 'UTF8'));
