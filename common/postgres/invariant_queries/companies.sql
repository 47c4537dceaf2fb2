-- Companies that pay later.

-- invariant: what_companies_paid_and_never_will_is_booked
-- A company's payment, a credit note that is set off, a write-off, and what was taken back of a
-- payment are booked once each, against the company's own account.
WITH expected AS (
  SELECT credits.id AS source, 0 AS part, account_id, property_id, debit,
         concat('city_ledger:', account_id) AS credit, amount_micro, credits.currency, business_date
  FROM account_credits AS credits
  JOIN company_accounts ON company_accounts.id = account_id
  LEFT JOIN (VALUES
    ('card', 'card_clearing'), ('bank_transfer', 'bank_clearing'),
    ('mobile_money', 'mobile_money_clearing'),
    ('credit_note', 'credit_notes_payable'), ('dispute_won', 'disputed_funds'),
    ('refund_failed', 'card_clearing')) AS clearing (kind, clearing) USING (kind)
  CROSS JOIN LATERAL (SELECT coalesce(clearing, concat('cash:', cash_session_id)) AS debit) AS a
  WHERE kind NOT IN ('refund', 'disputed', 'refunded_there')
  UNION ALL
  SELECT taken.id, 0, account_id, property_id, concat('city_ledger:', account_id),
         CASE kind WHEN 'disputed' THEN 'disputed_funds' ELSE 'card_clearing' END, -amount_micro,
         taken.currency, business_date
  FROM account_credits AS taken
  JOIN company_accounts ON company_accounts.id = account_id
  WHERE kind IN ('disputed', 'refunded_there')
  UNION ALL
  SELECT write_offs.id, 0, account_id, property_id, 'bad_debt',
         concat('city_ledger:', account_id), amount_micro, write_offs.currency, business_date
  FROM write_offs
  JOIN company_accounts ON company_accounts.id = account_id
  WHERE reverses IS NULL
  UNION ALL
  SELECT back.id, 0, account_id, property_id, concat('city_ledger:', account_id), 'bad_debt',
         -amount_micro, back.currency, business_date
  FROM write_offs AS back
  JOIN company_accounts ON company_accounts.id = account_id
  WHERE reverses IS NOT NULL
), booked AS (
  SELECT source, part, company_account_id, property_id, debit_account, credit_account,
         amount_micro, currency, business_date
  FROM ledger_entries
  WHERE starts_with(source, 'rcp_')
     OR starts_with(source, 'wof_')
     OR starts_with(source, 'sof_')
     OR starts_with(source, 'tkb_')
)
SELECT source, concat_ws(' ', 'not booked:', debit, credit, amount_micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT source, concat_ws(' ', 'booked:', debit_account, credit_account, amount_micro, currency)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: a_debt_is_of_the_account_it_names
-- An entry names a company account when, and only when, that is one of its two accounts.
SELECT source, concat_ws(' ', debit_account, credit_account, 'names', company_account_id)
FROM ledger_entries
WHERE concat('city_ledger:', company_account_id) NOT IN (debit_account, credit_account)
  AND (company_account_id IS NOT NULL
    OR starts_with(debit_account, 'city_ledger:') OR starts_with(credit_account, 'city_ledger:'));

-- invariant: a_company_owes_what_the_ledger_says
-- A company account's balance is what the ledger holds against it, in its currency.
SELECT accounts.id, concat_ws(' ', 'balance', balance.micro, 'ledger', coalesce(ledger.micro, 0))
FROM company_accounts AS accounts
CROSS JOIN LATERAL (
  SELECT not_invoiced_micro + open_micro - unallocated_micro AS micro
) AS balance
LEFT JOIN (
  SELECT company_account_id, currency,
         sum(CASE debit_account WHEN concat('city_ledger:', company_account_id) THEN amount_micro
             ELSE -amount_micro END) AS micro
  FROM ledger_entries
  WHERE company_account_id IS NOT NULL
  GROUP BY company_account_id, currency
) AS ledger ON company_account_id = accounts.id
WHERE balance.micro <> coalesce(ledger.micro, 0)
   OR ledger.currency <> accounts.currency;

-- invariant: a_company_account_is_the_sum_of_its_parts
-- What is not invoiced is what the house kept of settlements that are no item's yet; what is open is
-- what its items have open; its credit is what came in and is not allocated. None is below nothing,
-- and a closed account has nothing left.
SELECT accounts.id, concat_ws(' ', status, 'not invoiced', not_invoiced_micro, 'of',
  settled.micro, 'open', open_micro, 'of', items.micro, 'credit', unallocated_micro, 'of',
  credits.micro, 'less', allocated.micro)
FROM company_accounts AS accounts
CROSS JOIN LATERAL (
  SELECT coalesce(sum(amount_micro - refunded_micro), 0) AS micro
  FROM payments
  WHERE company_account_id = accounts.id
    AND NOT EXISTS (SELECT FROM receivable_parts WHERE payment_id = payments.id)
) AS settled
CROSS JOIN LATERAL (
  SELECT coalesce(sum(receivables.open_micro), 0) AS micro
  FROM receivables
  WHERE account_id = accounts.id
) AS items
CROSS JOIN LATERAL (
  SELECT coalesce(sum(amount_micro), 0) AS micro
  FROM account_credits
  WHERE account_id = accounts.id
) AS credits
CROSS JOIN LATERAL (
  SELECT coalesce(sum(amount_micro), 0) AS micro
  FROM receivable_allocations
  WHERE account_id = accounts.id
) AS allocated
WHERE (not_invoiced_micro, open_micro, unallocated_micro)
        IS DISTINCT FROM (settled.micro, items.micro, credits.micro - allocated.micro)
   OR least(not_invoiced_micro, open_micro, unallocated_micro) < 0
   OR status = 'closed' AND greatest(not_invoiced_micro, open_micro, unallocated_micro) <> 0;

-- invariant: an_item_is_open_as_far_as_nothing_settled_it
-- What is open of an item is its amount less what was allocated to it and written off, and never
-- less than nothing or more than all. A reversal takes back exactly the allocation or the write-off
-- that it names, once.
SELECT items.invoice_id, concat_ws(' ', 'owed by', items.account_id, 'amount', amount_micro,
  'open', open_micro, 'allocated', allocated.micro, 'written off', given_up.micro)
FROM receivables AS items
CROSS JOIN LATERAL (
  SELECT coalesce(sum(parts.amount_micro), 0) AS micro
  FROM receivable_allocations AS parts
  WHERE parts.account_id = items.account_id AND parts.invoice_id = items.invoice_id
) AS allocated
CROSS JOIN LATERAL (
  SELECT coalesce(sum(parts.amount_micro), 0) AS micro
  FROM write_offs AS parts
  WHERE parts.account_id = items.account_id AND parts.invoice_id = items.invoice_id
) AS given_up
WHERE open_micro <> amount_micro - allocated.micro - given_up.micro
   OR open_micro NOT BETWEEN 0 AND amount_micro
   OR due_on < issued_on
UNION ALL
SELECT back.id, concat_ws(' ', 'takes back', back.amount_micro, 'of', back.reverses)
FROM receivable_allocations AS back
LEFT JOIN receivable_allocations AS taken ON taken.id = back.reverses
WHERE (back.amount_micro < 0) <> (back.reverses IS NOT NULL)
   OR back.reverses IS NOT NULL
      AND (back.account_id, back.invoice_id, -back.amount_micro, back.currency)
            IS DISTINCT FROM
          (taken.account_id, taken.invoice_id, taken.amount_micro, taken.currency)
UNION ALL
SELECT reverses, concat('is reversed ', count(*), ' times')
FROM receivable_allocations
WHERE reverses IS NOT NULL
GROUP BY reverses
HAVING count(*) > 1
UNION ALL
SELECT back.id, concat_ws(' ', 'takes back', back.amount_micro, 'of', back.reverses)
FROM write_offs AS back
LEFT JOIN write_offs AS given_up ON given_up.id = back.reverses
WHERE (back.amount_micro < 0) <> (back.reverses IS NOT NULL)
   OR back.reverses IS NOT NULL
      AND (back.account_id, back.invoice_id, -back.amount_micro, back.currency)
            IS DISTINCT FROM
          (given_up.account_id, given_up.invoice_id, given_up.amount_micro, given_up.currency)
UNION ALL
SELECT reverses, concat('is taken back ', count(*), ' times')
FROM write_offs
WHERE reverses IS NOT NULL
GROUP BY reverses
HAVING count(*) > 1;

-- invariant: an_invoice_is_owed_as_far_as_it_was_left_to_a_company
-- An item is the sum of the settlements that it is made of, each of its folio and account; and each
-- settlement of a closed folio is an item's, as far as it was not given back before.
WITH made AS (
  SELECT account_id, invoice_id, sum(amount_micro) AS micro
  FROM receivable_parts
  GROUP BY account_id, invoice_id
)
SELECT invoice_id, concat_ws(' ', 'owed by', account_id, amount_micro, 'is made of', micro)
FROM receivables
FULL JOIN made USING (account_id, invoice_id)
WHERE amount_micro IS DISTINCT FROM micro
UNION ALL
SELECT payments.id, concat_ws(' ', company_account_id, 'settles', payments.amount_micro - before,
  'as', parts.amount_micro, 'of', invoice_id)
FROM payments
JOIN folios ON folios.id = payments.folio_id
LEFT JOIN receivable_parts AS parts ON payment_id = payments.id
LEFT JOIN receivables AS items USING (account_id, invoice_id)
LEFT JOIN invoices ON invoices.id = invoice_id
CROSS JOIN LATERAL (
  SELECT coalesce(sum(refunds.amount_micro), 0) AS before
  FROM refunds
  WHERE refunds.payment_id = payments.id
    AND NOT EXISTS (SELECT FROM account_credits WHERE account_credits.id = refunds.id)
) AS back
WHERE company_account_id IS NOT NULL
  AND CASE WHEN parts.payment_id IS NULL
           THEN status = 'closed' AND payments.amount_micro <> before
           ELSE (parts.amount_micro, parts.account_id, items.folio_id, invoices.folio_id)
                  IS DISTINCT FROM
                (payments.amount_micro - before, company_account_id, payments.folio_id,
                 payments.folio_id)
      END;

-- invariant: a_company_account_keeps_one_currency_and_property
-- Whatever is of a company account is in its currency and, a folio, at its property; a refund that
-- is to its credit is one of its settlements. What is city ledger names who owes it.
SELECT others.id, concat_ws(' ', others.currency, others.property_id, 'of', accounts.id, 'in',
  accounts.currency, accounts.property_id)
FROM company_accounts AS accounts
JOIN (
  SELECT payments.id, company_account_id AS account_id, payments.currency, property_id
  FROM payments
  JOIN folios ON folios.id = folio_id
  UNION ALL
  SELECT payments.id, company_account_id, paid_currency, NULL FROM payments
  UNION ALL
  SELECT invoice_id, account_id, currency, NULL FROM receivables
  UNION ALL
  SELECT payment_id, account_id, currency, NULL FROM receivable_parts
  UNION ALL
  SELECT id, account_id, currency, NULL FROM account_credits
  UNION ALL
  SELECT id, account_id, currency, NULL FROM receivable_allocations
  UNION ALL
  SELECT id, account_id, currency, NULL FROM write_offs
) AS others ON account_id = accounts.id
WHERE others.currency <> accounts.currency
   OR others.property_id <> accounts.property_id
UNION ALL
SELECT credits.id, concat_ws(' ', 'credits', account_id, 'with', credits.amount_micro, 'of',
  payments.company_account_id, refunds.amount_micro)
FROM account_credits AS credits
LEFT JOIN refunds ON refunds.id = credits.id
LEFT JOIN payments ON payments.id = payment_id
WHERE kind = 'refund'
  AND (account_id, credits.amount_micro, credits.business_date)
        IS DISTINCT FROM
      (payments.company_account_id, refunds.amount_micro, refunds.business_date)
UNION ALL
SELECT id, concat_ws(' ', method, 'names', company_account_id)
FROM payments
WHERE company_account_id IS NOT NULL AND method <> 'city_ledger';

-- invariant: a_credit_note_is_set_off_for_no_more_than_it_is
-- A credit note is set off against accounts that owe its invoice, by parts that follow one another
-- within its total; one that a settlement came to never is.
SELECT credits.id, concat_ws(' ', 'sets', credits.amount_micro, 'off against', account_id, 'of',
  credit_note_id, 'over', total_micro)
FROM account_credits AS credits
LEFT JOIN credit_notes AS notes ON notes.id = credit_note_id
LEFT JOIN invoices AS documents ON documents.id = notes.id
WHERE kind = 'credit_note'
  AND (documents.total_micro IS NULL
    OR notes.settlement_id IS NOT NULL
    OR credits.set_off_before_micro + credits.amount_micro > documents.total_micro
    OR NOT EXISTS (
      SELECT FROM receivables AS items
      WHERE items.account_id = credits.account_id AND items.invoice_id = notes.invoice_id))
UNION ALL
SELECT id, concat_ws(' ', 'begins at', set_off_before_micro, 'of', credit_note_id, 'behind', before)
FROM (
  SELECT id, credit_note_id, set_off_before_micro,
         coalesce(sum(amount_micro) OVER parts, 0) AS before
  FROM account_credits
  WHERE credit_note_id IS NOT NULL
  WINDOW parts AS (PARTITION BY credit_note_id ORDER BY set_off_before_micro, id
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) AS set_offs
WHERE set_off_before_micro <> before;

-- invariant: a_company_account_is_what_its_trail_digested
-- The terms and sums that a company account's trail digested are those that it has.
SELECT id, concat_ws(' ', 'is', status, 'with', not_invoiced_micro, open_micro, unallocated_micro)
FROM company_accounts
WHERE state_digest <> sha256(convert_to(concat(
  '{"creditLimitMicro":', credit_limit_micro, ',"currency":', to_json(currency),
  ',"id":', to_json(id), ',"notInvoicedMicro":', not_invoiced_micro, ',"openMicro":', open_micro,
  ',"propertyId":', to_json(property_id), ',"status":', to_json(status),
  ',"termsDays":', terms_days, ',"unallocatedMicro":', unallocated_micro, '}'), 'UTF8'));

-- invariant: what_a_company_paid_is_taken_back_once_and_within_the_payment
-- What was taken back of a company's card payment is of its account and currency and never more than
-- it came to; a dispute has taken what it says that the company owes again, and what it gave again.
SELECT receipts.id, concat_ws(' ', 'came to', receipts.amount_micro, 'and has left', left_micro)
FROM (
  SELECT takes_back, sum(amount_micro) AS micro, count(DISTINCT (account_id, currency)) AS places,
         min(account_id) AS account_id, min(currency) AS currency
  FROM account_credits
  WHERE takes_back IS NOT NULL
  GROUP BY takes_back
) AS moved
JOIN account_credits AS receipts ON receipts.id = moved.takes_back
CROSS JOIN LATERAL (SELECT receipts.amount_micro + micro AS left_micro) AS rest
WHERE left_micro NOT BETWEEN 0 AND receipts.amount_micro
   OR (receipts.kind, places, moved.account_id, moved.currency)
        IS DISTINCT FROM ('card', 1, receipts.account_id, receipts.currency)
UNION ALL
SELECT coalesce(disputes.id, moved.takes_back), concat_ws(' ', 'is', status, 'over',
  on_account_micro, 'taken', taken, 'given again', given)
FROM (
  SELECT * FROM payment_disputes WHERE on_account_micro > 0 AND receipt_id IS NOT NULL
) AS disputes
FULL JOIN (
  SELECT cause, min(takes_back) AS takes_back,
         -coalesce(sum(amount_micro) FILTER (WHERE kind = 'disputed'), 0) AS taken,
         coalesce(sum(amount_micro) FILTER (WHERE kind = 'dispute_won'), 0) AS given
  FROM account_credits
  WHERE kind IN ('disputed', 'dispute_won')
  GROUP BY cause
) AS moved ON cause = processor_dispute_id
WHERE (on_account_micro, receipt_id) IS DISTINCT FROM (taken, takes_back)
   OR given <> CASE status WHEN 'won' THEN taken ELSE 0 END
UNION ALL
SELECT again.id, concat_ws(' ', 'of', again.takes_back, 'came again', again.amount_micro, 'of',
  given.amount_micro)
FROM account_credits AS again
LEFT JOIN account_credits AS given ON given.kind = 'refunded_there' AND given.cause = again.cause
WHERE again.kind = 'refund_failed'
  AND (again.takes_back, again.account_id, again.currency, again.amount_micro)
        IS DISTINCT FROM (given.takes_back, given.account_id, given.currency, -given.amount_micro);
