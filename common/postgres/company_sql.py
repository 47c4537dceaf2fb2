"""What is asked of company accounts, each question one statement.

What an account owed on a day is read from what happened until then, both sides by one statement:
what moves meanwhile is in both of them or in neither.
"""

from typing import Final

from common.postgres.company_rows import (
    ACCOUNT_COLUMNS,
    ALLOCATION_COLUMNS,
    CHANGING,
    CREDIT_COLUMNS,
    ITEM_COLUMNS,
    WRITE_OFF_COLUMNS,
)

GET: Final = f"SELECT tenant_id, {ACCOUNT_COLUMNS} FROM company_accounts WHERE id = $1"
TAKE: Final = f"{GET} FOR NO KEY UPDATE"
PAGE: Final = f"""
SELECT tenant_id, {ACCOUNT_COLUMNS}
FROM company_accounts
WHERE id > $1
  AND property_id = ANY ($2::uuid[])
  AND ($3::text IS NULL OR status = $3)
ORDER BY id
LIMIT $4
"""
CHANGE: Final = (
    "UPDATE company_accounts\nSET "
    + ", ".join(
        f"{name} = ${place}{'::jsonb' if name == 'company' else ''}"
        for place, name in enumerate(CHANGING.split(", "), start=2)
    )
    + "\nWHERE id = $1"
)
_ITEMS: Final = ", ".join(f"receivables.{name}" for name in ITEM_COLUMNS.split(", "))
OPEN_ITEMS: Final = f"""
SELECT receivables.tenant_id, {_ITEMS}, number
FROM receivables
JOIN invoices ON invoices.id = invoice_id
WHERE account_id = $1 AND open_micro > 0
ORDER BY due_on, issued_on, invoice_id
"""
ITEMS_NAMED: Final = f"""
SELECT receivables.tenant_id, {_ITEMS}, number
FROM receivables
JOIN invoices ON invoices.id = invoice_id
WHERE account_id = $1 AND invoice_id = ANY ($2::text[])
ORDER BY due_on, issued_on, invoice_id
"""
ITEM_ALLOCATED: Final = f"""
SELECT receivables.tenant_id, {_ITEMS}, number
FROM receivables
JOIN invoices ON invoices.id = invoice_id
WHERE account_id = $1
  AND invoice_id = (SELECT invoice_id FROM receivable_allocations WHERE id = $2)
"""
ALLOCATION: Final = f"""
SELECT tenant_id, {ALLOCATION_COLUMNS}
FROM receivable_allocations
WHERE account_id = $1 AND id = $2
"""
# Companies that share an invoice stand in line for what was credited of it.
TAKE_CREDITED: Final = """
SELECT tenant_id
FROM invoice_credits
WHERE invoice_id = (SELECT invoice_id FROM credit_notes WHERE id = $1)
FOR NO KEY UPDATE
"""
# One of a folio that came to less was settled when the folio closed: nobody is owed anything by it.
NOTE: Final = """
SELECT credit_notes.tenant_id, credit_notes.id, credit_notes.invoice_id, number, total_micro,
       invoices.currency, coalesce((
         SELECT sum(amount_micro)
         FROM account_credits
         WHERE credit_note_id = credit_notes.id), 0)::bigint
FROM credit_notes
JOIN invoices ON invoices.id = credit_notes.id
WHERE credit_notes.id = $1 AND settlement_id IS NULL
"""
WRITE_OFF: Final = f"""
SELECT tenant_id, {WRITE_OFF_COLUMNS}, occurred_at
FROM write_offs
WHERE account_id = $1 AND id = $2
"""
ITEM_WRITTEN_OFF: Final = f"""
SELECT receivables.tenant_id, {_ITEMS}, number
FROM receivables
JOIN invoices ON invoices.id = invoice_id
WHERE account_id = $1
  AND invoice_id = (SELECT invoice_id FROM write_offs WHERE id = $2)
"""
WRITE_OFF_TAKEN_BACK: Final = """
SELECT tenant_id, id
FROM write_offs
WHERE reverses = $1
"""
# An account's item, and what of it stands as given up, and was given back once it was issued: of
# its settlements, and by credit notes that were set off.
_ITEM_GONE: Final = f"""
SELECT receivables.tenant_id, {_ITEMS}, number, (
         SELECT coalesce(sum(amount_micro), 0)
         FROM write_offs
         WHERE write_offs.account_id = receivables.account_id
           AND write_offs.invoice_id = receivables.invoice_id)::bigint, (
         SELECT coalesce(sum(credits.amount_micro), 0)
         FROM receivable_parts AS parts
         JOIN refunds ON refunds.payment_id = parts.payment_id
         JOIN account_credits AS credits ON credits.id = refunds.id
         WHERE parts.account_id = receivables.account_id
           AND parts.invoice_id = receivables.invoice_id)::bigint + (
         SELECT coalesce(sum(credits.amount_micro), 0)
         FROM credit_notes
         JOIN account_credits AS credits ON credits.credit_note_id = credit_notes.id
         WHERE credit_notes.invoice_id = receivables.invoice_id
           AND credits.account_id = receivables.account_id)::bigint
FROM receivables
JOIN invoices ON invoices.id = invoice_id
WHERE account_id = $1
"""
ITEM_TO_WRITE_OFF: Final = f"{_ITEM_GONE} AND invoice_id = $2"
ITEM_CREDITED: Final = f"""{_ITEM_GONE}
  AND invoice_id = (SELECT invoice_id FROM credit_notes WHERE id = $2)
"""
ITEM_SETTLED: Final = f"""{_ITEM_GONE}
  AND invoice_id = (SELECT invoice_id FROM receivable_parts WHERE payment_id = $2)
"""
REVERSED: Final = """
SELECT tenant_id, id
FROM receivable_allocations
WHERE reverses = $1
"""
TAKE_PAID_BY: Final = f"""
SELECT tenant_id, {ACCOUNT_COLUMNS}
FROM company_accounts
WHERE id = (SELECT account_id FROM account_credits WHERE processor_payment_id = $1)
FOR NO KEY UPDATE
"""
# A card payment first, and then what was taken back of it and given again.
PAID_BY: Final = f"""
SELECT tenant_id, {CREDIT_COLUMNS}
FROM account_credits
WHERE processor_payment_id = $1
   OR takes_back = (SELECT id FROM account_credits WHERE processor_payment_id = $1)
ORDER BY kind <> 'card', id
"""
_OF_ACCOUNT: Final = "(SELECT account_id FROM account_credits WHERE processor_payment_id = $1)"
STANDING_ALLOCATIONS: Final = f"""
SELECT tenant_id, {ALLOCATION_COLUMNS}
FROM receivable_allocations AS given
WHERE account_id = {_OF_ACCOUNT}
  AND reverses IS NULL
  AND NOT EXISTS (SELECT FROM receivable_allocations AS back WHERE back.reverses = given.id)
ORDER BY id DESC
"""
ITEMS_OF_ACCOUNT: Final = f"""
SELECT receivables.tenant_id, {_ITEMS}, number
FROM receivables
JOIN invoices ON invoices.id = invoice_id
WHERE account_id = {_OF_ACCOUNT}
ORDER BY due_on, issued_on, invoice_id
"""
TAKE_OF_FOLIO: Final = f"""
SELECT tenant_id, {ACCOUNT_COLUMNS}
FROM company_accounts
WHERE id IN (SELECT company_account_id FROM payments WHERE folio_id = $1)
ORDER BY id
FOR NO KEY UPDATE
"""
INVOICED: Final = """
SELECT payments.tenant_id, payment_id
FROM payments
JOIN receivable_parts ON payment_id = payments.id
WHERE folio_id = $1
"""
ITEMS_OF_FOLIO: Final = f"""
SELECT receivables.tenant_id, {_ITEMS}, number
FROM receivables
JOIN invoices ON invoices.id = invoice_id
WHERE receivables.folio_id = $1
"""
LAST_INVOICE: Final = """
SELECT tenant_id, id
FROM invoices
WHERE folio_id = $1 AND document_type = 'invoice'
ORDER BY issued_at DESC, id DESC
LIMIT 1
"""
RAISE: Final = """
UPDATE receivables
SET amount_micro = $3, open_micro = $4
WHERE account_id = $1 AND invoice_id = $2
"""
SETTLE: Final = "UPDATE receivables SET open_micro = $3 WHERE account_id = $1 AND invoice_id = $2"

# An account with what it owed at the end of a day ($2), and a row for each item that there was.
AGEING: Final = """
SELECT accounts.tenant_id, accounts.id, accounts.name, accounts.currency,
       coalesce(ledger.micro, 0)::bigint,
       (coalesce(credits.micro, 0) - coalesce(allocated.micro, 0))::bigint,
       invoice_id, number, issued_on, due_on,
       (coalesce(whole.micro, 0) - coalesce(paid.micro, 0) - coalesce(given_up.micro, 0))::bigint
FROM company_accounts AS accounts
CROSS JOIN LATERAL (
  SELECT sum(CASE debit_account WHEN 'city_ledger:' || accounts.id THEN amount_micro
             ELSE -amount_micro END) AS micro
  FROM ledger_entries
  WHERE company_account_id = accounts.id AND business_date <= $2::date
) AS ledger
CROSS JOIN LATERAL (
  SELECT sum(amount_micro) AS micro
  FROM account_credits
  WHERE account_id = accounts.id AND business_date <= $2::date
) AS credits
CROSS JOIN LATERAL (
  SELECT sum(amount_micro) AS micro
  FROM receivable_allocations
  WHERE account_id = accounts.id AND business_date <= $2::date
) AS allocated
LEFT JOIN receivables AS items ON items.account_id = accounts.id AND issued_on <= $2::date
LEFT JOIN invoices ON invoices.id = invoice_id
LEFT JOIN LATERAL (
  SELECT sum(amount_micro) AS micro
  FROM receivable_parts AS made
  WHERE made.account_id = items.account_id AND made.invoice_id = items.invoice_id
    AND made.business_date <= $2::date
) AS whole ON true
LEFT JOIN LATERAL (
  SELECT sum(amount_micro) AS micro
  FROM receivable_allocations AS parts
  WHERE parts.account_id = items.account_id AND parts.invoice_id = items.invoice_id
    AND parts.business_date <= $2::date
) AS paid ON true
LEFT JOIN LATERAL (
  SELECT sum(amount_micro) AS micro
  FROM write_offs AS parts
  WHERE parts.account_id = items.account_id AND parts.invoice_id = items.invoice_id
    AND parts.business_date <= $2::date
) AS given_up ON true
WHERE accounts.property_id = $1::uuid
  AND ($3::text IS NULL OR accounts.id = $3)
ORDER BY accounts.id, due_on, issued_on, invoice_id
"""

# What an account owed before a day ($2), and then each entry until another one ($3). A settlement
# is known by its folio, and by its invoice once there is one.
MOVED: Final = """
WITH entries AS (
  SELECT tenant_id, source, business_date, recorded_at, currency,
         CASE debit_account WHEN 'city_ledger:' || $1::text THEN amount_micro
           ELSE -amount_micro END AS micro
  FROM ledger_entries
  WHERE company_account_id = $1::text AND business_date <= $3::date
)
SELECT tenant_id, NULL AS source, NULL::date AS business_date, NULL::timestamptz AS recorded_at,
       currency, sum(micro)::bigint AS micro, NULL AS folio_id, NULL AS number, NULL AS reference
FROM entries
WHERE business_date < $2::date
GROUP BY tenant_id, currency
UNION ALL
SELECT entries.tenant_id, source, entries.business_date, entries.recorded_at, entries.currency,
       micro, folio_id, number, reference
FROM entries
LEFT JOIN LATERAL (
  SELECT folio_id, reference
  FROM payments
  WHERE payments.id = source
  UNION ALL
  SELECT folio_id, reference
  FROM refunds
  WHERE refunds.id = source
  UNION ALL
  SELECT NULL, reference
  FROM account_credits
  WHERE account_credits.id = source AND kind <> 'refund'
  UNION ALL
  SELECT receivables.folio_id, NULL
  FROM write_offs
  JOIN receivables USING (account_id, invoice_id)
  WHERE write_offs.id = source
) AS causes ON true
LEFT JOIN LATERAL (
  SELECT number
  FROM invoice_lines
  JOIN invoices ON invoices.id = invoice_lines.invoice_id
  WHERE line_id = source
  UNION ALL
  SELECT number
  FROM write_offs
  JOIN invoices ON invoices.id = write_offs.invoice_id
  WHERE write_offs.id = source
) AS documents ON true
WHERE entries.business_date >= $2::date
ORDER BY recorded_at NULLS FIRST, source
"""
