"""What the books of a business date are held against, each comparison one statement.

Both sides of a comparison are read by the same statement, and so at the same instant: what moves
meanwhile is in both of them or in neither, and no traffic looks like a difference.

Each statement takes the property, and the instants at which the date opens and is over. It answers
(tenant, kind, what it is about, currency, as it should be, as it is, whether it may be seen).
"""

from typing import Final

# A drawer is looked at under the date in which it was closed. What the session says is held against
# its entries in the ledger; what its closing booked is known by the kinds of movement.
SESSIONS: Final = """
WITH closed AS (
  SELECT tenant_id, id, expected, count
  FROM cash_sessions
  WHERE property_id = $1
    AND status IN ('closed', 'acknowledged')
    AND closed_at >= $2
    AND closed_at < $3
), said AS (
  SELECT id, value ->> 'currency' AS currency,
         coalesce(sum(micro) FILTER (WHERE what = 'expected'), 0) AS due,
         coalesce(sum(micro) FILTER (WHERE what = 'count'), 0) AS counted
  FROM closed
  CROSS JOIN LATERAL (
    SELECT 'expected' AS what, value
    FROM jsonb_array_elements(expected)
    UNION ALL
    SELECT 'count', value
    FROM jsonb_array_elements(count)
  ) AS parts
  CROSS JOIN LATERAL (SELECT (value ->> 'amountMicro')::bigint AS micro) AS amounts
  GROUP BY id, value ->> 'currency'
), booked AS (
  SELECT id, currency,
         coalesce(sum(micro) FILTER (WHERE kind NOT IN ('over', 'short', 'turned_in')), 0) AS due,
         coalesce(-sum(micro) FILTER (WHERE kind = 'turned_in'), 0) AS counted,
         coalesce(sum(micro) FILTER (WHERE kind IN ('over', 'short')), 0) AS variance
  FROM (
    SELECT closed.id, entries.currency, coalesce(kind, 'guest') AS kind,
           CASE debit_account WHEN 'cash:' || cash_session_id THEN entries.amount_micro
             ELSE -entries.amount_micro END AS micro
    FROM closed
    JOIN ledger_entries AS entries ON cash_session_id = closed.id
    LEFT JOIN cash_movements ON cash_movements.id = source
  ) AS entries
  GROUP BY id, currency
)
SELECT billing_central.current_tenant(), kind, id, currency, due_micro::bigint, is_micro::bigint,
       true
FROM said
FULL JOIN booked USING (id, currency)
CROSS JOIN LATERAL (VALUES
  ('session_expected', coalesce(booked.due, 0), coalesce(said.due, 0)),
  ('session_counted', coalesce(booked.counted, 0), coalesce(said.counted, 0)),
  ('session_variance', coalesce(variance, 0), coalesce(said.counted - said.due, 0))
) AS figures (kind, due_micro, is_micro)
"""

# Every drawer that was in somebody's hands in the date, still or no longer: what moved in it, and
# what the ledger says is in it. One that runs still is not to be seen while it is counted blind.
DRAWERS: Final = """
WITH ran AS (
  SELECT id, status IN ('closed', 'acknowledged') AS is_settled
  FROM cash_sessions
  WHERE property_id = $1
    AND opened_at < $3
    AND (closed_at IS NULL OR closed_at >= $2)
), moved AS (
  SELECT ran.id, currency,
         CASE WHEN kind IN ('paid_out', 'drop', 'short', 'turned_in') THEN -amount_micro
           ELSE amount_micro END AS due_micro, 0 AS is_micro
  FROM ran
  JOIN cash_movements ON session_id = ran.id
  UNION ALL
  SELECT ran.id, paid_currency, paid_amount_micro, 0
  FROM ran
  JOIN payments ON cash_session_id = ran.id
  UNION ALL
  SELECT ran.id, paid_currency, -paid_amount_micro, 0
  FROM ran
  JOIN refunds ON cash_session_id = ran.id
  UNION ALL
  SELECT ran.id, currency, amount_micro, 0
  FROM ran
  JOIN account_credits ON cash_session_id = ran.id
  UNION ALL
  SELECT ran.id, currency, 0,
         CASE debit_account WHEN 'cash:' || cash_session_id THEN amount_micro
           ELSE -amount_micro END
  FROM ran
  JOIN ledger_entries ON cash_session_id = ran.id
)
SELECT billing_central.current_tenant(), 'drawer_movements', id, currency,
       sum(due_micro)::bigint, sum(is_micro)::bigint, is_settled
FROM moved
JOIN ran USING (id)
GROUP BY id, currency, is_settled
"""

# Every folio that was open at some time of the date: its balance, its lines, and the guest ledger
# less the deposits that the ledger holds for it. What is brought over between these two is neither.
FOLIOS: Final = """
WITH present AS (
  SELECT tenant_id, id, currency, balance_micro
  FROM folios
  WHERE property_id = $1
    AND status = 'open'
    AND opened_at < $3
  UNION ALL
  SELECT tenant_id, id, currency, balance_micro
  FROM folios
  WHERE property_id = $1
    AND closed_at >= $2
    AND opened_at < $3
)
SELECT tenant_id, kind, id, currency, coalesce(due_micro, 0)::bigint, balance_micro, true
FROM present
CROSS JOIN LATERAL (
  SELECT 'folio_lines' AS kind, sum(amount_micro) AS due_micro
  FROM folio_lines
  WHERE folio_id = present.id
  UNION ALL
  SELECT 'folio_ledger', sum(
    ((debit_account IN ('guest_ledger', 'guest_deposits'))::integer
      - (credit_account IN ('guest_ledger', 'guest_deposits'))::integer) * amount_micro)
  FROM ledger_entries
  WHERE folio_id = present.id
) AS sums
"""

# Which of the processor's ids our books have, under any date. A refund that failed is not among
# them: it was never made.
KNOWN: Final = """
SELECT tenant_id, processor_payment_id
FROM payments
WHERE processor_payment_id = ANY ($1::text[])
UNION ALL
SELECT tenant_id, processor_payment_id
FROM account_credits
WHERE processor_payment_id = ANY ($1::text[])
UNION ALL
SELECT refunds.tenant_id, refunds.id
FROM refunds
LEFT JOIN refund_settlements ON refund_id = refunds.id
WHERE refunds.id = ANY ($2::text[])
  AND status IS DISTINCT FROM 'failed'
  AND NOT EXISTS (SELECT FROM refund_failures AS failed WHERE failed.refund_id = refunds.id)
UNION ALL
SELECT tenant_id, processor_refund_id
FROM refunds
WHERE processor_refund_id = ANY ($2::text[])
  AND NOT EXISTS (SELECT FROM refund_failures AS failed WHERE failed.refund_id = refunds.id)
UNION ALL
SELECT tenant_id, processor_refund_id
FROM late_refunds
WHERE processor_refund_id = ANY ($2::text[])
  AND failure_code IS NULL
  AND NOT EXISTS (SELECT FROM refund_failures AS failed WHERE failed.refund_id = late_refunds.id)
UNION ALL
SELECT tenant_id, cause
FROM account_credits AS given
WHERE kind = 'refunded_there'
  AND cause = ANY ($2::text[])
  AND NOT EXISTS (
    SELECT FROM account_credits AS again
    WHERE again.kind = 'refund_failed' AND again.cause = given.cause)
UNION ALL
SELECT tenant_id, processor_payment_id
FROM returned_payments
WHERE processor_payment_id = ANY ($1::text[])
  AND status <> 'placed'
UNION ALL
SELECT tenant_id, refund_id
FROM returned_payments
WHERE refund_id = ANY ($2::text[])
  AND status IN ('pending', 'contested', 'returned')
  AND gone_micro < paid_amount_micro
UNION ALL
SELECT tenant_id, cause
FROM returned_parts
WHERE cause = ANY ($2::text[])
  AND kind IN ('refunded_there', 'made_after_all')
"""

CARD_PAYMENTS: Final = """
SELECT payments.tenant_id, payments.processor_payment_id,
       payments.paid_amount_micro + coalesce(gone_micro, 0), payments.paid_currency
FROM payments
JOIN folios ON folios.id = payments.folio_id
LEFT JOIN returned_payments AS late ON late.id = payments.id
WHERE method = 'card'
  AND payments.business_date = $2
  AND folios.property_id = $1
  AND payments.processor_payment_id IS NOT NULL
UNION ALL
SELECT account_credits.tenant_id, processor_payment_id, amount_micro, account_credits.currency
FROM account_credits
JOIN company_accounts ON company_accounts.id = account_id
WHERE kind = 'card'
  AND business_date = $2
  AND property_id = $1
UNION ALL
SELECT tenant_id, processor_payment_id, paid_amount_micro, paid_currency
FROM returned_payments
WHERE business_date = $2
  AND property_id = $1
  AND status <> 'placed'
"""
# One that was late is of the date on which it was made, whenever it reaches its folio.
CARD_REFUNDS: Final = """
SELECT refunds.tenant_id, coalesce(processor_refund_id, refunds.id), paid_amount_micro,
       paid_currency, refund_settlements.status
FROM refunds
JOIN folios ON folios.id = folio_id
LEFT JOIN refund_settlements ON refund_id = refunds.id
WHERE method = 'card'
  AND refunds.business_date = $2
  AND property_id = $1
  AND refund_settlements.status IS DISTINCT FROM 'failed'
  AND NOT EXISTS (SELECT FROM late_refunds AS late WHERE late.id = refunds.id)
  AND NOT EXISTS (SELECT FROM refund_failures AS failed WHERE failed.refund_id = refunds.id)
UNION ALL
SELECT tenant_id, processor_refund_id, paid_amount_micro, paid_currency, 'succeeded'
FROM late_refunds
WHERE business_date = $2
  AND property_id = $1
  AND failure_code IS NULL
  AND NOT EXISTS (SELECT FROM refund_failures AS failed WHERE failed.refund_id = late_refunds.id)
UNION ALL
SELECT account_credits.tenant_id, cause, -amount_micro, account_credits.currency, 'succeeded'
FROM account_credits
JOIN company_accounts ON company_accounts.id = account_id
WHERE kind = 'refunded_there'
  AND business_date = $2
  AND property_id = $1
  AND NOT EXISTS (
    SELECT FROM account_credits AS again
    WHERE again.kind = 'refund_failed' AND again.cause = account_credits.cause)
UNION ALL
SELECT tenant_id, refund_id, paid_amount_micro - gone_micro, paid_currency,
       CASE status WHEN 'returned' THEN 'succeeded' END
FROM returned_payments
WHERE business_date = $2
  AND property_id = $1
  AND status IN ('pending', 'contested', 'returned')
  AND gone_micro < paid_amount_micro
UNION ALL
SELECT parts.tenant_id, cause, parts.amount_micro, parts.currency, 'succeeded'
FROM returned_parts AS parts
JOIN returned_payments AS late ON late.id = returned_id
WHERE parts.business_date = $2
  AND property_id = $1
  AND kind IN ('refunded_there', 'made_after_all')
  AND NOT EXISTS (
    SELECT FROM returned_parts AS again
    WHERE again.cause = parts.cause AND again.kind = 'refund_failed')
"""
