-- What the comparisons at night found, and what was made of it.

-- invariant: a_reconciliation_says_what_it_found
-- A business date of a property is reconciled once. It is a mismatch, or answered for by somebody,
-- when and only when it holds differences; it is unknown only where the processor did not answer.
SELECT id, concat_ws(' ', status, 'with', jsonb_array_length(differences), 'differences, answered',
  processor_answered, 'resolved by', resolved_by)
FROM reconciliations
WHERE status NOT IN ('matched', 'mismatch', 'resolved', 'unknown')
   OR (status IN ('mismatch', 'resolved')) <> (jsonb_array_length(differences) > 0)
   OR status = 'unknown' AND processor_answered
   OR num_nonnulls(resolved_by, resolved_at, reason) <> CASE status WHEN 'resolved' THEN 3 ELSE 0 END
   OR last_run_at < first_run_at
UNION ALL
SELECT min(id), concat(count(*), ' of ', property_id, ' on ', business_date)
FROM reconciliations
GROUP BY property_id, business_date
HAVING count(*) > 1;

-- invariant: a_reconciliation_is_resolved_as_its_trail_says
-- One that is resolved is so by whoever its last audit entry names, at its time and for its reason.
SELECT reconciliations.id, concat_ws(' ', status, 'by', resolved_by, 'after', action, 'by', actor)
FROM reconciliations
JOIN audit_entries
  ON aggregate_kind = 'reconciliation' AND aggregate_id = reconciliations.id
    AND sequence = version
WHERE (status = 'resolved') <> (action = 'reconciliation.resolved')
   OR status = 'resolved'
      AND (resolved_by, resolved_at, reconciliations.reason)
            IS DISTINCT FROM (actor, occurred_at, audit_entries.reason);

-- invariant: a_reconciliation_is_what_its_trail_digested
-- The state that a reconciliation's trail digested is the one that it is in, each difference in it.
SELECT id, concat(status, ' of ', business_date)
FROM reconciliations
CROSS JOIN LATERAL (
  SELECT concat('[', string_agg(concat(
    '{"about":', value -> 'about', ',"currency":', value -> 'currency',
    ',"expectedMicro":', value -> 'expectedMicro', ',"foundMicro":', value -> 'foundMicro',
    ',"kind":', value -> 'kind', '}'), ',' ORDER BY place), ']') AS text
  FROM jsonb_array_elements(differences) WITH ORDINALITY AS parts (value, place)
) AS found
WHERE state_digest <> sha256(convert_to(concat(
  '{"businessDate":', to_json(business_date), ',"differencesSha256":',
  to_json(encode(sha256(convert_to(text, 'UTF8')), 'hex')), ',"id":', to_json(id),
  ',"propertyId":', to_json(property_id), ',"reason":', coalesce(to_json(reason)::text, 'null'),
  ',"resolvedBy":', coalesce(to_json(resolved_by)::text, 'null'),
  ',"status":', to_json(status), '}'), 'UTF8'));
