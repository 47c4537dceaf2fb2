-- Drawers, counts, and who signed for them.

-- invariant: a_closed_drawer_is_empty
-- What was counted has been turned in, and what was over or short is booked: nothing is left.
SELECT cash_sessions.id, concat_ws(' ', 'still holds', sum(micro), currency)
FROM cash_sessions
JOIN (
  SELECT cash_session_id, currency,
         CASE debit_account WHEN concat('cash:', cash_session_id) THEN amount_micro
           ELSE -amount_micro END AS micro
  FROM ledger_entries
  WHERE cash_session_id IS NOT NULL
) AS moved ON cash_session_id = cash_sessions.id
WHERE status IN ('closed', 'acknowledged')
GROUP BY cash_sessions.id, currency
HAVING sum(micro) <> 0;

-- invariant: a_count_is_held_against_the_ledger
-- What a session expected when it was counted is what its drawer had come to by then, and what was
-- over or short and turned in at its closing is what the count says.
WITH moved AS (
  SELECT cash_session_id AS id, ledger_entries.currency, COALESCE(kind, 'payment') AS kind,
         CASE debit_account WHEN concat('cash:', cash_session_id) THEN ledger_entries.amount_micro
           ELSE -ledger_entries.amount_micro END AS micro
  FROM ledger_entries
  LEFT JOIN cash_movements ON cash_movements.id = source
  WHERE cash_session_id IS NOT NULL
), found AS (
  SELECT id, currency,
         coalesce(sum(micro) FILTER (WHERE kind NOT IN ('over', 'short', 'turned_in')), 0) AS due,
         coalesce(sum(micro) FILTER (WHERE kind IN ('over', 'short')), 0) AS variance,
         coalesce(-sum(micro) FILTER (WHERE kind = 'turned_in'), 0) AS turned_in
  FROM moved
  GROUP BY id, currency
), said AS (
  SELECT id, currency, status IN ('closed', 'acknowledged') AS is_closed,
         coalesce(sum(micro) FILTER (WHERE what = 'expected'), 0) AS due,
         coalesce(sum(micro) FILTER (WHERE what = 'count'), 0) AS counted
  FROM cash_sessions
  CROSS JOIN LATERAL (
    SELECT 'expected' AS what, value
    FROM jsonb_array_elements(expected)
    UNION ALL
    SELECT 'count', value
    FROM jsonb_array_elements(count)
  ) AS parts
  CROSS JOIN LATERAL (
    SELECT value ->> 'currency' AS currency, (value ->> 'amountMicro')::bigint AS micro
  ) AS amounts
  GROUP BY id, currency, status
)
SELECT id, concat_ws(' ', said.currency, 'expected', said.due, 'counted', counted,
  'ledger', found.due, 'variance', variance, 'turned in', turned_in)
FROM said
LEFT JOIN found USING (id, currency)
WHERE said.due <> coalesce(found.due, 0)
   OR coalesce(variance, 0) <> CASE WHEN is_closed THEN counted - said.due ELSE 0 END
   OR coalesce(turned_in, 0) <> CASE WHEN is_closed THEN counted ELSE 0 END;

-- invariant: a_drawer_is_closed_by_two_and_explained_by_a_third
-- A count is signed by two persons, each with a confirmation of their own; who explains a difference
-- is neither of them; and a drawer has one session at a time.
SELECT id, concat_ws(' ', status, closed_by, co_signer, acknowledged_by)
FROM cash_sessions
WHERE closed_by = co_signer
   OR closing_token_id = step_up_token_id
   OR acknowledged_by IN (closed_by, co_signer)
   OR (status IN ('closed', 'acknowledged')) <> (co_signer IS NOT NULL)
   OR (status = 'acknowledged') <> (acknowledged_by IS NOT NULL)
   OR (status = 'acknowledged' AND NOT discrepancy)
UNION ALL
SELECT drawer_id, concat(count(*), ' sessions at once')
FROM cash_sessions
WHERE status IN ('open', 'pending_close')
GROUP BY drawer_id
HAVING count(*) > 1;

-- invariant: a_signature_is_a_confirmation_that_was_used
-- Whoever counted, confirmed, explained, refunded or wrote something off did so with a step-up token
-- that they used up.
SELECT id, concat_ws(' ', signer, 'used no token', token_id)
FROM cash_sessions
CROSS JOIN LATERAL (VALUES
  (closed_by, closing_token_id, closing_assertion_hash),
  (co_signer, step_up_token_id, assertion_hash),
  (acknowledged_by, acknowledging_token_id, acknowledging_assertion_hash)
) AS signatures (signer, token_id, proof)
WHERE token_id IS NOT NULL
  AND NOT EXISTS (
    SELECT FROM billing_central.step_up_uses AS uses
    WHERE uses.token_id = signatures.token_id
      AND uses.actor = signer
      AND uses.assertion_hash = proof)
UNION ALL
SELECT id, concat_ws(' ', confirmed_by, 'used no token', step_up_token_id)
FROM (
  SELECT id, confirmed_by, step_up_token_id, assertion_hash
  FROM refunds
  WHERE confirmed_by IS NOT NULL
  UNION ALL
  SELECT id, confirmed_by, step_up_token_id, assertion_hash FROM write_offs
) AS deeds
WHERE NOT EXISTS (
  SELECT FROM billing_central.step_up_uses AS uses
  WHERE uses.token_id = deeds.step_up_token_id
    AND uses.actor = confirmed_by
    AND uses.assertion_hash = deeds.assertion_hash);
