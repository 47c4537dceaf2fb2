-- The audit trail.

-- invariant: a_trail_is_numbered_without_a_gap
-- The audit entries of an aggregate are numbered from 1, each number once.
SELECT aggregate_id, concat(count(*), ' entries, from ', min(sequence), ' to ', max(sequence))
FROM audit_entries
GROUP BY aggregate_kind, aggregate_id
HAVING min(sequence) <> 1
    OR max(sequence) <> count(*)
    OR count(DISTINCT sequence) <> count(*);

-- invariant: an_entry_names_what_came_before
-- An audit entry names the hash of the one before it, and the state that it left.
SELECT aggregate_id, concat('entry ', sequence, ' does not follow the one before it')
FROM (
  SELECT aggregate_id, sequence, previous_hash, digest_before,
         lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER trail AS hash_before,
         lag(digest_after) OVER trail AS state_before
  FROM audit_entries
  WINDOW trail AS (PARTITION BY aggregate_kind, aggregate_id ORDER BY sequence, id)
) AS entries
WHERE (previous_hash, digest_before) IS DISTINCT FROM (hash_before, state_before);

-- invariant: an_entry_fits_its_hash
-- The hash of an audit entry covers all that it says (RFC 8785 over its fields, SHA-256).
WITH written AS (
  SELECT aggregate_id, sequence, hash, concat(
    '{"action":', to_json(action), ',"actor":', to_json(actor),
    ',"aggregate_id":', to_json(aggregate_id), ',"aggregate_kind":', to_json(aggregate_kind),
    ',"assertion_hash":', coalesce(to_json(assertion_hash)::text, 'null'),
    ',"auth_strength":', to_json(auth_strength), ',"detail":', to_json(detail),
    ',"digest_after":', to_json(encode(digest_after, 'hex')),
    ',"digest_before":', coalesce(to_json(encode(digest_before, 'hex'))::text, 'null'),
    ',"id":', to_json(id), ',"occurred_at":"', occurred.text,
    '","previous_hash":', to_json(encode(previous_hash, 'hex')),
    ',"reason":', coalesce(to_json(reason)::text, 'null'),
    ',"recorded_at":"', recorded.text, '","sequence":', sequence,
    ',"step_up_token_id":', coalesce(to_json(step_up_token_id)::text, 'null'),
    ',"trace_id":', to_json(trace_id), '}') AS entry
  FROM audit_entries
  CROSS JOIN LATERAL (SELECT replace(to_char(occurred_at AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), '.000000', '') AS text) AS occurred
  CROSS JOIN LATERAL (SELECT replace(to_char(recorded_at AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), '.000000', '') AS text) AS recorded
)
SELECT aggregate_id, concat('entry ', sequence, ' is not as it was written')
FROM written
WHERE hash <> sha256(convert_to(entry, 'UTF8'));

-- invariant: an_aggregate_stands_where_its_trail_ended
-- The version, the trail and the state of whatever changes as a whole are those that its last audit
-- entry left.
WITH standing AS (
  SELECT 'folio' AS kind, id, version, trail, state_digest FROM folios
  UNION ALL
  SELECT 'cash_drawer', id, version, trail, state_digest FROM cash_drawers
  UNION ALL
  SELECT 'cash_session', id, version, trail, state_digest FROM cash_sessions
  UNION ALL
  SELECT 'night_audit', id, version, trail, state_digest FROM night_audits
  UNION ALL
  SELECT 'ai_signal', id, version, trail, state_digest FROM ai_signals
  UNION ALL
  SELECT 'reconciliation', id, version, trail, state_digest FROM reconciliations
  UNION ALL
  SELECT 'company_account', id, version, trail, state_digest FROM company_accounts
  UNION ALL
  SELECT 'credit_account', id, version, trail, state_digest FROM credit_accounts WHERE version > 0
  UNION ALL
  SELECT 'credit_purchase', id, version, trail, state_digest FROM credit_purchases
  UNION ALL
  SELECT 'auto_top_up', id, version, trail, state_digest FROM credit_top_ups
  UNION ALL
  SELECT 'dispute', id, version, trail, state_digest FROM payment_disputes
  UNION ALL
  SELECT 'late_refund', id, version, trail, state_digest FROM late_refunds
  UNION ALL
  SELECT 'returned_payment', id, version, trail, state_digest FROM returned_payments
  UNION ALL
  SELECT 'processor_difference', id, version, trail, state_digest FROM processor_differences
  UNION ALL
  SELECT 'subscription', id, version, trail, state_digest FROM billing_central.subscriptions
  WHERE tenant_id = billing_central.current_tenant()
  UNION ALL
  SELECT 'subscription_refund', id, version, trail, state_digest
  FROM billing_central.subscription_refunds
  WHERE tenant_id = billing_central.current_tenant()
  UNION ALL
  SELECT 'subscription_payment', id, version, trail, state_digest
  FROM billing_central.subscription_payments
  WHERE tenant_id = billing_central.current_tenant()
  UNION ALL
  SELECT 'subscription_collection', id, version, trail, state_digest
  FROM billing_central.subscription_collections
  WHERE tenant_id = billing_central.current_tenant()
  UNION ALL
  SELECT 'platform_incident', id, version, trail, state_digest
  FROM billing_central.platform_incidents
  WHERE office = billing_central.current_tenant()
  UNION ALL
  SELECT 'customer', id, version, trail, state_digest FROM customers
  UNION ALL
  SELECT 'payment_method', id, version, trail, state_digest FROM payment_methods
  UNION ALL
  SELECT 'payment_intent', id, version, trail, state_digest FROM payment_intents
  UNION ALL
  SELECT 'review', id, version, trail, state_digest FROM reviews
  UNION ALL
  SELECT 'payout', id, version, trail, state_digest FROM payouts
  UNION ALL
  SELECT 'payout_account', id, version, trail, state_digest FROM payout_accounts
)
SELECT coalesce(id, aggregate_id), concat_ws(' ', coalesce(kind, aggregate_kind), 'at version',
  version, 'after entry', sequence)
FROM standing
FULL JOIN (
  SELECT DISTINCT ON (aggregate_kind, aggregate_id) aggregate_kind, aggregate_id, sequence, hash,
         digest_after
  FROM audit_entries
  WHERE aggregate_kind IN ('folio', 'cash_drawer', 'cash_session', 'night_audit', 'ai_signal',
    'reconciliation', 'company_account', 'credit_account', 'dispute', 'late_refund',
    'returned_payment', 'processor_difference', 'subscription', 'customer', 'payment_method', 'payment_intent',
    'credit_purchase', 'auto_top_up', 'review', 'payout', 'payout_account',
    'subscription_payment', 'subscription_refund', 'subscription_collection', 'platform_incident')
  ORDER BY aggregate_kind, aggregate_id, sequence DESC
) AS last ON aggregate_id = id AND aggregate_kind = kind
WHERE (version, trail, state_digest) IS DISTINCT FROM (sequence, hash, digest_after);

-- invariant: a_confirmation_serves_one_deed
-- A step-up token that was used stands in the audit entries of one transaction, of its own actor.
SELECT uses.token_id, concat_ws(' ', 'used by', uses.actor, 'for', deeds, 'deeds by', deeds.actor)
FROM billing_central.step_up_uses AS uses
LEFT JOIN (
  SELECT step_up_token_id AS token_id, count(DISTINCT recorded_at) AS deeds,
         min(actor) AS actor, max(actor) AS last_actor,
         min(assertion_hash) AS assertion_hash
  FROM audit_entries
  WHERE step_up_token_id IS NOT NULL
  GROUP BY step_up_token_id
) AS deeds ON deeds.token_id = uses.token_id
WHERE uses.tenant_id = billing_central.current_tenant()
  AND (deeds, deeds.actor, last_actor, deeds.assertion_hash)
        IS DISTINCT FROM (1, uses.actor, uses.actor, uses.assertion_hash);
