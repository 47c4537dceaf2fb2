-- What must hold of a tenant's books at any moment, each rule as a question for what breaks it.
--
-- The trust harness asks all of them after every episode, the job check_books every night, and
-- `billing doctor` whenever somebody wants to know (REL-5). Nothing here repairs anything.
--
-- A section begins with a line `-- invariant: name`; the name reads as the rule. `-- as: role` says
-- with whose eyes it looks: `tenant` (its own role and schema, where nothing is said), `drainer`
-- (the outbox of all tenants), `administrator` (past row security, and not looked at by a session
-- that is bound by it). Then comes the rule in a sentence for whoever is called at night, then one
-- query. It answers (what breaks the rule, how); common/postgres/invariants.py counts and cuts them.
--
-- A section `-- note: name` is read before those behind it, which find its text in
-- current_setting('books.name'): what one role sees is handed to another one's question.

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

-- note: strangers
-- as: administrator
-- Of each table in the tenant's schema: how many rows say that they are another tenant's.
DO $$
DECLARE
  found jsonb := '{}';
  place name;
  strangers bigint;
BEGIN
  FOR place IN
    SELECT relname
    FROM pg_class
    JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'tenant_id'
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
  LOOP
    EXECUTE format('SELECT count(*) FROM %I WHERE tenant_id IS DISTINCT FROM $1', place)
      INTO strangers USING billing_central.current_tenant();
    found := found || jsonb_build_object(place, strangers);
  END LOOP;
  PERFORM set_config('books.strangers', found::text, true);
END $$;

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

-- invariant: what_is_paid_ahead_is_a_liability
-- What a folio is in credit by is a deposit in the ledger, and the folio knows it; the guest ledger
-- holds what is owed, and of no folio less than nothing. Only between these two are deposits booked,
-- each time for a line of the folio.
SELECT folios.id, concat_ws(' ', 'balance', balance_micro, 'guest ledger', coalesce(owed, 0),
  'deposits', coalesce(ahead, 0), 'knows of', deposits_micro)
FROM folios
LEFT JOIN (
  SELECT folio_id,
         sum(((debit_account = 'guest_ledger')::integer
           - (credit_account = 'guest_ledger')::integer) * amount_micro) AS owed,
         sum(((credit_account = 'guest_deposits')::integer
           - (debit_account = 'guest_deposits')::integer) * amount_micro) AS ahead
  FROM ledger_entries
  GROUP BY folio_id
) AS ledger ON ledger.folio_id = folios.id
WHERE (greatest(balance_micro, 0), greatest(-balance_micro, 0), deposits_micro)
        IS DISTINCT FROM
      (coalesce(owed, 0), coalesce(ahead, 0), coalesce(ahead, 0))
UNION ALL
SELECT entries.source, concat_ws(' ', debit_account, credit_account, 'of', lines.folio_id)
FROM ledger_entries AS entries
LEFT JOIN folio_lines AS lines ON lines.id = entries.source
WHERE 'guest_deposits' IN (debit_account, credit_account)
  AND ('guest_ledger' NOT IN (debit_account, credit_account)
    OR lines.folio_id IS DISTINCT FROM entries.folio_id);

-- invariant: no_money_is_given_back_and_moved
-- What was paid on a folio, less what was given back or is promised, less what was moved to other
-- folios, is never less than nothing: a refund takes no money that stands on another folio.
SELECT id, concat_ws(' ', 'kept', coalesce(kept, 0), 'moved away', coalesce(moved, 0))
FROM folios
LEFT JOIN (
  SELECT folio_id, sum(amount_micro - refunded_micro) AS kept
  FROM payments
  GROUP BY folio_id
) AS paid ON paid.folio_id = id
LEFT JOIN (
  SELECT folio_id, sum(amount_micro) AS moved
  FROM folio_lines
  WHERE type = 'deposit_transfer'
  GROUP BY folio_id
) AS gone ON gone.folio_id = id
WHERE coalesce(kept, 0) < coalesce(moved, 0);

-- invariant: a_deposit_that_leaves_a_folio_reaches_another
-- A deposit that moved is one line that takes it away and one that names it, on another folio of the
-- property, in the same transaction. Both folios tell of it, and nothing is left in transit.
WITH moved AS (
  SELECT lines.*, property_id, fact ->> 'fromFolioId' AS from_folio,
         fact ->> 'toFolioId' AS to_folio
  FROM folio_lines AS lines
  JOIN folios ON folios.id = folio_id
  LEFT JOIN (
    SELECT aggregate_id, fact, line ->> 'lineId' AS line_id
    FROM audit_entries
    CROSS JOIN LATERAL CAST(detail AS jsonb) AS fact
    CROSS JOIN LATERAL jsonb_array_elements(fact -> 'lines') AS line
    WHERE action = 'folio.deposit_moved'
  ) AS told ON line_id = lines.id AND aggregate_id = folio_id
  WHERE type = 'deposit_transfer'
)
SELECT coalesce(here.id, there.id), concat_ws(' ', 'from', here.folio_id, here.amount_micro, 'to',
  there.folio_id, there.amount_micro)
FROM (SELECT * FROM moved WHERE moved_from IS NULL) AS here
FULL JOIN (SELECT * FROM moved WHERE moved_from IS NOT NULL) AS there ON there.moved_from = here.id
WHERE (here.property_id, here.currency, here.amount_micro, here.business_date, here.reason,
       here.actor, here.recorded_at, here.folio_id, there.folio_id, there.from_folio,
       there.to_folio)
        IS DISTINCT FROM
      (there.property_id, there.currency, -there.amount_micro, there.business_date, there.reason,
       there.actor, there.recorded_at, here.from_folio, here.to_folio, here.folio_id,
       there.folio_id)
   OR here.folio_id = there.folio_id
   OR here.amount_micro <= 0
UNION ALL
SELECT property_id::text, concat_ws(' ', sum(micro), currency, 'in transit')
FROM (
  SELECT property_id, currency, CASE debit_account WHEN 'deposits_in_transit' THEN amount_micro
           ELSE -amount_micro END AS micro
  FROM ledger_entries
  WHERE 'deposits_in_transit' IN (debit_account, credit_account)
) AS entries
GROUP BY property_id, currency
HAVING sum(micro) <> 0;

-- invariant: a_canceled_stay_is_charged_no_night
-- A stay is canceled when its reservation is, once, and only before the guest comes. Unless the
-- guest comes all the same no night of it is charged, and no stay goes on that was canceled.
SELECT stays.folio_id, concat_ws(' ', 'canceled', stays.canceled_at, 'checked in', checked_in_at,
  'charged', charges, 'told', told)
FROM stays
JOIN folios ON folios.id = stays.folio_id
LEFT JOIN (
  SELECT folio_id, count(charge_id) AS charges
  FROM planned_charges
  GROUP BY folio_id
) AS nights ON nights.folio_id = stays.folio_id
LEFT JOIN canceled_reservations AS canceled
  ON canceled.property_id = folios.property_id AND canceled.reservation_id = folios.reservation_id
LEFT JOIN (
  SELECT aggregate_id, count(*) AS told
  FROM audit_entries
  WHERE action = 'folio.stay_canceled'
  GROUP BY aggregate_id
) AS facts ON aggregate_id = stays.folio_id
WHERE stays.canceled_at IS NOT NULL
  AND (stays.canceled_at IS DISTINCT FROM canceled.canceled_at
    OR checked_in_at < stays.canceled_at
    OR checked_in_at IS NULL AND charges > 0)
   OR told > 1
   OR told = 1 AND stays.canceled_at IS NULL AND checked_in_at IS NULL;

-- invariant: only_a_cancellation_refunds_without_a_confirmation
-- A refund that nobody confirmed is of a card, on the folio of a reservation that was canceled, and
-- was promised in the transaction that canceled it.
SELECT refunds.id, concat_ws(' ', method, 'of', folios.reservation_id, 'on', occurred_at)
FROM refunds
JOIN folios ON folios.id = folio_id
LEFT JOIN canceled_reservations AS canceled
  ON canceled.property_id = folios.property_id AND canceled.reservation_id = folios.reservation_id
WHERE num_nonnulls(confirmed_by, step_up_token_id, assertion_hash, step_up_method) < 4
  AND (num_nonnulls(confirmed_by, step_up_token_id, assertion_hash, step_up_method) > 0
    OR method <> 'card'
    OR canceled.canceled_at IS DISTINCT FROM occurred_at);

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
    ('city_ledger', 'city_ledger')) AS clearing (method, clearing) USING (method)
  CROSS JOIN LATERAL (SELECT coalesce('city_ledger:' || company_account_id, clearing,
    concat('cash:', cash_session_id)) AS account) AS a
), booked AS (
  SELECT source, part, folio_id, property_id, debit_account, credit_account, amount_micro,
         currency, business_date
  FROM ledger_entries
  WHERE starts_with(source, 'pay_')
    AND 'guest_deposits' NOT IN (debit_account, credit_account)
)
SELECT source, concat_ws(' ', 'not booked:', debit, credit, micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT source, concat_ws(' ', 'booked:', debit_account, credit_account, amount_micro, currency)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: refunds_are_booked_as_they_were_given_back
-- A refund is booked once, the way of its payment back; one that failed once more, the other way.
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
    ('city_ledger', 'city_ledger')) AS clearing (method, clearing) USING (method)
  CROSS JOIN LATERAL (
    SELECT CASE WHEN part = 1 THEN 'fx_clearing'
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
    AND 'guest_deposits' NOT IN (debit_account, credit_account)
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

-- invariant: a_closed_drawer_is_empty
-- What was counted has been turned in, and what was over or short is booked: nothing is left.
SELECT cash_sessions.id, concat_ws(' ', 'still holds', sum(micro), currency)
FROM cash_sessions
JOIN (
  SELECT cash_session_id, currency,
         CASE debit_account WHEN concat('cash:', cash_session_id) THEN amount_micro
           ELSE -amount_micro END AS micro
  FROM ledger_entries
  WHERE cash_session_id IS NOT NULL
) AS moved ON cash_session_id = cash_sessions.id
WHERE status IN ('closed', 'acknowledged')
GROUP BY cash_sessions.id, currency
HAVING sum(micro) <> 0;

-- invariant: a_count_is_held_against_the_ledger
-- What a session expected when it was counted is what its drawer had come to by then, and what was
-- over or short and turned in at its closing is what the count says.
WITH moved AS (
  SELECT cash_session_id AS id, ledger_entries.currency, COALESCE(kind, 'payment') AS kind,
         CASE debit_account WHEN concat('cash:', cash_session_id) THEN ledger_entries.amount_micro
           ELSE -ledger_entries.amount_micro END AS micro
  FROM ledger_entries
  LEFT JOIN cash_movements ON cash_movements.id = source
  WHERE cash_session_id IS NOT NULL
), found AS (
  SELECT id, currency,
         coalesce(sum(micro) FILTER (WHERE kind NOT IN ('over', 'short', 'turned_in')), 0) AS due,
         coalesce(sum(micro) FILTER (WHERE kind IN ('over', 'short')), 0) AS variance,
         coalesce(-sum(micro) FILTER (WHERE kind = 'turned_in'), 0) AS turned_in
  FROM moved
  GROUP BY id, currency
), said AS (
  SELECT id, currency, status IN ('closed', 'acknowledged') AS is_closed,
         coalesce(sum(micro) FILTER (WHERE what = 'expected'), 0) AS due,
         coalesce(sum(micro) FILTER (WHERE what = 'count'), 0) AS counted
  FROM cash_sessions
  CROSS JOIN LATERAL (
    SELECT 'expected' AS what, value
    FROM jsonb_array_elements(expected)
    UNION ALL
    SELECT 'count', value
    FROM jsonb_array_elements(count)
  ) AS parts
  CROSS JOIN LATERAL (
    SELECT value ->> 'currency' AS currency, (value ->> 'amountMicro')::bigint AS micro
  ) AS amounts
  GROUP BY id, currency, status
)
SELECT id, concat_ws(' ', said.currency, 'expected', said.due, 'counted', counted,
  'ledger', found.due, 'variance', variance, 'turned in', turned_in)
FROM said
LEFT JOIN found USING (id, currency)
WHERE said.due <> coalesce(found.due, 0)
   OR coalesce(variance, 0) <> CASE WHEN is_closed THEN counted - said.due ELSE 0 END
   OR coalesce(turned_in, 0) <> CASE WHEN is_closed THEN counted ELSE 0 END;

-- invariant: a_drawer_is_closed_by_two_and_explained_by_a_third
-- A count is signed by two persons, each with a confirmation of their own; who explains a difference
-- is neither of them; and a drawer has one session at a time.
SELECT id, concat_ws(' ', status, closed_by, co_signer, acknowledged_by)
FROM cash_sessions
WHERE closed_by = co_signer
   OR closing_token_id = step_up_token_id
   OR acknowledged_by IN (closed_by, co_signer)
   OR (status IN ('closed', 'acknowledged')) <> (co_signer IS NOT NULL)
   OR (status = 'acknowledged') <> (acknowledged_by IS NOT NULL)
   OR (status = 'acknowledged' AND NOT discrepancy)
UNION ALL
SELECT drawer_id, concat(count(*), ' sessions at once')
FROM cash_sessions
WHERE status IN ('open', 'pending_close')
GROUP BY drawer_id
HAVING count(*) > 1;

-- invariant: a_signature_is_a_confirmation_that_was_used
-- Whoever counted, confirmed, explained, refunded or wrote something off did so with a step-up token
-- that they used up.
SELECT id, concat_ws(' ', signer, 'used no token', token_id)
FROM cash_sessions
CROSS JOIN LATERAL (VALUES
  (closed_by, closing_token_id, closing_assertion_hash),
  (co_signer, step_up_token_id, assertion_hash),
  (acknowledged_by, acknowledging_token_id, acknowledging_assertion_hash)
) AS signatures (signer, token_id, proof)
WHERE token_id IS NOT NULL
  AND NOT EXISTS (
    SELECT FROM billing_central.step_up_uses AS uses
    WHERE uses.token_id = signatures.token_id
      AND uses.actor = signer
      AND uses.assertion_hash = proof)
UNION ALL
SELECT id, concat_ws(' ', confirmed_by, 'used no token', step_up_token_id)
FROM (
  SELECT id, confirmed_by, step_up_token_id, assertion_hash
  FROM refunds
  WHERE confirmed_by IS NOT NULL
  UNION ALL
  SELECT id, confirmed_by, step_up_token_id, assertion_hash FROM write_offs
) AS deeds
WHERE NOT EXISTS (
  SELECT FROM billing_central.step_up_uses AS uses
  WHERE uses.token_id = deeds.step_up_token_id
    AND uses.actor = confirmed_by
    AND uses.assertion_hash = deeds.assertion_hash);

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

-- invariant: payment_takes_off_what_it_is_worth
-- A payment has one line that takes its worth off its folio; only in another currency does it differ
-- from what was handed over, and then by a rate that the folio pinned.
SELECT coalesce(payments.id, lines.id), concat_ws(' ', 'worth', payments.amount_micro,
  'paid', paid_amount_micro, paid_currency, 'line', lines.amount_micro)
FROM payments
FULL JOIN (SELECT * FROM folio_lines WHERE type = 'payment') AS lines ON lines.id = payments.id
LEFT JOIN folios ON folios.id = payments.folio_id
WHERE (lines.folio_id, -lines.amount_micro, lines.currency, lines.kind)
        IS DISTINCT FROM
      (payments.folio_id, payments.amount_micro, payments.currency, payments.method)
   OR CASE WHEN paid_currency = payments.currency
           THEN paid_amount_micro <> payments.amount_micro OR payments.fx IS NOT NULL
           ELSE payments.fx IS NULL
                OR NOT folios.fx @> jsonb_build_array(payments.fx)
                OR payments.fx ->> 'base' <> paid_currency
      END;

-- invariant: refunds_stay_within_the_payment
-- No more is given back of a payment than was paid, whatever is pending among it; a payment knows
-- how much that is, in its own currency and on its folio, and all of it is worth all of it.
SELECT payments.id, concat_ws(' ', 'paid', paid_amount_micro, 'knows of', refunded_paid_micro,
  'given back', coalesce(given.paid, 0), 'worth', refunded_micro, 'of', amount_micro)
FROM payments
LEFT JOIN (
  SELECT payment_id, sum(paid_amount_micro) AS paid, sum(amount_micro) AS micro
  FROM refunds
  LEFT JOIN refund_settlements ON refund_id = id
  WHERE status IS DISTINCT FROM 'failed'
  GROUP BY payment_id
) AS given ON payment_id = payments.id
WHERE (refunded_paid_micro, refunded_micro)
        IS DISTINCT FROM (coalesce(given.paid, 0), coalesce(given.micro, 0))
   OR refunded_paid_micro NOT BETWEEN 0 AND paid_amount_micro
   OR refunded_micro NOT BETWEEN 0 AND amount_micro
   OR refunded_paid_micro = paid_amount_micro AND refunded_micro <> amount_micro;

-- invariant: a_refund_goes_back_the_way_it_came
-- A refund is of a payment of its folio, by its method and in its currencies; cash comes out of a
-- session.
SELECT refunds.id, concat_ws(' ', 'of', payment_id, refunds.method, refunds.paid_amount_micro,
  refunds.paid_currency, 'worth', refunds.amount_micro)
FROM refunds
LEFT JOIN payments ON payments.id = payment_id
WHERE (refunds.folio_id, refunds.method, refunds.currency, refunds.paid_currency)
        IS DISTINCT FROM
      (payments.folio_id, payments.method, payments.currency, payments.paid_currency)
   OR refunds.currency = refunds.paid_currency AND refunds.amount_micro <> refunds.paid_amount_micro
   OR (refunds.method = 'cash') <> (refunds.cash_session_id IS NOT NULL);

-- invariant: a_refund_stands_on_its_folio
-- A refund has one line, which names its payment; one that failed has one more that takes it back.
WITH expected AS (
  SELECT id, folio_id, 'refund' AS type, payment_id AS corrects, amount_micro, currency, method
  FROM refunds
  UNION ALL
  SELECT lines.id, refunds.folio_id, 'refund_reversal', refunds.id, -refunds.amount_micro,
         refunds.currency, method
  FROM refunds
  JOIN refund_settlements ON refund_id = refunds.id AND status = 'failed'
  LEFT JOIN folio_lines AS lines
    ON lines.type = 'refund_reversal' AND lines.corrects = refunds.id
), written AS (
  SELECT id, folio_id, type, corrects, amount_micro, currency, kind
  FROM folio_lines
  WHERE type IN ('refund', 'refund_reversal')
)
SELECT coalesce(id, corrects), concat_ws(' ', 'has no line:', type, amount_micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM written) AS missing
UNION ALL
SELECT id, concat_ws(' ', 'is a line of none:', type, corrects, amount_micro, currency)
FROM (SELECT * FROM written EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: a_refund_is_settled_or_waits
-- A card's refund waits in the queue until it is settled, once; every other is settled as it is
-- made. A folio counts those that wait, and is closed only when none does.
SELECT refunds.id, concat_ws(' ', method, coalesce(status, 'pending'), 'and',
  CASE WHEN refund_queue.refund_id IS NULL THEN 'waits not' ELSE 'waits' END)
FROM refunds
LEFT JOIN refund_settlements ON refund_settlements.refund_id = id
LEFT JOIN refund_queue ON refund_queue.refund_id = id
WHERE (status IS NULL) <> (refund_queue.refund_id IS NOT NULL)
   OR method <> 'card' AND (status, settled_at) IS DISTINCT FROM ('succeeded', occurred_at)
   OR settled_at < occurred_at
   OR (status = 'failed') <> (failure_code IS NOT NULL)
UNION ALL
SELECT folios.id, concat_ws(' ', folios.status, 'counts', pending_refunds, 'of',
  coalesce(waiting, 0))
FROM folios
LEFT JOIN (
  SELECT folio_id, count(*) AS waiting
  FROM refunds
  WHERE NOT EXISTS (SELECT FROM refund_settlements WHERE refund_id = id)
  GROUP BY folio_id
) AS pending ON folio_id = folios.id
WHERE pending_refunds <> coalesce(waiting, 0)
   OR folios.status = 'closed' AND pending_refunds <> 0;

-- invariant: what_companies_paid_and_never_will_is_booked
-- A company's payment, a credit note that is set off and a write-off are booked once each, against
-- the company's own account.
WITH expected AS (
  SELECT credits.id AS source, 0 AS part, account_id, property_id, debit,
         concat('city_ledger:', account_id) AS credit, amount_micro, credits.currency, business_date
  FROM account_credits AS credits
  JOIN company_accounts ON company_accounts.id = account_id
  LEFT JOIN (VALUES
    ('card', 'card_clearing'), ('bank_transfer', 'bank_clearing'),
    ('mobile_money', 'mobile_money_clearing'),
    ('credit_note', 'credit_notes_payable')) AS clearing (kind, clearing) USING (kind)
  CROSS JOIN LATERAL (SELECT coalesce(clearing, concat('cash:', cash_session_id)) AS debit) AS a
  WHERE kind <> 'refund'
  UNION ALL
  SELECT write_offs.id, 0, account_id, property_id, 'bad_debt',
         concat('city_ledger:', account_id), amount_micro, write_offs.currency, business_date
  FROM write_offs
  JOIN company_accounts ON company_accounts.id = account_id
), booked AS (
  SELECT source, part, company_account_id, property_id, debit_account, credit_account,
         amount_micro, currency, business_date
  FROM ledger_entries
  WHERE starts_with(source, 'rcp_')
     OR starts_with(source, 'wof_')
     OR starts_with(source, 'sof_')
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
-- less than nothing or more than all. A reversal takes back exactly the allocation it names, once.
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

-- invariant: a_credit_note_is_set_off_once_and_for_no_more_than_it_is
-- A credit note is set off against an account that owes its invoice, once, and within its total; one
-- that a settlement came to never is.
SELECT credits.id, concat_ws(' ', 'sets', credits.amount_micro, 'off against', account_id, 'of',
  credit_note_id, 'over', total_micro)
FROM account_credits AS credits
LEFT JOIN credit_notes AS notes ON notes.id = credit_note_id
LEFT JOIN invoices AS documents ON documents.id = notes.id
WHERE kind = 'credit_note'
  AND (documents.total_micro IS NULL
    OR notes.settlement_id IS NOT NULL
    OR credits.amount_micro > documents.total_micro
    OR NOT EXISTS (
      SELECT FROM receivables AS items
      WHERE items.account_id = credits.account_id AND items.invoice_id = notes.invoice_id))
UNION ALL
SELECT credit_note_id, concat('is set off ', count(*), ' times')
FROM account_credits
WHERE credit_note_id IS NOT NULL
GROUP BY credit_note_id
HAVING count(*) > 1;

-- invariant: a_processors_payment_is_recorded_once
-- A payment of the processor is a guest's or a company's, and not both.
SELECT payments.id, concat_ws(' ', processor_payment_id, 'is', account_credits.id, 'as well')
FROM payments
JOIN account_credits USING (processor_payment_id);

-- invariant: a_company_account_is_what_its_trail_digested
-- The terms and sums that a company account's trail digested are those that it has.
SELECT id, concat_ws(' ', 'is', status, 'with', not_invoiced_micro, open_micro, unallocated_micro)
FROM company_accounts
WHERE state_digest <> sha256(convert_to(concat(
  '{"creditLimitMicro":', credit_limit_micro, ',"currency":', to_json(currency),
  ',"id":', to_json(id), ',"notInvoicedMicro":', not_invoiced_micro, ',"openMicro":', open_micro,
  ',"propertyId":', to_json(property_id), ',"status":', to_json(status),
  ',"termsDays":', terms_days, ',"unallocatedMicro":', unallocated_micro, '}'), 'UTF8'));

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
WHERE method NOT IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'voucher', 'city_ledger')
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
WHERE kind NOT IN ('cash', 'card', 'bank_transfer', 'mobile_money', 'refund', 'credit_note')
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

-- invariant: a_charge_goes_on_night_after_night
-- The later stretches of a charge are of its kind and window, and begin where the one before ended.
SELECT id, concat_ws(' ', 'of', charge_id, 'on', service_date, 'after', before)
FROM (
  SELECT id, charge_id, kind, window_name, service_date, external_reference,
         lag(service_date) OVER stretches AS before,
         lag(coalesce((occupancy ->> 'nights')::integer, 1)) OVER stretches AS nights,
         first_value(kind) OVER stretches AS first_kind,
         first_value(window_name) OVER stretches AS first_window
  FROM folio_lines
  WHERE type = 'charge'
  WINDOW stretches AS (PARTITION BY charge_id ORDER BY sequence)
) AS charges
WHERE charge_id <> id
  AND (service_date IS DISTINCT FROM before + nights OR kind <> first_kind
    OR window_name <> first_window OR external_reference IS NOT NULL);

-- invariant: a_night_is_charged_as_it_was_planned
-- A night that was charged is one charge of its folio, of its kind and at its price; and what an
-- audit charged as a night was planned as one.
SELECT coalesce(nights.charge_id, lines.id), concat_ws(' ', 'planned', nights.kind, night,
  nights.amount_micro, 'charged', lines.kind, service_date, price)
FROM (SELECT * FROM planned_charges WHERE charge_id IS NOT NULL) AS nights
FULL JOIN (
  SELECT * FROM folio_lines
  WHERE source = 'pms' AND starts_with(external_reference, 'night:')
) AS lines ON lines.id = nights.charge_id
LEFT JOIN (
  SELECT charge_id, sum(amount_micro) AS price
  FROM folio_lines
  WHERE type IN ('charge', 'tax')
    AND (tax IS NULL OR (tax ->> 'inclusive')::boolean)
  GROUP BY charge_id
) AS charges ON charges.charge_id = lines.id
WHERE (nights.folio_id, nights.kind, night, nights.amount_micro, nights.currency)
        IS DISTINCT FROM
      (lines.folio_id, lines.kind, service_date, price, lines.currency);

-- invariant: a_stay_is_on_its_folio
-- A stay is at its folio's property, and its nights lie between arrival and departure.
SELECT stays.folio_id, concat_ws(' ', arrival, 'to', departure, 'planned', night)
FROM stays
LEFT JOIN folios ON folios.id = stays.folio_id
LEFT JOIN planned_charges AS nights
  ON nights.folio_id = stays.folio_id AND NOT (night >= arrival AND night < departure)
WHERE stays.property_id IS DISTINCT FROM folios.property_id
   OR nights.night IS NOT NULL;

-- invariant: days_end_in_their_order
-- Of each property every business day ends, once, from the first that was audited to the last.
SELECT property_id::text, concat_ws(' ', business_date, 'follows', before)
FROM (
  SELECT property_id, business_date,
         lag(business_date) OVER (PARTITION BY property_id ORDER BY business_date) AS before
  FROM night_audits
) AS days
WHERE business_date <> before + 1;

-- invariant: a_days_report_is_what_was_booked
-- What a day moved the guests' accounts by is what is booked for it, whenever that was.
WITH reported AS (
  SELECT id, each ->> 'account' AS account, each ->> 'currency' AS currency,
         (each ->> 'amountMicro')::bigint AS micro
  FROM night_audits
  CROSS JOIN LATERAL jsonb_array_elements(report -> 'guestLedger') AS each
), booked AS (
  SELECT night_audits.id, regexp_replace(CASE debit_account WHEN 'guest_ledger'
           THEN credit_account ELSE debit_account END, '^(cash|city_ledger):.*', '\1') AS account,
         currency,
         sum(CASE debit_account WHEN 'guest_ledger' THEN amount_micro ELSE -amount_micro END)
           AS micro
  FROM night_audits
  JOIN ledger_entries USING (property_id, business_date)
  WHERE 'guest_ledger' IN (debit_account, credit_account)
  GROUP BY night_audits.id, account, currency
)
SELECT coalesce(reported.id, booked.id), concat_ws(' ', coalesce(reported.account, booked.account),
  'reported', reported.micro, 'booked', booked.micro)
FROM reported
FULL JOIN booked USING (id, account, currency)
WHERE coalesce(reported.micro, 0) <> coalesce(booked.micro, 0);

-- invariant: a_days_report_is_what_its_trail_digested
-- The report of an ended day is the one that its trail digested, to the last account.
SELECT id, concat('the report of ', business_date)
FROM night_audits
CROSS JOIN LATERAL (
  SELECT string_agg(concat('{"account":', each -> 'account', ',"amountMicro":',
           each -> 'amountMicro', ',"currency":', each -> 'currency', '}'), ','
           ORDER BY place) AS moved
  FROM jsonb_array_elements(report -> 'guestLedger') WITH ORDINALITY AS rows (each, place)
) AS movements
CROSS JOIN LATERAL (
  SELECT encode(sha256(convert_to(concat('{"guestLedger":[', moved, '],"inHouse":',
    report -> 'inHouse', ',"noShows":', report -> 'noShows', '}'), 'UTF8')), 'hex') AS hashed
) AS reports
WHERE state_digest <> sha256(convert_to(concat('{"businessDate":', to_json(business_date::text),
  ',"id":', to_json(id), ',"propertyId":', to_json(property_id),
  ',"reportSha256":', to_json(hashed), '}'), 'UTF8'));

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

-- invariant: numbers_run_from_one_without_a_gap
-- Documents of a series are numbered from 1 to its last number, each number once.
SELECT concat_ws(' ', jurisdiction, document_type, year),
       concat(coalesce(places, 0), ' documents, the last number is ', last_number)
FROM number_series
FULL JOIN (
  SELECT jurisdiction, document_type, year, count(*) AS places,
         count(DISTINCT series_number) AS numbers, min(series_number) AS first,
         max(series_number) AS last
  FROM invoices
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
  FROM invoices
) AS chain
WHERE previous_sha256 IS DISTINCT FROM before
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
        '{"addressLines":[', address, '],"name":', to_json(document ->> 'name'), ',"taxId":',
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

-- invariant: a_signal_is_what_its_trail_digested
-- Whom a signal is about, what it says and what was made of it are what its trail digested.
SELECT id, concat_ws(' ', pattern, 'of', actor, subject, verdict)
FROM ai_signals
WHERE state_digest <> sha256(convert_to(concat('{"actor":',
  coalesce(to_json(actor)::text, 'null'), ',"businessDate":',
  to_json(business_date::text), ',"id":', to_json(id), ',"pattern":', to_json(pattern),
  ',"propertyId":', to_json(property_id), ',"scorePpm":', score_ppm,
  CASE WHEN subject IS NOT NULL THEN concat(',"subject":', to_json(subject)) END,
  ',"verdict":', coalesce(to_json(verdict)::text, 'null'), '}'), 'UTF8'));

-- invariant: credits_are_what_moved_them
-- What an account of credits has, holds and owes is the sum of its entries; what it has and holds
-- is what is left and held on its lots; and its entries are numbered from one without a gap, each
-- with the balance that it left.
SELECT accounts.id, concat_ws(' ', 'has', balance_micro, held_micro, debt_micro, 'after',
  last_entry, 'entries', entries.balance, entries.held, entries.debt, entries.count, 'lots', lots.balance,
  lots.held)
FROM credit_accounts AS accounts
LEFT JOIN (
  SELECT account_id, sum(amount_micro) AS balance, sum(held_micro) AS held,
         sum(debt_micro) AS debt, count(*) AS count
  FROM credit_ledger_entries
  GROUP BY account_id
) AS entries ON entries.account_id = accounts.id
LEFT JOIN (
  SELECT account_id, sum(left_micro) AS balance, sum(held_micro) AS held
  FROM credit_lots
  GROUP BY account_id
) AS lots ON lots.account_id = accounts.id
WHERE (balance_micro, held_micro, debt_micro, last_entry) IS DISTINCT FROM
        (coalesce(entries.balance, 0), coalesce(entries.held, 0), coalesce(entries.debt, 0),
         coalesce(entries.count, 0))
   OR (balance_micro, held_micro) IS DISTINCT FROM
        (coalesce(lots.balance, 0), coalesce(lots.held, 0))
UNION ALL
SELECT id, concat_ws(' ', 'entry', sequence, 'left', balance_micro, 'and not', running)
FROM (
  SELECT id, sequence, balance_micro, row_number() OVER line AS place,
         sum(amount_micro) OVER line AS running
  FROM credit_ledger_entries
  WINDOW line AS (PARTITION BY account_id ORDER BY sequence)
) AS numbered
WHERE sequence <> place
   OR balance_micro <> running;

-- invariant: an_entry_names_the_lots_that_it_moved
-- What an entry moved is the sum over the lots that it names, all of its account; and what is left
-- and held on a lot is the sum over the entries that named it.
SELECT entries.id, concat_ws(' ', kind, entries.amount_micro, entries.held_micro, 'of lots with',
  moved.amount, moved.held)
FROM credit_ledger_entries AS entries
LEFT JOIN (
  SELECT entry_id, sum(amount_micro) AS amount, sum(parts.held_micro) AS held,
         min(account_id) AS first_account, max(account_id) AS last_account
  FROM credit_entry_lots AS parts
  LEFT JOIN credit_lots ON credit_lots.id = lot_id
  GROUP BY entry_id
) AS moved ON moved.entry_id = entries.id
WHERE (entries.amount_micro, entries.held_micro) IS DISTINCT FROM
        (coalesce(amount, 0), coalesce(held, 0))
   OR first_account <> account_id
   OR last_account <> account_id
UNION ALL
SELECT lots.id, concat_ws(' ', 'has', left_micro, 'and holds', held_micro, 'after', amount, held)
FROM credit_lots AS lots
LEFT JOIN (
  SELECT lot_id, sum(amount_micro) AS amount, sum(held_micro) AS held
  FROM credit_entry_lots
  GROUP BY lot_id
) AS moved ON moved.lot_id = lots.id
WHERE (left_micro, held_micro) IS DISTINCT FROM (coalesce(amount, 0), coalesce(held, 0));

-- invariant: no_credit_is_made_or_lost
-- Of each grant: issued - spent - expired - taken back - outstanding = 0, over all accounts that
-- have some of it; and it was issued once, by one entry. A transfer arrives as it left.
SELECT roots.id, concat_ws(' ', 'issued', roots.granted_micro, 'by', grants, 'gone', gone,
  'outstanding', outstanding)
FROM credit_lots AS roots
LEFT JOIN (
  SELECT root_id, sum(left_micro) AS outstanding
  FROM credit_lots
  GROUP BY root_id
) AS pieces ON pieces.root_id = roots.id
LEFT JOIN (
  SELECT root_id, count(*) FILTER (WHERE kind = 'grant') AS grants,
         coalesce(-sum(parts.amount_micro) FILTER (WHERE kind IN
           ('spend', 'capture', 'expire', 'claw_back', 'give_back', 'debt_paid')), 0) AS gone
  FROM credit_lots
  JOIN credit_entry_lots AS parts ON parts.lot_id = credit_lots.id
  JOIN credit_ledger_entries AS entries ON entries.id = entry_id
  GROUP BY root_id
) AS moved ON moved.root_id = roots.id
WHERE roots.id = roots.root_id
  AND (grants, roots.granted_micro - gone) IS DISTINCT FROM (1, outstanding)
UNION ALL
SELECT concat_ws(' ', account_id, counterpart), concat('moved ', micro, ', which never arrived')
FROM (
  SELECT account_id, counterpart, occurred_at, -amount_micro AS micro
  FROM credit_ledger_entries
  WHERE kind = 'transfer_out'
  EXCEPT ALL
  SELECT counterpart, account_id, occurred_at, amount_micro
  FROM credit_ledger_entries
  WHERE kind = 'transfer_in'
) AS astray;

-- invariant: credits_are_booked_as_they_moved
-- Each entry is booked once, out of the account of the book and into the one that its kind stands
-- for; a transfer where it left.
WITH expected AS (
  SELECT entries.id, part, debit, credit, micro, occurred_at
  FROM credit_ledger_entries AS entries
  CROSS JOIN LATERAL (SELECT concat('outstanding:', account_id) AS mine,
                             concat('debt:', account_id) AS owed) AS own
  JOIN LATERAL (VALUES
    ('grant', 0, 'issued', mine, amount_micro), ('spend', 0, mine, 'spent', -amount_micro),
    ('capture', 0, mine, 'spent', -amount_micro), ('expire', 0, mine, 'expired', -amount_micro),
    ('transfer_out', 0, mine, concat('outstanding:', counterpart), -amount_micro),
    ('claw_back', 0, mine, 'clawed_back', -amount_micro),
    ('claw_back', 1, owed, 'clawed_back', debt_micro),
    ('give_back', 0, 'clawed_back', mine, amount_micro),
    ('give_back', 1, 'clawed_back', owed, -debt_micro),
    ('debt_paid', 0, mine, owed, -amount_micro), ('debt_waived', 0, 'waived', owed, -debt_micro)
  ) AS ways (way, part, debit, credit, micro) ON way = kind
  WHERE micro <> 0
), booked AS (
  SELECT entry_id, part, debit_account, credit_account, amount_micro, occurred_at
  FROM credit_book_entries
)
SELECT id, concat_ws(' ', 'not booked:', debit, credit, micro)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT entry_id, concat_ws(' ', 'booked:', debit_account, credit_account, amount_micro)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: a_lot_goes_on_as_its_grant
-- Credits that were moved keep the source, the turn and the expiry of their grant; and what they
-- were granted for begins as credits of their source do.
SELECT lots.id, concat_ws(' ', lots.source, lots.priority, lots.expires_at, 'of', roots.source,
  roots.priority, roots.expires_at, roots.source_key)
FROM credit_lots AS lots
LEFT JOIN credit_lots AS roots ON roots.id = lots.root_id
WHERE (lots.source, lots.priority, lots.expires_at, roots.root_id) IS DISTINCT FROM
        (roots.source, roots.priority, roots.expires_at, roots.id)
   OR lots.source_key !~ CASE lots.source
        WHEN 'purchase' THEN '^purchase:' WHEN 'renewal' THEN '^renewal:'
        WHEN 'promotion' THEN '^(grant|trial):' ELSE '^(grant|restored):' END
   OR lots.priority <> array_position(ARRAY['promotion', 'refund', 'renewal', 'purchase'],
        lots.source) * 10 - 10;

-- invariant: what_has_expired_is_not_spent
-- Nothing is taken out of a lot after its expiry, but by a capture of what was held before it; and
-- nothing is written off as expired before it is.
SELECT entries.id, concat_ws(' ', kind, 'at', occurred_at, 'of', lot_id, 'until', lots.expires_at)
FROM credit_ledger_entries AS entries
JOIN credit_entry_lots AS parts ON parts.entry_id = entries.id
JOIN credit_lots AS lots ON lots.id = lot_id
LEFT JOIN credit_holds AS holds ON holds.id = hold_id
WHERE CASE
  WHEN kind = 'expire' THEN lots.expires_at IS NULL OR lots.expires_at > occurred_at
  WHEN kind = 'capture' THEN lots.expires_at <= holds.placed_at
  WHEN kind IN ('spend', 'hold', 'transfer_out', 'claw_back') THEN lots.expires_at <= occurred_at
  ELSE false END;

-- invariant: a_hold_is_what_its_entries_say
-- A hold was placed by one entry; it has ended when, and only when, one other says so, which let go
-- of all that it held; and it is captured in time.
SELECT holds.id, concat_ws(' ', status, captured_micro, 'of', holds.amount_micro, 'placed',
  placed, 'captured', captured, 'released', released, 'still holds', still)
FROM credit_holds AS holds
LEFT JOIN (
  SELECT hold_id, count(*) FILTER (WHERE kind = 'hold') AS placed,
         count(*) FILTER (WHERE kind = 'capture') AS captured,
         count(*) FILTER (WHERE kind = 'release') AS released,
         sum(held_micro) AS still,
         sum(metered_micro) FILTER (WHERE kind = 'capture') AS metered,
         max(held_micro) FILTER (WHERE kind = 'hold') AS set_aside,
         max(occurred_at) FILTER (WHERE kind <> 'hold') AS ended
  FROM credit_ledger_entries
  WHERE hold_id IS NOT NULL
  GROUP BY hold_id
) AS said ON hold_id = holds.id
WHERE (placed, captured, released) IS DISTINCT FROM
        (1, (status = 'captured')::integer, (status IN ('released', 'expired'))::integer)
   OR set_aside <> CASE WHEN is_free THEN 0 ELSE holds.amount_micro END
   OR still <> CASE status WHEN 'open' THEN set_aside ELSE 0 END
   OR captured_micro <> coalesce(metered, 0)
   OR ended_at IS DISTINCT FROM ended
   OR status IN ('captured', 'released') AND ended_at >= expires_at
   OR status = 'expired' AND ended_at < expires_at;

-- invariant: credits_are_taken_back_within_their_grant
-- No more is asked back of a grant than was granted, but for what was given back; what was taken
-- for it and what is owed for it are what the entries say, and so is what was given back.
SELECT roots.id, concat_ws(' ', 'granted', granted_micro, 'asked', asked, 'taken', backs.taken,
  'by entries', coalesce(moved.taken, 0))
FROM credit_lots AS roots
JOIN (
  SELECT lot_id, sum(asked_micro) FILTER (WHERE reversals.source_key IS NULL) AS asked,
         sum(taken_micro) AS taken
  FROM credit_claw_backs AS claws
  LEFT JOIN credit_claw_back_reversals AS reversals ON reversals.source_key = claws.source_key
  GROUP BY lot_id
) AS backs ON backs.lot_id = roots.id
LEFT JOIN (
  SELECT root_id, -sum(parts.amount_micro) AS taken
  FROM credit_lots
  JOIN credit_entry_lots AS parts ON parts.lot_id = credit_lots.id
  JOIN credit_ledger_entries AS entries ON entries.id = entry_id
  WHERE kind = 'claw_back'
  GROUP BY root_id
) AS moved ON moved.root_id = roots.id
WHERE asked > granted_micro
   OR backs.taken <> coalesce(moved.taken, 0)
UNION ALL
SELECT coalesce(entries.account_id, backs.account_id), concat_ws(' ', 'owes', coalesce(debt, 0),
  'for', coalesce(owed, 0))
FROM (
  SELECT account_id, sum(debt_micro) AS debt
  FROM credit_ledger_entries
  WHERE kind = 'claw_back'
  GROUP BY account_id
) AS entries
FULL JOIN (
  SELECT account_id, sum(debt_micro) AS owed
  FROM credit_claw_backs
  JOIN credit_lots ON credit_lots.id = lot_id
  GROUP BY account_id
) AS backs ON backs.account_id = entries.account_id
WHERE coalesce(debt, 0) <> coalesce(owed, 0)
UNION ALL
SELECT reversals.source_key, concat_ws(' ', 'returned', returned_micro, 'cancelled',
  cancelled_micro, 'of', taken_micro, debt_micro, 'by entries', amount, debt)
FROM credit_claw_back_reversals AS reversals
LEFT JOIN credit_claw_backs AS claws ON claws.source_key = reversals.source_key
LEFT JOIN (
  SELECT reference, sum(amount_micro) AS amount, sum(-entries.debt_micro) AS debt,
         count(*) AS times
  FROM credit_ledger_entries AS entries
  WHERE kind = 'give_back'
  GROUP BY reference
) AS given ON given.reference = reversals.source_key
WHERE (returned_micro, cancelled_micro, times) IS DISTINCT FROM (amount, debt, 1)
   OR returned_micro NOT BETWEEN taken_micro AND taken_micro + debt_micro - cancelled_micro;

-- invariant: an_account_of_credits_is_what_its_trail_digested
-- The state that an account's trail digested is the one that it is in.
SELECT id, concat_ws(' ', name, 'has', balance_micro, 'holds', held_micro, 'owes', debt_micro)
FROM credit_accounts
WHERE version > 0
  AND state_digest <> sha256(convert_to(concat(
  '{"balanceMicro":', balance_micro, ',"debtMicro":', debt_micro, ',"heldMicro":', held_micro,
  ',"id":', to_json(id), ',"lastEntry":', last_entry, ',"name":', to_json(name), '}'), 'UTF8'));

-- invariant: a_dispute_is_what_its_trail_digested
-- What a bank asks back, of which payment, and where that stands are what its trail digested.
SELECT id, concat_ws(' ', processor_dispute_id, 'is', status, 'about', amount_micro)
FROM payment_disputes
WHERE state_digest <> sha256(convert_to(concat('{"amountMicro":', amount_micro, ',"currency":',
  to_json(currency), ',"id":', to_json(id), ',"paymentId":', to_json(payment_id),
  ',"processorDisputeId":', to_json(processor_dispute_id), ',"status":', to_json(status), '}'),
  'UTF8'));

-- invariant: an_event_of_the_processor_takes_effect_once
-- An event of the processor was applied once at most, however often it came.
SELECT event_id, concat('was applied ', count(*), ' times')
FROM webhook_attempts
WHERE outcome = 'applied'
GROUP BY event_id
HAVING count(*) > 1;

-- invariant: an_event_of_the_processor_is_kept_with_what_became_of_it
-- A kept event was tried, a tried event is kept, and what was repeated had been applied before.
SELECT coalesce(webhook_events.event_id, tried.event_id),
       concat_ws(' ', 'kept', webhook_events.received_at, 'tried', attempts, 'times')
FROM webhook_events
FULL JOIN (
  SELECT event_id, count(*) AS attempts,
         bool_or(outcome = 'repeated') AS repeated,
         bool_or(outcome = 'applied') AS applied
  FROM webhook_attempts
  GROUP BY event_id
) AS tried ON tried.event_id = webhook_events.event_id
WHERE webhook_events.event_id IS NULL
   OR tried.event_id IS NULL
   OR repeated AND NOT applied;

-- invariant: a_card_payment_is_in_the_directory
-- A card payment stands in the directory by which its webhooks find this house, from the first one
-- on that was listed in it: what was recorded before there was one is not.
SELECT id, concat('is not listed as ', processor_payment_id)
FROM payments
CROSS JOIN (
  SELECT min(recorded_at) AS since
  FROM billing_central.card_payments
  WHERE tenant_id = billing_central.current_tenant()
) AS listing
WHERE method = 'card'
  AND recorded_at >= since
  AND NOT EXISTS (
    SELECT FROM billing_central.card_payments AS listed
    WHERE listed.processor_payment_id = payments.processor_payment_id
      AND listed.tenant_id = payments.tenant_id);

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
  SELECT 'dispute', id, version, trail, state_digest FROM payment_disputes
)
SELECT coalesce(id, aggregate_id), concat_ws(' ', coalesce(kind, aggregate_kind), 'at version',
  version, 'after entry', sequence)
FROM standing
FULL JOIN (
  SELECT DISTINCT ON (aggregate_kind, aggregate_id) aggregate_kind, aggregate_id, sequence, hash,
         digest_after
  FROM audit_entries
  WHERE aggregate_kind IN ('folio', 'cash_drawer', 'cash_session', 'night_audit', 'ai_signal',
    'reconciliation', 'company_account', 'credit_account', 'dispute')
  ORDER BY aggregate_kind, aggregate_id, sequence DESC
) AS last ON aggregate_id = id AND aggregate_kind = kind
WHERE (version, trail, state_digest) IS DISTINCT FROM (sequence, hash, digest_after);

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

-- invariant: an_invoice_is_what_its_trail_digested
-- A document has an audit entry for its issue, one for each copy, and one if it was voided; it is as
-- the last of them left it.
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
WHERE sequence IS DISTINCT FROM 1 + coalesce(copies, 0) + (coalesce(status, '') = 'voided')::integer
   OR digest_after IS DISTINCT FROM sha256(convert_to(concat(
  '{"copies":', coalesce(copies, 0), ',"id":', to_json(id), ',"number":', to_json(number),
  ',"payloadSha256":', to_json(encode(payload_sha256, 'hex')),
  ',"signed":', CASE WHEN copies > 0 THEN 'true' ELSE 'false' END, '}'), 'UTF8'));

-- invariant: a_trail_begins_and_ends_as_its_folio_did
-- A folio's trail begins with its opening; it ends with its closing when, and only when, it closed,
-- and tells of each closing and each opening again.
SELECT folios.id, concat_ws(' ', status, 'from', first, 'to', last, closings, reopenings)
FROM folios
JOIN (
  SELECT aggregate_id, (array_agg(action ORDER BY sequence))[1] AS first,
         (array_agg(action ORDER BY sequence DESC))[1] AS last,
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

-- invariant: every_row_is_the_tenants
-- as: administrator
-- Every row in a tenant's schema is the tenant's, whatever the table.
SELECT key, concat(value, ' rows of somebody else')
FROM jsonb_each_text(current_setting('books.strangers')::jsonb)
WHERE value::bigint > 0;

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
              ('$.**.lotId'), ('$.**.holdId'))
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
)
SELECT key, concat(function, ' answered ', named.id)
FROM named
LEFT JOIN there ON there.id = named.id
WHERE named.id IS NOT NULL
  AND there.id IS NULL;

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

-- invariant: every_table_keeps_row_security
-- Every table has row security that binds its owner as well, and a tenant's shows its rows to the
-- tenant's own role in the tenant's own transactions only.
SELECT relname, concat_ws(' ', 'row security', relrowsecurity, 'forced', relforcerowsecurity,
  'policy', polname, pg_get_expr(polqual, polrelid))
FROM pg_class
LEFT JOIN pg_policy ON polrelid = pg_class.oid
CROSS JOIN LATERAL (
  SELECT format('((tenant_id = %L::uuid) AND (tenant_id = billing_central.current_tenant()))',
    billing_central.current_tenant()) AS own
) AS rows
WHERE relkind IN ('r', 'p')
  AND relnamespace IN (current_schema()::regnamespace, 'billing_central'::regnamespace)
  AND (NOT (relrowsecurity AND relforcerowsecurity)
    OR polname IS NULL
    OR relnamespace = current_schema()::regnamespace
       AND (polroles, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
             IS DISTINCT FROM (ARRAY[current_user::regrole::oid], own, own));

-- invariant: every_column_is_what_it_holds
-- Money is a bigint, nothing is a fraction that drifts, and every row says whose it is.
SELECT relname, concat_ws(' ', attname, format_type(atttypid, atttypmod))
FROM pg_class
LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
  AND (atttypid IN ('numeric'::regtype, 'real'::regtype, 'double precision'::regtype,
         'money'::regtype)
    OR attname LIKE '%\_micro' AND atttypid <> 'bigint'::regtype)
WHERE relkind IN ('r', 'p')
  AND relnamespace = current_schema()::regnamespace
  AND (attname IS NOT NULL
    OR NOT EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = pg_class.oid AND attname = 'tenant_id' AND attnotnull
        AND atttypid = 'uuid'::regtype));

-- invariant: a_record_cannot_be_changed
-- The tenant's role may add to a table of record, and neither change nor delete what is in it.
SELECT relname, 'the tenant''s role may change what is written'
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace
  AND relname IN ('account_credits', 'audit_entries', 'canceled_reservations', 'cash_movements',
    'credit_book_entries', 'credit_claw_back_reversals', 'credit_claw_backs',
    'credit_entry_lots', 'credit_expiry_warnings', 'credit_ledger_entries', 'credit_note_lines',
    'credit_note_signatures', 'credit_notes', 'folio_lines', 'invoice_lines',
    'invoice_signatures', 'invoices', 'ledger_entries', 'night_audits', 'receivable_allocations',
    'receivable_parts', 'refund_settlements', 'refunds', 'reopenings', 'settings_versions',
    'settlements', 'webhook_attempts', 'webhook_events', 'write_offs')
  AND (has_any_column_privilege(oid, 'UPDATE') OR has_table_privilege(oid, 'DELETE, TRUNCATE'));

-- invariant: what_may_happen_once_is_guarded
-- Each unique constraint that lets a thing happen once is there.
SELECT name, 'is not there'
FROM unnest(ARRAY['allocation_is_reversed_once', 'audit_entries_are_consecutive',
  'audit_entry_is_written_once', 'claw_back_is_reversed_once', 'command_is_answered_once',
  'company_card_payment_is_recorded_once', 'copies_are_numbered',
  'credit_account_is_opened_once', 'credit_entries_are_consecutive',
  'credit_note_is_set_off_once', 'credits_are_booked_once', 'credits_are_granted_once',
  'credits_are_taken_back_once', 'credits_of_a_grant_are_one_lot',
  'credits_of_a_line_follow_one_another', 'credits_of_an_invoice_stand_together',
  'day_ends_once', 'day_is_looked_at_once', 'day_is_reconciled_once', 'dispute_is_recorded_once',
  'entry_names_a_lot_once', 'event_takes_effect_once', 'expiry_is_warned_of_once',
  'external_reference_is_posted_once', 'folio_is_reopened_once_at_a_time',
  'folio_lines_are_consecutive', 'invoice_is_owed_once', 'invoice_is_signed_once',
  'invoice_number_is_given_once', 'invoice_waits_once', 'line_id_is_used_once',
  'line_is_moved_once', 'line_is_on_one_document', 'line_is_voided_once',
  'line_stands_once_on_a_credit_note', 'movement_is_booked_once', 'night_is_charged_once',
  'night_is_planned_once', 'one_folio_per_reservation_and_window', 'one_open_session_per_drawer',
  'one_person_per_invoice', 'one_series_per_jurisdiction_type_and_year',
  'printed_number_is_given_once', 'processor_payment_is_recorded_once',
  'refund_is_confirmed_on_its_own', 'refund_is_reversed_once', 'refund_is_settled_once',
  'refund_waits_once', 'refunds_pkey', 'reservation_is_canceled_once',
  'settings_versions_are_consecutive', 'settlement_is_credited_once',
  'settlement_is_invoiced_once', 'signal_about_a_thing_is_raised_once', 'signal_is_raised_once',
  'stay_is_planned_once', 'webhook_is_kept_once', 'webhook_is_numbered_once',
  'webhook_takes_effect_once', 'write_off_is_confirmed_on_its_own']) AS name
LEFT JOIN (pg_index JOIN pg_class ON pg_class.oid = indexrelid)
  ON relname = name AND relnamespace = current_schema()::regnamespace
     AND indisunique AND indisvalid
WHERE relname IS NULL;

-- invariant: nobody_passes_row_security
-- No role of the service can pass row security, and no tenant's role can log in.
SELECT rolname, concat_ws(' ', 'superuser', rolsuper, 'bypasses', rolbypassrls, 'logs in',
  rolcanlogin)
FROM pg_roles
WHERE (rolname = current_user
    OR rolname IN ('billing_app', 'billing_drain', 'billing_function', 'billing_job',
         'billing_owner', 'billing_tenant'))
  AND (rolsuper OR rolbypassrls OR rolname = current_user AND rolcanlogin);
