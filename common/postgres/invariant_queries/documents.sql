-- Issued documents: their numbers, their hashes, what they say.

-- invariant: numbers_run_from_one_without_a_gap
-- Documents of a series are numbered from 1 to its last number, each number once, but for those
-- that went with a database that was lost.
SELECT concat_ws(' ', jurisdiction, document_type, year),
       concat(coalesce(places, 0), ' documents, the last number is ', last_number)
FROM number_series
FULL JOIN (
  SELECT jurisdiction, document_type, year, count(*) AS places,
         count(DISTINCT series_number) AS numbers, min(series_number) AS first,
         max(series_number) AS last
  FROM (
    SELECT jurisdiction, document_type, year, series_number FROM invoices
    UNION ALL
    SELECT jurisdiction, document_type, year, series_number FROM lost_numbers
  ) AS given
  GROUP BY jurisdiction, document_type, year
) AS issued USING (jurisdiction, document_type, year)
WHERE (last_number, last_number, last_number, 1)
        IS DISTINCT FROM (places, numbers, last, first)
  AND NOT (last_number = 0 AND places IS NULL);

-- invariant: numbers_are_given_in_the_order_of_time
-- A document is issued no earlier than the one before it in its series, which knows the last.
SELECT id, concat_ws(' ', 'is issued at', issued_at, 'after', before)
FROM (
  SELECT id, issued_at, lag(issued_at) OVER (
    PARTITION BY jurisdiction, document_type, year ORDER BY series_number) AS before
  FROM invoices
) AS chain
WHERE issued_at < before
UNION ALL
SELECT concat_ws(' ', jurisdiction, document_type, year),
       concat_ws(' ', 'knows', last_issued_at, 'for', issued_at)
FROM number_series
JOIN invoices USING (jurisdiction, document_type, year)
WHERE series_number = last_number AND last_issued_at <> issued_at;

-- invariant: a_number_is_printed_as_it_was_given
-- The number on a document ends with its jurisdiction, its year and its place in the series.
SELECT id, concat(number, ' is place ', series_number, ' of ', year)
FROM invoices
CROSS JOIN LATERAL (SELECT concat_ws('-', '', jurisdiction, nullif(year, 0), lpad(
  series_number::text, greatest(6, length(series_number::text)), '0')) AS ending) AS place
WHERE right(number, length(ending)) <> ending
   OR length(number) = length(ending);

-- invariant: each_document_names_the_one_before
-- A document names the hash of the one before it in its series, and the series that of the last.
SELECT id, 'does not name the hash of the one before'
FROM (
  SELECT id, previous_sha256, lag(payload_sha256) OVER (
    PARTITION BY jurisdiction, document_type, year ORDER BY series_number) AS before
  FROM (
    SELECT id, previous_sha256, payload_sha256, jurisdiction, document_type, year, series_number
    FROM invoices
    UNION ALL
    SELECT NULL, NULL, payload_sha256, jurisdiction, document_type, year, series_number
    FROM lost_numbers
  ) AS given
) AS chain
WHERE id IS NOT NULL AND previous_sha256 IS DISTINCT FROM before
UNION ALL
SELECT concat_ws(' ', jurisdiction, document_type, year), 'does not name the hash of the last'
FROM number_series
JOIN invoices USING (jurisdiction, document_type, year)
WHERE series_number = last_number
  AND payload_sha256 IS DISTINCT FROM last_sha256;

-- invariant: a_payload_fits_its_hash
-- The SHA-256 beside a payload is that of the payload, byte for byte.
SELECT id, 'the payload is not the one that was hashed'
FROM invoices
WHERE payload_sha256 <> sha256(convert_to(payload, 'UTF8'));

-- invariant: a_payload_says_what_its_row_says
-- What is listed beside a payload is what was signed in it.
SELECT id, concat('the row is of ', number, ', the payload of ', document ->> 'number')
FROM invoices
CROSS JOIN LATERAL CAST(payload AS jsonb) AS document
WHERE (coalesce(document ->> 'invoiceId', document ->> 'creditNoteId'), document ->> 'folioId',
       document ->> 'propertyId',
       document ->> 'tenantId', document ->> 'number', document ->> 'type',
       document ->> 'currency', document ->> 'businessDate',
       document #>> '{series,jurisdiction}', document #>> '{series,sequence}',
       coalesce(document #>> '{series,year}', '0'), document ->> 'previousDocumentSha256',
       (document #>> '{totals,grossMicro}')::bigint + (document #>> '{totals,roundingMicro}')::bigint)
  IS DISTINCT FROM
      (id, folio_id, property_id::text, tenant_id::text, number, document_type,
       currency, business_date::text, jurisdiction, series_number::text,
       year::text, encode(previous_sha256, 'hex'), total_micro);

-- invariant: an_invoice_adds_up
-- An invoice's sums are those of its rows, of its tax breakdown, of its payments and of its lines.
WITH signed AS (
  SELECT id, document, document -> 'totals' AS totals
  FROM invoices
  CROSS JOIN LATERAL CAST(payload AS jsonb) AS document
  WHERE document_type = 'invoice'
), sums AS (
  SELECT id, (totals ->> 'netMicro')::bigint AS net, (totals ->> 'taxMicro')::bigint AS tax,
         (totals ->> 'grossMicro')::bigint AS gross, (totals ->> 'paidMicro')::bigint AS paid,
         (totals ->> 'roundingMicro')::bigint AS rounding, (totals ->> 'dueMicro')::bigint AS due,
         rows.net AS net_of_rows, rows.gross AS gross_of_rows, taxes.tax AS tax_by_rate,
         payments.paid AS paid_by_payment
  FROM signed
  CROSS JOIN LATERAL (
    SELECT coalesce(sum((each ->> 'netMicro')::bigint), 0) AS net,
           coalesce(sum((each ->> 'grossMicro')::bigint), 0) AS gross
    FROM jsonb_array_elements(document -> 'lines') AS each) AS rows
  CROSS JOIN LATERAL (
    SELECT coalesce(sum((each ->> 'amountMicro')::bigint), 0) AS tax
    FROM jsonb_array_elements(document -> 'taxBreakdown') AS each) AS taxes
  CROSS JOIN LATERAL (
    SELECT coalesce(sum((each ->> 'amountMicro')::bigint), 0) AS paid
    FROM jsonb_array_elements(document -> 'payments') AS each) AS payments
), lines AS (
  SELECT invoice_id,
         sum(CASE WHEN type NOT IN
             ('payment', 'refund', 'refund_reversal', 'deposit_transfer', 'rounding')
             AND tax IS NULL THEN amount_micro ELSE 0 END) AS net,
         sum(CASE WHEN tax IS NOT NULL THEN amount_micro ELSE 0 END) AS tax,
         -sum(CASE WHEN type IN ('payment', 'refund', 'refund_reversal', 'deposit_transfer')
             THEN amount_micro ELSE 0 END) AS paid,
         sum(CASE type WHEN 'rounding' THEN amount_micro ELSE 0 END) AS rounding
  FROM invoice_lines
  JOIN folio_lines ON folio_lines.id = line_id
  GROUP BY invoice_id
)
SELECT id, concat_ws(' ', 'net', sums.net, 'tax', sums.tax, 'gross', gross, 'paid', sums.paid,
  'rounding', sums.rounding, 'due', due)
FROM sums
LEFT JOIN lines ON invoice_id = id
WHERE (sums.net, sums.tax, sums.paid, sums.rounding, sums.gross, due)
        IS DISTINCT FROM
      (coalesce(lines.net, 0), coalesce(lines.tax, 0), coalesce(lines.paid, 0),
       coalesce(lines.rounding, 0), sums.net + sums.tax, gross + sums.rounding - sums.paid)
   OR (net_of_rows, gross_of_rows, tax_by_rate, paid_by_payment)
        IS DISTINCT FROM (sums.net, gross, sums.tax, sums.paid);

-- invariant: every_settled_line_is_on_one_document
-- A document holds the lines of its folio that its payload names. Of a settlement each line is on
-- one, unless only money moved: every line of a closed folio, and those of an open one that were
-- there when it was reopened. No other line is on a document.
WITH named AS (
  SELECT invoices.id AS invoice_id, line_id, folio_id
  FROM invoices
  CROSS JOIN LATERAL jsonb_array_elements_text(payload::jsonb -> 'lineIds') AS line_id
), settled AS (
  SELECT folio_lines.id AS line_id, folio_id, type, reopened,
         status = 'closed' OR sequence <= billed_to AS is_settled
  FROM folio_lines
  JOIN folios ON folios.id = folio_id
)
SELECT invoice_id, concat('does not hold ', line_id)
FROM (SELECT invoice_id, line_id FROM named
      EXCEPT SELECT invoice_id, line_id FROM invoice_lines) AS missing
UNION ALL
SELECT invoice_id, concat('holds ', line_id)
FROM (SELECT invoice_id, line_id FROM invoice_lines
      EXCEPT SELECT invoice_id, line_id FROM named JOIN settled USING (line_id, folio_id)
             WHERE is_settled) AS more
UNION ALL
SELECT folio_id, concat(line_id, ' is on no document')
FROM settled
LEFT JOIN invoice_lines USING (line_id)
WHERE is_settled
  AND invoice_id IS NULL
  AND NOT (reopened > 0
    AND type IN ('payment', 'refund', 'refund_reversal', 'deposit_transfer'));

-- invariant: a_person_fits_the_commitment
-- The person beside an invoice is the one that its payload commits to, unless it was erased.
SELECT invoice_id, 'the person is not the one that the payload commits to'
FROM invoices
LEFT JOIN invoice_persons ON invoice_id = id
CROSS JOIN LATERAL (
  SELECT string_agg(to_json(each)::text, ',' ORDER BY place) AS address
  FROM jsonb_array_elements_text(coalesce(document -> 'addressLines', '[]'))
    WITH ORDINALITY AS lines (each, place)
) AS written
WHERE erased_at IS NULL
  AND encode(sha256(salt || convert_to(concat(
        '{"addressLines":[', address, ']',
        CASE WHEN document ? 'country' THEN concat(',"country":', to_json(document ->> 'country')) END,
        ',"name":', to_json(document ->> 'name'), ',"taxId":',
        coalesce(to_json(document ->> 'taxId')::text, 'null'), '}'), 'UTF8')), 'hex')
      IS DISTINCT FROM payload::jsonb #>> '{customer,commitment}'
   OR erased_at IS NOT NULL AND num_nonnulls(salt, document) > 0;

-- invariant: an_invoice_is_drawn_or_waits_to_be
-- An invoice has its PDF or stands in the queue for it; what was drawn is signed, and copies are
-- numbered from 0.
SELECT invoices.id, concat_ws(' ', coalesce(copies, 0), 'copies, the last is', last_copy,
  CASE WHEN render_queue.invoice_id IS NOT NULL THEN 'and it waits' END)
FROM invoices
LEFT JOIN render_queue ON render_queue.invoice_id = invoices.id
LEFT JOIN invoice_signatures ON invoice_signatures.invoice_id = invoices.id
LEFT JOIN (
  SELECT invoice_id, count(*) AS copies, max(copy) AS last_copy
  FROM invoice_renditions
  GROUP BY invoice_id
) AS drawn ON drawn.invoice_id = invoices.id
WHERE (copies IS NULL) <> (render_queue.invoice_id IS NOT NULL)
   OR copies <> last_copy + 1
   OR copies > 0 AND invoice_signatures.invoice_id IS NULL;

-- invariant: an_invoice_is_what_its_trail_digested
-- A document has an audit entry for its issue, one for each copy and each time that it was sent, and
-- one if it was voided; it is as the last of them left it.
SELECT coalesce(invoices.id, last.aggregate_id), concat(coalesce(copies, 0), ' copies, ',
  coalesce(sequence, 0), ' entries')
FROM invoices
LEFT JOIN (
  SELECT invoice_id, count(*) AS copies
  FROM invoice_renditions
  GROUP BY invoice_id
) AS drawn ON drawn.invoice_id = invoices.id
FULL JOIN (
  SELECT DISTINCT ON (aggregate_id) aggregate_id, sequence, digest_after
  FROM audit_entries
  WHERE aggregate_kind IN ('invoice', 'credit_note')
  ORDER BY aggregate_id, sequence DESC
) AS last ON aggregate_id = invoices.id
LEFT JOIN invoice_credits ON invoice_credits.invoice_id = invoices.id
LEFT JOIN (
  SELECT document_id, count(*) AS times
  FROM sendings
  GROUP BY document_id
) AS sent ON document_id = invoices.id
WHERE sequence IS DISTINCT FROM
        1 + coalesce(copies, 0) + coalesce(times, 0) + (coalesce(status, '') = 'voided')::integer
   OR digest_after IS DISTINCT FROM sha256(convert_to(concat(
  '{"copies":', coalesce(copies, 0), ',"id":', to_json(id), ',"number":', to_json(number),
  ',"payloadSha256":', to_json(encode(payload_sha256, 'hex')),
  ',"signed":', CASE WHEN copies > 0 THEN 'true' ELSE 'false' END, '}'), 'UTF8'));

-- invariant: a_certificate_is_what_its_trail_digested
-- A certificate has one audit entry, which says that it was kept, and is as that left it.
SELECT coalesce(id, aggregate_id), concat_ws(' ', 'of', key_version, 'entry', sequence)
FROM signing_certificates
FULL JOIN (
  SELECT aggregate_id, sequence, digest_after
  FROM audit_entries
  WHERE aggregate_kind = 'signing_certificate'
) AS told ON aggregate_id = id
WHERE sequence IS DISTINCT FROM 1
   OR digest_after IS DISTINCT FROM sha256(convert_to(concat(
  '{"id":', to_json(id), ',"keyVersion":', to_json(key_version), ',"own":', to_json(own),
  ',"sha256":', to_json(encode(sha256, 'hex')), '}'), 'UTF8'));
