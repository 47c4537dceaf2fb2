-- What credit notes take back.

-- invariant: a_charge_is_corrected_in_one_place
-- What a credit note took something off was not corrected on its folio, or moved to another: no
-- charge stands on several documents of which one was credited by its lines.
SELECT line.charge_id, concat_ws(' ', credits.credit_note_id, 'credits', credits.line_id, 'of',
  credits.invoice_id, 'and', other.id, 'is on', held.invoice_id)
FROM credit_note_lines AS credits
JOIN folio_lines AS line ON line.id = credits.line_id
JOIN folio_lines AS other ON other.folio_id = line.folio_id AND other.charge_id = line.charge_id
LEFT JOIN invoice_lines AS held ON held.line_id = other.id
WHERE held.invoice_id IS DISTINCT FROM credits.invoice_id;

-- invariant: credits_stay_within_their_invoice
-- Credits of a line follow one another and stay within what it came to, and so does their sum.
WITH signed AS (
  SELECT id AS invoice_id, each ->> 'lineId' AS line_id, (each ->> 'grossMicro')::bigint AS micro
  FROM invoices
  CROSS JOIN LATERAL jsonb_array_elements(payload::jsonb -> 'lines') AS each
  WHERE document_type = 'invoice'
), taken AS (
  SELECT invoice_id, line_id, invoiced_micro, before_micro, gross_micro,
         coalesce(sum(gross_micro) OVER (
           PARTITION BY invoice_id, line_id ORDER BY abs(before_micro), credit_note_id
           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
  FROM credit_note_lines
), left_over AS (
  SELECT invoice_id, count(*) FILTER (WHERE micro <> coalesce(credited, 0)) AS lines
  FROM signed
  LEFT JOIN (
    SELECT invoice_id, line_id, sum(gross_micro) AS credited
    FROM credit_note_lines
    GROUP BY invoice_id, line_id
  ) AS credits USING (invoice_id, line_id)
  GROUP BY invoice_id
), noted AS (
  SELECT invoice_id, sum(total_micro) AS micro
  FROM credit_notes
  JOIN invoices USING (id)
  WHERE settlement_id IS NULL
  GROUP BY invoice_id
)
SELECT line_id, concat_ws(' ', 'of', micro, 'after', before_micro, 'takes', gross_micro)
FROM taken
LEFT JOIN signed USING (invoice_id, line_id)
WHERE micro IS DISTINCT FROM invoiced_micro
   OR before_micro <> before
   OR before_micro + gross_micro NOT BETWEEN least(micro, 0) AND greatest(micro, 0)
UNION ALL
SELECT id, concat_ws(' ', status, 'of', invoices.total_micro, 'credited', credited_micro,
  'by notes', noted.micro, 'left', lines, 'lines')
FROM invoices
LEFT JOIN invoice_credits ON invoice_credits.invoice_id = id
LEFT JOIN noted ON noted.invoice_id = id
LEFT JOIN left_over ON left_over.invoice_id = id
WHERE document_type = 'invoice'
  AND (coalesce(credited_micro, 0) <> coalesce(noted.micro, 0)
    OR coalesce(credited_micro, 0)
       NOT BETWEEN least(invoices.total_micro, 0) AND greatest(invoices.total_micro, 0)
    OR coalesce(status, 'issued') <> CASE WHEN noted.micro IS NULL THEN 'issued'
         WHEN coalesce(lines, 0) = 0 THEN 'voided' ELSE 'credited' END);

-- invariant: a_credit_note_adds_up
-- A credit note names its invoice by hash, holds the lines that it names, and its sums are theirs.
WITH signed AS (
  SELECT id, folio_id, document, document -> 'totals' AS totals
  FROM invoices
  CROSS JOIN LATERAL CAST(payload AS jsonb) AS document
  WHERE document_type = 'credit_note'
), named AS (
  SELECT id, each ->> 'lineId' AS line_id, (each ->> 'netMicro')::bigint AS net,
         (each ->> 'grossMicro')::bigint AS gross, each -> 'taxes' AS taxes
  FROM signed
  CROSS JOIN LATERAL jsonb_array_elements(document -> 'lines') AS each
), held AS (
  SELECT credit_note_id AS id, line_id, net_micro AS net, gross_micro AS gross, taxes
  FROM credit_note_lines
), by_line AS (
  SELECT named.*
  FROM named
  JOIN credit_notes USING (id)
  WHERE settlement_id IS NULL
), of_folio AS (
  SELECT credit_notes.id, settlement_id,
         -sum(CASE WHEN tax IS NULL AND type NOT IN
             ('payment', 'refund', 'refund_reversal', 'deposit_transfer', 'rounding')
             THEN amount_micro ELSE 0 END)
           AS net,
         -sum(CASE WHEN tax IS NOT NULL THEN amount_micro ELSE 0 END) AS tax,
         -sum(CASE type WHEN 'rounding' THEN amount_micro ELSE 0 END) AS rounding,
         sum(CASE WHEN type IN ('payment', 'refund', 'refund_reversal', 'deposit_transfer')
             THEN amount_micro
             ELSE 0 END) AS given_back
  FROM credit_notes
  LEFT JOIN invoice_lines ON invoice_lines.invoice_id = credit_notes.id
  LEFT JOIN folio_lines ON folio_lines.id = line_id
  WHERE settlement_id IS NOT NULL
  GROUP BY credit_notes.id, settlement_id
), sums AS (
  SELECT id, sum(net) AS net, sum(gross) AS gross
  FROM named
  GROUP BY id
), taxes AS (
  SELECT id, coalesce(sum((each ->> 'amountMicro')::bigint), 0) AS tax
  FROM signed
  LEFT JOIN LATERAL jsonb_array_elements(document -> 'taxBreakdown') AS each ON true
  GROUP BY id
)
SELECT id, concat('does not hold ', line_id)
FROM (SELECT * FROM by_line EXCEPT ALL SELECT * FROM held) AS missing
UNION ALL
SELECT id, concat('holds ', line_id)
FROM (SELECT * FROM held EXCEPT ALL SELECT * FROM by_line) AS more
UNION ALL
SELECT signed.id, concat_ws(' ', 'says', totals, 'of', sums.net, sums.gross, taxes.tax)
FROM signed
LEFT JOIN sums USING (id)
LEFT JOIN taxes USING (id)
LEFT JOIN credit_notes USING (id)
LEFT JOIN invoices AS corrected ON corrected.id = invoice_id
WHERE ((totals ->> 'netMicro')::bigint, (totals ->> 'taxMicro')::bigint,
       (totals ->> 'grossMicro')::bigint, (totals ->> 'totalMicro')::bigint, invoice_id,
       document #>> '{invoice,number}', document #>> '{invoice,payloadSha256}')
  IS DISTINCT FROM
      (coalesce(sums.net, 0), tax, coalesce(sums.gross, 0),
       sums.gross + (totals ->> 'roundingMicro')::bigint, document #>> '{invoice,invoiceId}',
       corrected.number, encode(corrected.payload_sha256, 'hex'))
   OR signed.folio_id IS DISTINCT FROM corrected.folio_id
   OR sums.gross <> sums.net + tax
UNION ALL
SELECT signed.id, concat_ws(' ', 'says', totals, 'of lines', net, tax, rounding, given_back)
FROM of_folio
JOIN signed USING (id)
WHERE (document ->> 'settlementId', (totals ->> 'netMicro')::bigint,
       (totals ->> 'taxMicro')::bigint, (totals ->> 'roundingMicro')::bigint, given_back)
  IS DISTINCT FROM (settlement_id, net, tax, rounding, net + tax + rounding);

-- invariant: a_credit_note_is_booked_as_it_reads
-- A credit note takes back revenue and taxes as it names them, and owes them to the customer; that
-- of a folio is booked where its lines are.
WITH signed AS (
  SELECT id, property_id, currency, (document ->> 'businessDate')::date AS business_date, document
  FROM invoices
  CROSS JOIN LATERAL CAST(payload AS jsonb) AS document
  WHERE document_type = 'credit_note' AND document ->> 'settlementId' IS NULL
), named AS (
  SELECT id, concat('revenue:', line ->> 'kind') AS account, (line ->> 'netMicro')::bigint AS micro
  FROM signed
  CROSS JOIN LATERAL jsonb_array_elements(document -> 'lines') AS line
  UNION ALL
  SELECT id, concat('tax_payable:', tax ->> 'code'), (tax ->> 'amountMicro')::bigint
  FROM signed
  CROSS JOIN LATERAL jsonb_array_elements(document -> 'lines') AS line
  CROSS JOIN LATERAL jsonb_array_elements(line -> 'taxes') AS tax
  UNION ALL
  SELECT id, 'rounding', (document #>> '{totals,roundingMicro}')::bigint
  FROM signed
), expected AS (
  SELECT id AS source, account, sum(micro) AS micro, property_id, currency, business_date
  FROM named
  JOIN signed USING (id)
  GROUP BY id, account, property_id, currency, business_date
  HAVING sum(micro) <> 0
), booked AS (
  SELECT source,
         CASE credit_account WHEN 'credit_notes_payable' THEN debit_account ELSE credit_account END
           AS account,
         sum(CASE 'credit_notes_payable' WHEN credit_account THEN amount_micro
             WHEN debit_account THEN -amount_micro END) AS micro,
         property_id, currency, business_date
  FROM ledger_entries
  WHERE starts_with(source, 'cn_')
  GROUP BY 1, 2, property_id, currency, business_date
)
SELECT source, concat_ws(' ', 'not booked:', account, micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT source, concat_ws(' ', 'booked:', account, micro, currency)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus;
