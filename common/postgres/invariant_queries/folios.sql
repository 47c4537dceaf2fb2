-- A folio's lines, its charges with their taxes, and how it closes.

-- invariant: balance_is_the_sum_of_the_lines
-- A folio's balance is the sum of its lines.
SELECT folios.id, concat('balance ', balance_micro, ', lines ', coalesce(lines.micro, 0))
FROM folios
LEFT JOIN (
  SELECT folio_id, sum(amount_micro) AS micro
  FROM folio_lines
  GROUP BY folio_id
) AS lines ON lines.folio_id = folios.id
WHERE balance_micro <> coalesce(lines.micro, 0);

-- invariant: lines_are_numbered_without_a_gap
-- The lines of a folio are numbered from 1 to its last line, each number once.
SELECT folios.id, concat(coalesce(lines.places, 0), ' lines, the last is ', last_line)
FROM folios
LEFT JOIN (
  SELECT folio_id, count(*) AS places, count(DISTINCT sequence) AS numbers,
         min(sequence) AS first, max(sequence) AS last
  FROM folio_lines
  GROUP BY folio_id
) AS lines ON lines.folio_id = folios.id
WHERE (last_line, last_line, last_line, 1)
        IS DISTINCT FROM (lines.places, lines.numbers, lines.last, lines.first)
  AND NOT (last_line = 0 AND lines.folio_id IS NULL);

-- invariant: a_folio_keeps_one_currency
-- All lines, payments, refunds, settlements and invoices of a folio are in its currency.
SELECT others.id, concat(others.currency, ' on a folio in ', folios.currency)
FROM folios
JOIN (
  SELECT id, folio_id, currency FROM folio_lines
  UNION ALL
  SELECT id, folio_id, currency FROM payments
  UNION ALL
  SELECT id, folio_id, currency FROM refunds
  UNION ALL
  SELECT id, folio_id, currency FROM settlements
  UNION ALL
  SELECT id, folio_id, currency FROM invoices
) AS others ON others.folio_id = folios.id AND others.currency <> folios.currency;

-- invariant: states_and_kinds_are_known
-- Every state, type and method is one of the allowed ones, and a folio's window is one of its own.
SELECT id, concat('folio ', status, ', window ', window_name)
FROM folios
WHERE status NOT IN ('open', 'closed')
   OR NOT windows ? window_name
UNION ALL
SELECT id, concat_ws(' ', 'line', type, kind, source)
FROM folio_lines
WHERE type NOT IN ('charge', 'tax', 'payment', 'adjustment', 'void', 'rounding', 'refund',
    'refund_reversal', 'deposit_transfer')
   OR source NOT IN ('pos', 'pms', 'manual')
UNION ALL
SELECT id, concat('payment by ', method)
FROM payments
WHERE method NOT IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'voucher', 'city_ledger',
    'credits')
UNION ALL
SELECT refund_id, concat('refund ', status)
FROM refund_settlements
WHERE status NOT IN ('succeeded', 'failed')
UNION ALL
SELECT id, concat('company account ', status)
FROM company_accounts
WHERE status NOT IN ('active', 'on_hold', 'closed')
UNION ALL
SELECT id, concat('credit by ', kind)
FROM account_credits
WHERE kind NOT IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'refund', 'credit_note',
  'disputed', 'dispute_won', 'refunded_there', 'refund_failed')
UNION ALL
SELECT id, concat('document ', document_type)
FROM invoices
WHERE document_type NOT IN ('invoice', 'credit_note')
UNION ALL
SELECT invoice_id, concat('invoice ', status)
FROM invoice_credits
WHERE status NOT IN ('issued', 'credited', 'voided');

-- invariant: a_correction_stays_on_its_charge
-- Charges, their taxes, adjustments and voids name a charge of the same folio; nothing else does. A
-- charge that stands in for another one names a line of it, which has been voided. Of the others
-- only refunds and their reversals correct anything.
SELECT lines.id, concat_ws(' ', lines.type, 'names', lines.charge_id, 'corrects', lines.corrects)
FROM folio_lines AS lines
LEFT JOIN (SELECT * FROM folio_lines WHERE type = 'charge' AND charge_id = id) AS charges
  ON charges.id = lines.charge_id AND charges.folio_id = lines.folio_id
LEFT JOIN (SELECT corrects, folio_id FROM folio_lines WHERE type = 'void') AS voids
  ON voids.corrects = lines.corrects AND voids.folio_id = lines.folio_id
WHERE (lines.type IN ('charge', 'tax', 'adjustment', 'void')) <> (charges.id IS NOT NULL)
   OR CASE lines.type WHEN 'void' THEN lines.corrects IS NULL
                      WHEN 'adjustment' THEN lines.corrects IS DISTINCT FROM lines.charge_id
                      WHEN 'tax' THEN lines.corrects <> lines.charge_id
                      WHEN 'charge' THEN lines.corrects IS NOT NULL AND voids.corrects IS NULL
                      WHEN 'refund' THEN lines.corrects IS NULL
                      WHEN 'refund_reversal' THEN lines.corrects IS NULL
                      ELSE lines.corrects IS NOT NULL END;

-- invariant: a_void_reverses_its_whole_charge
-- A charge is voided once and as a whole: every line of it once, and the price comes to nothing.
SELECT charge_id, concat(voids, ' voids of ', voided, ' among ', others, ' lines, left ', price)
FROM (
  SELECT charge_id,
         count(*) FILTER (WHERE type = 'void') AS voids,
         count(DISTINCT corrects) FILTER (WHERE type = 'void') AS voided,
         count(*) FILTER (WHERE type <> 'void') AS others,
         sum(amount_micro) FILTER (WHERE tax IS NULL OR (tax ->> 'inclusive')::boolean) AS price
  FROM folio_lines
  GROUP BY folio_id, charge_id
) AS charges
WHERE voids > 0
  AND (voids <> others OR voided <> voids OR price <> 0);

-- invariant: a_void_mirrors_the_line_it_corrects
-- A void is the opposite of the line it names. Where tax is rounded per invoice its exact amount is.
SELECT voids.id, concat_ws(' ', 'corrects', voids.corrects, voids.amount_micro, 'of',
  lines.amount_micro)
FROM folio_lines AS voids
LEFT JOIN folio_lines AS lines ON lines.id = voids.corrects
WHERE voids.type = 'void'
  AND ((lines.folio_id, lines.charge_id, lines.kind, lines.window_name, lines.tax ->> 'code')
         IS DISTINCT FROM
       (voids.folio_id, voids.charge_id, voids.kind, voids.window_name, voids.tax ->> 'code')
    OR lines.type NOT IN ('charge', 'tax', 'adjustment')
    OR (lines.tax ->> 'exactMicro')::bigint + (voids.tax ->> 'exactMicro')::bigint <> 0
    OR lines.amount_micro + voids.amount_micro <> 0
       AND coalesce(lines.tax ->> 'exactMicro' = lines.tax ->> 'amountMicro', false)
       AND voids.tax ->> 'exactMicro' = voids.tax ->> 'amountMicro');

-- invariant: a_charge_never_comes_to_less_than_nothing
-- Adjustments take away what a charge came to, and not more.
SELECT charge_id, concat('comes to ', sum(amount_micro))
FROM folio_lines
WHERE charge_id IS NOT NULL
  AND (tax IS NULL OR (tax ->> 'inclusive')::boolean)
GROUP BY folio_id, charge_id
HAVING sum(amount_micro) < 0;

-- invariant: tax_sums_are_those_of_the_tax_lines
-- The running sums of an open folio's taxes are those of its lines that are on no document yet; a
-- closed folio has none left.
WITH posted AS (
  SELECT folio_id, concat_ws('|', tax ->> 'code', coalesce(tax ->> 'ratePpm', 'None'),
           tax ->> 'category', CASE WHEN (tax ->> 'inclusive')::boolean THEN 'inside' END) AS tax,
         sum((tax ->> 'exactMicro')::bigint) AS exact, sum(amount_micro) AS micro
  FROM folio_lines
  JOIN folios ON folios.id = folio_id
  WHERE tax IS NOT NULL AND sequence > billed_to
  GROUP BY 1, 2
), kept AS (
  SELECT id AS folio_id, sums.key AS tax, (sums.value ->> 0)::bigint AS exact,
         (sums.value ->> 1)::bigint AS micro
  FROM folios
  CROSS JOIN LATERAL jsonb_each(tax_sums) AS sums
)
SELECT folio_id, concat(tax, ': kept ', kept.micro, ', posted ', posted.micro)
FROM posted
FULL JOIN kept USING (folio_id, tax)
JOIN folios ON folios.id = folio_id
WHERE CASE WHEN status = 'closed' THEN kept.tax IS NOT NULL
           ELSE (kept.exact, kept.micro) IS DISTINCT FROM (posted.exact, posted.micro) END;

-- invariant: a_line_names_settings_that_there_were
-- Settings are numbered without a gap, and each line names a version of them.
SELECT version::text, 'the versions of the settings have a gap before this one'
FROM (SELECT version, lag(version, 1, 0::bigint) OVER (ORDER BY version) AS before
      FROM settings_versions) AS versions
WHERE version <> before + 1
UNION ALL
SELECT id, concat('names version ', settings_version)
FROM folio_lines
LEFT JOIN settings_versions ON version = settings_version
WHERE version IS NULL;

-- invariant: a_closed_folio_is_settled_and_billed
-- A folio closes at zero with a settlement, each time that it closes; the first one is billed by an
-- invoice, a later one by at most one document. A folio that was never closed has neither.
SELECT folios.id, concat_ws(' ', status, 'at', balance_micro, 'reopened', reopened, 'with', settled,
  'settlements,', invoiced, 'invoices,', credited, 'credit notes, closed at', closed_at)
FROM folios
LEFT JOIN (
  SELECT folio_id, count(*) AS settled, count(invoice.id) AS invoiced, count(note.id) AS credited,
         count(*) FILTER (WHERE (invoice.id IS NOT NULL)::int + (note.id IS NOT NULL)::int > 1)
           AS doubled
  FROM settlements
  LEFT JOIN (
    SELECT id, payload::jsonb ->> 'settlementId' AS settlement_id
    FROM invoices
    WHERE document_type = 'invoice'
  ) AS invoice ON invoice.settlement_id = settlements.id
  LEFT JOIN credit_notes AS note ON note.settlement_id = settlements.id
  GROUP BY folio_id
) AS closings ON folio_id = folios.id
LEFT JOIN (
  SELECT folio_id, count(*) AS issued
  FROM invoices
  WHERE document_type = 'invoice'
  GROUP BY folio_id
) AS documents ON documents.folio_id = folios.id
WHERE (coalesce(settled, 0), coalesce(invoiced, 0))
        IS DISTINCT FROM (reopened + (status = 'closed')::int, coalesce(issued, 0))
   OR doubled > 0
   OR (settled > 0) <> coalesce(invoiced > 0, false)
   OR (closed_at IS NULL) = (status = 'closed')
   OR status = 'closed' AND balance_micro <> 0;

-- invariant: a_settlement_is_what_the_lines_come_to
-- The settlements of a folio say what was consumed, what was kept of the payments, and the residual
-- that was rounded away: all of it, of the lines that were settled.
SELECT folios.id, concat_ws(' ', 'says', said.charges, said.payments, said.residual, 'of',
  charged, paid, rounded)
FROM folios
LEFT JOIN (
  SELECT folio_id, sum(charges_micro) AS charges, sum(payments_micro) AS payments,
         sum(residual_micro) AS residual
  FROM settlements
  GROUP BY folio_id
) AS said ON said.folio_id = folios.id
LEFT JOIN (
  SELECT folio_id,
         sum(amount_micro) FILTER (WHERE type NOT IN
           ('payment', 'refund', 'refund_reversal', 'deposit_transfer', 'rounding')) AS charged,
         -sum(amount_micro) FILTER (WHERE type IN
           ('payment', 'refund', 'refund_reversal', 'deposit_transfer')) AS paid,
         -sum(amount_micro) FILTER (WHERE type = 'rounding') AS rounded
  FROM folio_lines
  JOIN folios ON folios.id = folio_id
  WHERE status = 'closed' OR sequence <= billed_to
  GROUP BY folio_id
) AS lines ON lines.folio_id = folios.id
WHERE (coalesce(said.charges, 0), coalesce(said.payments, 0), coalesce(said.residual, 0))
        IS DISTINCT FROM (coalesce(charged, 0), coalesce(paid, 0), coalesce(rounded, 0));

-- invariant: a_folio_knows_how_often_it_was_reopened
-- Each time that a folio was opened again is written down, in order; the last says what was billed.
SELECT id, concat_ws(' ', 'reopened', reopened, 'from', billed_to, 'written', numbers, 'last', last)
FROM folios
LEFT JOIN (
  SELECT folio_id, array_agg(number ORDER BY number) AS numbers, max(billed_to) AS last,
         array_agg(billed_to ORDER BY number) = array_agg(billed_to ORDER BY billed_to, number)
           AS ascending
  FROM reopenings
  GROUP BY folio_id
) AS reopened_as ON folio_id = id
WHERE (coalesce(numbers, '{}'), coalesce(last, 0), coalesce(ascending, true))
        IS DISTINCT FROM
      (ARRAY(SELECT generate_series(1, reopened)), billed_to, true);

-- invariant: a_folio_is_what_its_trail_digested
-- The state that a folio's trail digested is the one that it is in.
SELECT id, concat('is ', status, ' at ', balance_micro, ' with ', last_line, ' lines')
FROM folios
WHERE state_digest <> sha256(convert_to(concat(
  '{"balanceMicro":', balance_micro,
  CASE WHEN reopened > 0 THEN concat(',"billedTo":', billed_to) END,
  ',"currency":', to_json(currency), ',"id":', to_json(id),
  ',"lastLine":', last_line, ',"propertyId":', to_json(property_id),
  CASE WHEN reopened > 0 THEN concat(',"reopened":', reopened) END,
  ',"reservationId":', coalesce(to_json(reservation_id)::text, 'null'),
  ',"status":', to_json(status), ',"window":', to_json(window_name), '}'), 'UTF8'));

-- invariant: a_trail_begins_and_ends_as_its_folio_did
-- A folio's trail begins with its opening; it ends with its closing when, and only when, it closed,
-- and tells of each closing and each opening again. What came back of a refund meanwhile, beside a
-- closed folio and without a line, may stand behind that.
SELECT folios.id, concat_ws(' ', status, 'from', first, 'to', last, closings, reopenings)
FROM folios
JOIN (
  SELECT aggregate_id, (array_agg(action ORDER BY sequence))[1] AS first,
         (array_agg(action ORDER BY sequence DESC) FILTER (WHERE NOT (
           action = 'refund.came_back' AND detail::jsonb -> 'lines' = '[]')))[1] AS last,
         count(*) FILTER (WHERE action = 'folio.closed') AS closings,
         count(*) FILTER (WHERE action = 'folio.reopened') AS reopenings
  FROM audit_entries
  GROUP BY aggregate_id
) AS trails ON aggregate_id = folios.id
WHERE first <> 'folio.opened'
   OR (closings, reopenings) <> (reopened + (status = 'closed')::integer, reopened)
   OR (status = 'closed') <> (last = 'folio.closed');

-- invariant: every_line_is_told_once
-- Every line of a folio is told by one audit entry of it, with its amount.
WITH told AS (
  SELECT aggregate_id AS folio_id, line ->> 'lineId' AS id, line ->> 'sequence' AS sequence,
         line ->> 'type' AS type, line #>> '{amount,amountMicro}' AS micro,
         line #>> '{amount,currency}' AS currency
  FROM audit_entries
  CROSS JOIN LATERAL jsonb_array_elements(detail::jsonb -> 'lines') AS line
  WHERE aggregate_kind = 'folio'
), written AS (
  SELECT folio_id, id, sequence::text, type, amount_micro::text, currency
  FROM folio_lines
)
SELECT id, concat_ws(' ', 'is not told:', type, amount_micro, currency)
FROM (SELECT * FROM written EXCEPT ALL SELECT * FROM told) AS untold
UNION ALL
SELECT id, concat_ws(' ', 'is told:', type, micro, currency)
FROM (SELECT * FROM told EXCEPT ALL SELECT * FROM written) AS unwritten;
