-- Lines that moved between folios.

-- invariant: what_moved_was_taken_away
-- A line that came from another folio is the opposite of the line there that it names: it is of the
-- same transfer, property and currency, of the same kind and tax. Prices move to the unit.
WITH sides AS (
  SELECT lines.*, property_id,
         tax - ARRAY['amountMicro', 'baseMicro', 'exactMicro'] AS terms,
         (tax ->> 'exactMicro')::bigint AS exact, (tax ->> 'amountMicro')::bigint AS posted,
         tax IS NULL OR (tax ->> 'inclusive')::boolean AS is_price
  FROM folio_lines AS lines
  JOIN folios ON folios.id = folio_id
  WHERE type <> 'deposit_transfer'
    AND (moved_from IS NOT NULL
      OR lines.id IN (SELECT moved_from FROM folio_lines WHERE moved_from IS NOT NULL))
)
SELECT there.id, concat_ws(' ', there.type, there.kind, there.amount_micro, 'names',
  there.moved_from, here.type, here.kind, here.amount_micro)
FROM sides AS there
LEFT JOIN sides AS here ON here.id = there.moved_from
WHERE there.moved_from IS NOT NULL
  AND ((there.property_id, there.currency, there.kind, there.terms, there.business_date,
        there.reason, there.actor, there.recorded_at)
         IS DISTINCT FROM
       (here.property_id, here.currency, here.kind, here.terms, here.business_date,
        here.reason, here.actor, here.recorded_at)
    OR here.folio_id = there.folio_id
    OR here.type NOT IN ('void', 'adjustment', 'tax')
    OR here.exact + there.exact <> 0
    OR here.amount_micro + there.amount_micro <> 0
       AND here.exact = here.posted AND there.exact = there.posted)
UNION ALL
SELECT there.charge_id, concat('its price differs by ', sum(here.amount_micro + there.amount_micro))
FROM sides AS there
JOIN sides AS here ON here.id = there.moved_from
WHERE there.is_price
GROUP BY there.charge_id
HAVING sum(here.amount_micro + there.amount_micro) <> 0;

-- invariant: what_was_taken_away_is_on_the_other_folio
-- Both folios of a transfer tell of it in one transaction, and each line that one tells is named by
-- one line that the other tells.
WITH told AS (
  SELECT aggregate_id AS folio_id, recorded_at, fact ->> 'fromFolioId' AS source,
         fact ->> 'toFolioId' AS target, line ->> 'lineId' AS id, line ->> 'movedFrom' AS moved_from
  FROM audit_entries
  CROSS JOIN LATERAL CAST(detail AS jsonb) AS fact
  CROSS JOIN LATERAL jsonb_array_elements(fact -> 'lines') AS line
  WHERE action = 'folio.lines_transferred'
), gone AS (
  SELECT * FROM told WHERE folio_id = source AND moved_from IS NULL
), come AS (
  SELECT * FROM told WHERE folio_id = target AND moved_from IS NOT NULL
)
SELECT coalesce(come.id, gone.id), concat_ws(' ', 'from', gone.source, gone.id, 'to', come.target)
FROM gone
FULL JOIN come ON come.moved_from = gone.id
WHERE (gone.source, gone.target, gone.recorded_at)
        IS DISTINCT FROM (come.source, come.target, come.recorded_at)
UNION ALL
SELECT id, concat_ws(' ', 'is told by', folio_id, 'of', source, 'and', target)
FROM told
WHERE (folio_id = source) = (folio_id = target)
   OR (folio_id = target) <> (moved_from IS NOT NULL)
UNION ALL
SELECT lines.id, concat_ws(' ', 'says that it moved from', lines.moved_from)
FROM folio_lines AS lines
LEFT JOIN come ON come.id = lines.id AND come.folio_id = lines.folio_id
WHERE lines.moved_from IS DISTINCT FROM come.moved_from
  AND type <> 'deposit_transfer';
