-- Events, told and heard, and stored answers.

-- note: events
-- as: drainer
-- Of each aggregate: its oldest event that is still there, and a digest of all from there on.
SELECT coalesce(jsonb_agg(jsonb_build_object('key', key, 'first', first, 'digest', digest)), '[]')
FROM (
  SELECT ordering_key AS key, min(sequence) AS first,
         md5(string_agg(
           concat_ws(' ', sequence, event_type, md5((event::jsonb -> 'data')::text)), ','
           ORDER BY sequence, id)) AS digest
  FROM billing_central.outbox
  WHERE tenant_id = billing_central.current_tenant()
  GROUP BY ordering_key
) AS told;

-- invariant: every_fact_has_its_event
-- Each fact that is published has one event that says the same. Events that were published and then
-- deleted for their age, the oldest of an aggregate first, are not missed.
WITH facts AS (
  SELECT aggregate_id AS key, sequence, recorded_at,
         concat_ws(' ', sequence, concat('melmastoon.billing.', action, '.v1'),
           md5((detail::jsonb)::text)) AS fact
  FROM audit_entries
  WHERE detail <> '{}'
), told AS (
  SELECT *
  FROM jsonb_to_recordset(current_setting('books.events')::jsonb)
    AS told (key text, first bigint, digest text)
), kept AS (
  SELECT key, first, digest, md5(string_agg(fact, ',' ORDER BY sequence)) AS expected
  FROM told
  LEFT JOIN facts USING (key)
  WHERE sequence IS NULL OR sequence >= first
  GROUP BY key, first, digest
)
SELECT key, concat('the events from ', first, ' on are not those of the trail')
FROM kept
WHERE digest IS DISTINCT FROM expected
UNION ALL
SELECT key, concat('fact ', sequence, ' has no event')
FROM facts
LEFT JOIN told USING (key)
WHERE recorded_at > now() - interval '7 days'
  AND (first IS NULL OR sequence < first);

-- invariant: events_of_an_aggregate_are_in_order
-- as: drainer
-- The events of an aggregate stand in one shard in the order of their facts, and none is published
-- before the one in front of it.
SELECT ordering_key, concat('event ', sequence, ' does not follow the one before it')
FROM (
  SELECT ordering_key, sequence, shard, published_at, lag(sequence) OVER line AS sequence_before,
         lag(shard) OVER line AS shard_before, lag(published_at) OVER line AS published_before
  FROM (
    SELECT ordering_key, sequence, shard, published_at, id
    FROM billing_central.outbox
    WHERE tenant_id = billing_central.current_tenant()
  ) AS told
  WINDOW line AS (PARTITION BY ordering_key ORDER BY id)
) AS events
WHERE sequence <= sequence_before
   OR shard <> shard_before
   OR (published_at IS NOT NULL AND published_before IS NULL AND sequence_before IS NOT NULL);

-- invariant: an_event_says_what_its_row_says
-- as: drainer
-- An event in the outbox is of the tenant, the aggregate, the place and the type that its row says.
SELECT event_id, 'is not the event of its row'
FROM billing_central.outbox
CROSS JOIN LATERAL CAST(event AS jsonb) AS document
WHERE tenant_id = billing_central.current_tenant()
  AND (document ->> 'id', document ->> 'type', document ->> 'subject', document ->> 'sequence',
       document ->> 'tenantid', document ->> 'source')
        IS DISTINCT FROM
      (event_id, event_type, ordering_key, sequence::text,
       tenant_id::text, concat('/billing/tenants/', tenant_id));

-- invariant: what_an_event_did_is_noted_with_it
-- What another service's event brought about was committed together with the note that it was taken.
-- Notes that were deleted for their age are not missed, and a refused event has none.
SELECT aggregate_id, concat('entry ', sequence, ' of ', actor, ' has no event')
FROM audit_entries
WHERE starts_with(actor, 'system:on_')
  AND aggregate_kind <> 'actor'
  AND recorded_at > now() - interval '7 days'
  AND NOT EXISTS (
    SELECT FROM inbox
    WHERE inbox.recorded_at = audit_entries.recorded_at
      AND consumer = substr(actor, length('system:') + 1));

-- invariant: an_answer_speaks_of_what_there_is
-- The folio, the lines, the settlement and the invoice that a stored answer names are there.
WITH answers AS MATERIALIZED (
  SELECT encode(key_hash, 'hex') AS key, function,
         CASE WHEN body IS JSON OBJECT THEN body::jsonb END AS body
  FROM idempotency_keys
), named AS (
  SELECT key, function, path, jsonb_path_query(body, path::jsonpath) #>> '{}' AS id
  FROM answers
  CROSS JOIN (VALUES ('$.**.folioId'), ('$.**.lineId'), ('$.**.settlementId'), ('$.**.invoiceId'),
              ('$.**.creditNoteId'), ('$.**.refundId'), ('$.**.paymentId'),
              ('$.**.reconciliationId'), ('$.**.companyAccountId'), ('$.**.receiptId'),
              ('$.**.allocationId'), ('$.**.writeOffId'), ('$.**.setOffId'), ('$.**.entryId'),
              ('$.**.lotId'), ('$.**.holdId'), ('$.**.subscriptionId'), ('$.**.planVersionId'),
              ('$.**.platformTaxRulesId'))
    AS paths (path)
), there AS (
  SELECT id FROM folios
  UNION ALL
  SELECT id FROM folio_lines
  UNION ALL
  SELECT id FROM settlements
  UNION ALL
  SELECT id FROM refunds
  UNION ALL
  SELECT id FROM billing_central.subscription_refunds
  UNION ALL
  SELECT id FROM reconciliations
  UNION ALL
  SELECT id FROM company_accounts
  UNION ALL
  SELECT id FROM account_credits
  UNION ALL
  SELECT id FROM receivable_allocations
  UNION ALL
  SELECT id FROM write_offs
  UNION ALL
  SELECT id FROM credit_ledger_entries
  UNION ALL
  SELECT id FROM credit_lots
  UNION ALL
  SELECT id FROM credit_holds
  UNION ALL
  SELECT id FROM invoices
  UNION ALL
  SELECT id FROM billing_central.subscription_invoices
  UNION ALL
  SELECT id FROM billing_central.subscriptions
  UNION ALL
  SELECT id FROM billing_central.plan_versions
  UNION ALL
  SELECT id FROM billing_central.platform_tax_rules
)
SELECT key, concat(function, ' answered ', named.id)
FROM named
LEFT JOIN there ON there.id = named.id
WHERE named.id IS NOT NULL
  AND there.id IS NULL;
