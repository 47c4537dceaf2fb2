-- What was done is booked as it was done.

-- invariant: balance_is_what_the_ledger_says
-- A folio's balance is what the guest ledger holds against it, less what the deposits hold for it.
SELECT folios.id, concat('balance ', balance_micro, ', ledger ', coalesce(ledger.micro, 0))
FROM folios
LEFT JOIN (
  SELECT folio_id,
         sum(((debit_account IN ('guest_ledger', 'guest_deposits'))::integer
           - (credit_account IN ('guest_ledger', 'guest_deposits'))::integer) * amount_micro)
           AS micro
  FROM ledger_entries
  GROUP BY folio_id
) AS ledger ON ledger.folio_id = folios.id
WHERE balance_micro <> coalesce(ledger.micro, 0);

-- invariant: lines_are_booked_as_they_read
-- Each charge, tax and correction is booked once, against the revenue or the tax that it names.
WITH written AS (
  SELECT id, folio_id, amount_micro, currency, business_date,
         CASE WHEN type = 'rounding' THEN 'rounding'
              WHEN type = 'deposit_transfer' THEN 'deposits_in_transit'
              WHEN tax IS NOT NULL THEN concat('tax_payable:', tax ->> 'code')
              ELSE concat('revenue:', kind) END AS account
  FROM folio_lines
  WHERE type NOT IN ('payment', 'refund', 'refund_reversal')
    AND amount_micro <> 0
), expected AS (
  SELECT written.id AS source, 0 AS part, folio_id, property_id,
         CASE WHEN amount_micro > 0 THEN 'guest_ledger' ELSE account END AS debit,
         CASE WHEN amount_micro > 0 THEN account ELSE 'guest_ledger' END AS credit,
         abs(amount_micro) AS micro, written.currency, written.business_date
  FROM written
  JOIN folios ON folios.id = folio_id
), booked AS (
  SELECT source, part, folio_id, property_id, debit_account, credit_account, amount_micro,
         currency, business_date
  FROM ledger_entries
  WHERE NOT starts_with(source, 'pay_')
    AND NOT starts_with(source, 'cmv_')
    AND NOT starts_with(source, 'cn_')
    AND NOT starts_with(source, 'rfd_')
    AND NOT starts_with(source, 'rvr_')
    AND 'guest_deposits' NOT IN (debit_account, credit_account)
    AND NOT starts_with(source, 'rcp_')
    AND NOT starts_with(source, 'wof_')
    AND NOT starts_with(source, 'sof_')
    AND NOT starts_with(source, 'tkb_')
    AND NOT starts_with(source, 'dsp_')
    AND NOT starts_with(source, 'pyo_')
)
SELECT source, concat_ws(' ', 'not booked:', debit, credit, micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT source, concat_ws(' ', 'booked:', debit_account, credit_account, amount_micro, currency)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: payments_are_booked_as_they_were_taken
-- Each payment is booked once, through its clearing account, and through FX clearing if foreign.
WITH expected AS (
  SELECT payments.id AS source, part, folio_id, property_id,
         CASE WHEN part = 0 THEN account ELSE 'fx_clearing' END AS debit,
         CASE WHEN part = 0 AND is_foreign THEN 'fx_clearing' ELSE 'guest_ledger' END AS credit,
         CASE WHEN part = 0 THEN paid_amount_micro ELSE amount_micro END AS micro,
         CASE WHEN part = 0 THEN paid_currency ELSE payments.currency END AS currency,
         payments.business_date
  FROM payments
  JOIN folios ON folios.id = folio_id
  CROSS JOIN LATERAL (SELECT paid_currency <> payments.currency AS is_foreign) AS way
  CROSS JOIN LATERAL generate_series(0, is_foreign::integer) AS part
  LEFT JOIN (VALUES
    ('card', 'card_clearing'), ('bank_transfer', 'bank_clearing'), ('cash', NULL),
    ('mobile_money', 'mobile_money_clearing'), ('voucher', 'voucher_liability'),
    ('city_ledger', 'city_ledger'), ('credits', 'credits_clearing')) AS clearing (method, clearing) USING (method)
  CROSS JOIN LATERAL (SELECT coalesce('city_ledger:' || company_account_id, clearing,
    concat('cash:', cash_session_id)) AS account) AS a
), booked AS (
  SELECT source, part, folio_id, property_id, debit_account, credit_account, amount_micro,
         currency, business_date
  FROM ledger_entries
  WHERE starts_with(source, 'pay_')
    AND 'guest_deposits' NOT IN (debit_account, credit_account)
    AND 'payments_to_return' NOT IN (debit_account, credit_account)
)
SELECT source, concat_ws(' ', 'not booked:', debit, credit, micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT source, concat_ws(' ', 'booked:', debit_account, credit_account, amount_micro, currency)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: refunds_are_booked_as_they_were_given_back
-- A refund is booked once, the way of its payment back; one that failed, if after it was made, once
-- more, the other way. One
-- that waited for its folio to be opened again comes out of the account where it waited.
WITH given AS (
  SELECT id AS source, payment_id, folio_id, method, cash_session_id, paid_amount_micro,
         paid_currency, amount_micro, currency, business_date, true AS goes_out
  FROM refunds
  UNION ALL
  SELECT lines.id, payment_id, refunds.folio_id, method, cash_session_id, paid_amount_micro,
         paid_currency, refunds.amount_micro, refunds.currency, lines.business_date, false
  FROM refunds
  JOIN folio_lines AS lines ON lines.type = 'refund_reversal' AND lines.corrects = refunds.id
), expected AS (
  SELECT given.source, part, folio_id, property_id,
         CASE WHEN goes_out THEN into_account ELSE from_account END AS debit,
         CASE WHEN goes_out THEN from_account ELSE into_account END AS credit,
         CASE WHEN part = 0 THEN paid_amount_micro ELSE amount_micro END AS micro,
         CASE WHEN part = 0 THEN paid_currency ELSE given.currency END AS currency,
         given.business_date
  FROM given
  JOIN folios ON folios.id = folio_id
  CROSS JOIN LATERAL (
    SELECT (SELECT 'city_ledger:' || company_account_id FROM payments WHERE id = payment_id) AS owed
  ) AS debts
  CROSS JOIN LATERAL (SELECT paid_currency <> given.currency AS is_foreign) AS way
  CROSS JOIN LATERAL generate_series(0, (is_foreign AND amount_micro > 0)::integer) AS part
  LEFT JOIN (VALUES
    ('card', 'card_clearing'), ('bank_transfer', 'bank_clearing'), ('cash', NULL),
    ('mobile_money', 'mobile_money_clearing'), ('voucher', 'voucher_liability'),
    ('city_ledger', 'city_ledger'), ('credits', 'credits_clearing')) AS clearing (method, clearing) USING (method)
  CROSS JOIN LATERAL (
    SELECT CASE WHEN part = 1 THEN 'fx_clearing'
                WHEN EXISTS (SELECT FROM late_refunds AS late WHERE late.id = given.source)
                  OR EXISTS (
                    SELECT FROM ledger_entries AS beside
                    WHERE beside.source = given.source AND beside.part = 3)
                  THEN 'refunds_to_settle'
                ELSE coalesce(owed, clearing, concat('cash:', cash_session_id)) END
             AS from_account,
           CASE WHEN part = 0 AND is_foreign THEN 'fx_clearing' ELSE 'guest_ledger' END
             AS into_account
  ) AS accounts
), booked AS (
  SELECT source, part, folio_id, property_id, debit_account, credit_account, amount_micro,
         currency, business_date
  FROM ledger_entries
  WHERE (starts_with(source, 'rfd_') OR starts_with(source, 'rvr_'))
    AND part NOT IN (3, 6)
    AND 'guest_deposits' NOT IN (debit_account, credit_account)
    AND 'payments_to_return' NOT IN (debit_account, credit_account)
)
SELECT source, concat_ws(' ', 'not booked:', debit, credit, micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT source, concat_ws(' ', 'booked:', debit_account, credit_account, amount_micro, currency)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: cash_movements_are_booked_as_they_were_made
-- Each movement of cash is booked once, between its session's drawer and what its kind stands for.
WITH expected AS (
  SELECT cash_movements.id AS source, 0 AS part, session_id, property_id,
         CASE WHEN goes_in THEN drawer ELSE account END AS debit,
         CASE WHEN goes_in THEN account ELSE drawer END AS credit,
         amount_micro, currency, cash_movements.business_date
  FROM cash_movements
  JOIN cash_sessions ON cash_sessions.id = session_id
  LEFT JOIN (VALUES
    ('float', true, 'cash_safe'), ('paid_in', true, 'cash_paid_in'),
    ('over', true, 'cash_over_short'), ('paid_out', false, 'cash_paid_out'),
    ('drop', false, 'cash_safe'), ('short', false, 'cash_over_short'),
    ('turned_in', false, 'cash_safe')) AS kinds (kind, goes_in, account) USING (kind)
  CROSS JOIN LATERAL (SELECT concat('cash:', session_id) AS drawer) AS drawers
), booked AS (
  SELECT source, part, cash_session_id, property_id, debit_account, credit_account, amount_micro,
         currency, business_date
  FROM ledger_entries
  WHERE starts_with(source, 'cmv_')
)
SELECT source, concat_ws(' ', 'not booked:', debit, credit, amount_micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT source, concat_ws(' ', 'booked:', debit_account, credit_account, amount_micro, currency)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: cash_lies_in_the_drawer_it_names
-- An entry names a session when, and only when, its drawer is one of its two accounts.
SELECT source, concat_ws(' ', debit_account, credit_account, 'names', cash_session_id)
FROM ledger_entries
WHERE concat('cash:', cash_session_id) NOT IN (debit_account, credit_account)
  AND (cash_session_id IS NOT NULL
    OR starts_with(debit_account, 'cash:') OR starts_with(credit_account, 'cash:'));
