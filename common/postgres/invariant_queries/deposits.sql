-- What guests paid ahead, and what becomes of it.

-- invariant: what_is_paid_ahead_is_a_liability
-- What a folio is in credit by is a deposit in the ledger, and the folio knows it; the guest ledger
-- holds what is owed, and of no folio less than nothing. Only between these two are deposits booked,
-- each time for a line of the folio.
SELECT folios.id, concat_ws(' ', 'balance', balance_micro, 'guest ledger', coalesce(owed, 0),
  'deposits', coalesce(ahead, 0), 'knows of', deposits_micro)
FROM folios
LEFT JOIN (
  SELECT folio_id,
         sum(((debit_account = 'guest_ledger')::integer
           - (credit_account = 'guest_ledger')::integer) * amount_micro) AS owed,
         sum(((credit_account = 'guest_deposits')::integer
           - (debit_account = 'guest_deposits')::integer) * amount_micro) AS ahead
  FROM ledger_entries
  GROUP BY folio_id
) AS ledger ON ledger.folio_id = folios.id
WHERE (greatest(balance_micro, 0), greatest(-balance_micro, 0), deposits_micro)
        IS DISTINCT FROM
      (coalesce(owed, 0), coalesce(ahead, 0), coalesce(ahead, 0))
UNION ALL
SELECT entries.source, concat_ws(' ', debit_account, credit_account, 'of', lines.folio_id)
FROM ledger_entries AS entries
LEFT JOIN folio_lines AS lines ON lines.id = entries.source
WHERE 'guest_deposits' IN (debit_account, credit_account)
  AND ('guest_ledger' NOT IN (debit_account, credit_account)
    OR lines.folio_id IS DISTINCT FROM entries.folio_id);

-- invariant: no_money_is_given_back_and_moved
-- What was paid on a folio, less what was given back or is promised, less what was moved to other
-- folios, is never less than nothing: a refund takes no money that stands on another folio.
SELECT id, concat_ws(' ', 'kept', coalesce(kept, 0), 'moved away', coalesce(moved, 0))
FROM folios
LEFT JOIN (
  SELECT folio_id, sum(amount_micro - refunded_micro) AS kept
  FROM payments
  GROUP BY folio_id
) AS paid ON paid.folio_id = id
LEFT JOIN (
  SELECT folio_id, sum(amount_micro) AS moved
  FROM folio_lines
  WHERE type = 'deposit_transfer'
  GROUP BY folio_id
) AS gone ON gone.folio_id = id
WHERE coalesce(kept, 0) < coalesce(moved, 0);

-- invariant: a_deposit_that_leaves_a_folio_reaches_another
-- A deposit that moved is one line that takes it away and one that names it, on another folio of the
-- property, in the same transaction. Both folios tell of it, and nothing is left in transit.
WITH moved AS (
  SELECT lines.*, property_id, fact ->> 'fromFolioId' AS from_folio,
         fact ->> 'toFolioId' AS to_folio
  FROM folio_lines AS lines
  JOIN folios ON folios.id = folio_id
  LEFT JOIN (
    SELECT aggregate_id, fact, line ->> 'lineId' AS line_id
    FROM audit_entries
    CROSS JOIN LATERAL CAST(detail AS jsonb) AS fact
    CROSS JOIN LATERAL jsonb_array_elements(fact -> 'lines') AS line
    WHERE action = 'folio.deposit_moved'
  ) AS told ON line_id = lines.id AND aggregate_id = folio_id
  WHERE type = 'deposit_transfer'
)
SELECT coalesce(here.id, there.id), concat_ws(' ', 'from', here.folio_id, here.amount_micro, 'to',
  there.folio_id, there.amount_micro)
FROM (SELECT * FROM moved WHERE moved_from IS NULL) AS here
FULL JOIN (SELECT * FROM moved WHERE moved_from IS NOT NULL) AS there ON there.moved_from = here.id
WHERE (here.property_id, here.currency, here.amount_micro, here.business_date, here.reason,
       here.actor, here.recorded_at, here.folio_id, there.folio_id, there.from_folio,
       there.to_folio)
        IS DISTINCT FROM
      (there.property_id, there.currency, -there.amount_micro, there.business_date, there.reason,
       there.actor, there.recorded_at, here.from_folio, here.to_folio, here.folio_id,
       there.folio_id)
   OR here.folio_id = there.folio_id
   OR here.amount_micro <= 0
UNION ALL
SELECT property_id::text, concat_ws(' ', sum(micro), currency, 'in transit')
FROM (
  SELECT property_id, currency, CASE debit_account WHEN 'deposits_in_transit' THEN amount_micro
           ELSE -amount_micro END AS micro
  FROM ledger_entries
  WHERE 'deposits_in_transit' IN (debit_account, credit_account)
) AS entries
GROUP BY property_id, currency
HAVING sum(micro) <> 0;

-- invariant: a_canceled_stay_is_charged_no_night
-- A stay is canceled when its reservation is, once, and only before the guest comes. Unless the
-- guest comes all the same no night of it is charged, and no stay goes on that was canceled.
SELECT stays.folio_id, concat_ws(' ', 'canceled', stays.canceled_at, 'checked in', checked_in_at,
  'charged', charges, 'told', told)
FROM stays
JOIN folios ON folios.id = stays.folio_id
LEFT JOIN (
  SELECT folio_id, count(charge_id) AS charges
  FROM planned_charges
  GROUP BY folio_id
) AS nights ON nights.folio_id = stays.folio_id
LEFT JOIN canceled_reservations AS canceled
  ON canceled.property_id = folios.property_id AND canceled.reservation_id = folios.reservation_id
LEFT JOIN (
  SELECT aggregate_id, count(*) AS told
  FROM audit_entries
  WHERE action = 'folio.stay_canceled'
  GROUP BY aggregate_id
) AS facts ON aggregate_id = stays.folio_id
WHERE stays.canceled_at IS NOT NULL
  AND (stays.canceled_at IS DISTINCT FROM canceled.canceled_at
    OR checked_in_at < stays.canceled_at
    OR checked_in_at IS NULL AND charges > 0)
   OR told > 1
   OR told = 1 AND stays.canceled_at IS NULL AND checked_in_at IS NULL;

-- invariant: only_a_cancellation_refunds_without_a_confirmation
-- A refund that nobody confirmed is of a card. It was made at the processor itself, or it is on the
-- folio of a reservation that was canceled, and was promised in the transaction that canceled it, or
-- in the one that recorded its payment, which was more than was owed.
SELECT refunds.id, concat_ws(' ', refunds.method, 'of', folios.reservation_id, 'on', refunds.occurred_at)
FROM refunds
JOIN folios ON folios.id = refunds.folio_id
JOIN payments ON payments.id = payment_id
LEFT JOIN canceled_reservations AS canceled
  ON canceled.property_id = folios.property_id AND canceled.reservation_id = folios.reservation_id
WHERE num_nonnulls(confirmed_by, step_up_token_id, assertion_hash, step_up_method) < 4
  AND (num_nonnulls(confirmed_by, step_up_token_id, assertion_hash, step_up_method) > 0
    OR refunds.method <> 'card'
    OR processor_refund_id IS NULL
      AND canceled.canceled_at IS DISTINCT FROM refunds.occurred_at
      AND payments.occurred_at <> refunds.occurred_at);
