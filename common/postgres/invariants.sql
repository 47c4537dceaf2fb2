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
-- A folio's balance is what the guest ledger holds against it.
SELECT folios.id, concat('balance ', balance_micro, ', ledger ', coalesce(ledger.micro, 0))
FROM folios
LEFT JOIN (
  SELECT folio_id,
         sum(CASE debit_account WHEN 'guest_ledger' THEN amount_micro ELSE -amount_micro END)
           AS micro
  FROM ledger_entries
  WHERE 'guest_ledger' IN (debit_account, credit_account)
  GROUP BY folio_id
) AS ledger ON ledger.folio_id = folios.id
WHERE balance_micro <> coalesce(ledger.micro, 0);

-- invariant: lines_are_booked_as_they_read
-- Each charge, tax and correction is booked once, against the revenue or the tax that it names.
WITH written AS (
  SELECT id, folio_id, amount_micro, currency, business_date,
         CASE WHEN type = 'rounding' THEN 'rounding'
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
  CROSS JOIN LATERAL (SELECT coalesce(clearing, concat('cash:', cash_session_id)) AS account) AS a
), booked AS (
  SELECT source, part, folio_id, property_id, debit_account, credit_account, amount_micro,
         currency, business_date
  FROM ledger_entries
  WHERE starts_with(source, 'pay_')
)
SELECT source, concat_ws(' ', 'not booked:', debit, credit, micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT source, concat_ws(' ', 'booked:', debit_account, credit_account, amount_micro, currency)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: refunds_are_booked_as_they_were_given_back
-- A refund is booked once, the way of its payment back; one that failed once more, the other way.
WITH given AS (
  SELECT id AS source, folio_id, method, cash_session_id, paid_amount_micro, paid_currency,
         amount_micro, currency, business_date, true AS goes_out
  FROM refunds
  UNION ALL
  SELECT lines.id, refunds.folio_id, method, cash_session_id, paid_amount_micro, paid_currency,
         refunds.amount_micro, refunds.currency, lines.business_date, false
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
  CROSS JOIN LATERAL (SELECT paid_currency <> given.currency AS is_foreign) AS way
  CROSS JOIN LATERAL generate_series(0, (is_foreign AND amount_micro > 0)::integer) AS part
  LEFT JOIN (VALUES
    ('card', 'card_clearing'), ('bank_transfer', 'bank_clearing'), ('cash', NULL),
    ('mobile_money', 'mobile_money_clearing'), ('voucher', 'voucher_liability'),
    ('city_ledger', 'city_ledger')) AS clearing (method, clearing) USING (method)
  CROSS JOIN LATERAL (
    SELECT CASE WHEN part = 1 THEN 'fx_clearing'
                ELSE coalesce(clearing, concat('cash:', cash_session_id)) END AS from_account,
           CASE WHEN part = 0 AND is_foreign THEN 'fx_clearing' ELSE 'guest_ledger' END
             AS into_account
  ) AS accounts
), booked AS (
  SELECT source, part, folio_id, property_id, debit_account, credit_account, amount_micro,
         currency, business_date
  FROM ledger_entries
  WHERE starts_with(source, 'rfd_')
     OR starts_with(source, 'rvr_')
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
-- Whoever counted, confirmed, explained or refunded did so with a step-up token that they used up.
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
FROM refunds
WHERE NOT EXISTS (
  SELECT FROM billing_central.step_up_uses AS uses
  WHERE uses.token_id = refunds.step_up_token_id
    AND uses.actor = confirmed_by
    AND uses.assertion_hash = refunds.assertion_hash);

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
    'refund_reversal')
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
           THEN credit_account ELSE debit_account END, '^cash:.*', 'cash') AS account, currency,
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
  WHERE moved_from IS NOT NULL
     OR lines.id IN (SELECT moved_from FROM folio_lines WHERE moved_from IS NOT NULL)
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
WHERE lines.moved_from IS DISTINCT FROM come.moved_from;

-- invariant: tax_sums_are_those_of_the_tax_lines
-- The running sums of an open folio's taxes are those of its lines; a closed folio has none left.
WITH posted AS (
  SELECT folio_id, concat_ws('|', tax ->> 'code', coalesce(tax ->> 'ratePpm', 'None'),
           tax ->> 'category', CASE WHEN (tax ->> 'inclusive')::boolean THEN 'inside' END) AS tax,
         sum((tax ->> 'exactMicro')::bigint) AS exact, sum(amount_micro) AS micro
  FROM folio_lines
  WHERE tax IS NOT NULL
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

-- invariant: a_closed_folio_is_settled_and_invoiced_once
-- A folio closes at zero with one settlement and one invoice; an open one has neither.
SELECT folios.id, concat_ws(' ', status, 'at', balance_micro, 'with', settled, 'settlements,',
  invoiced, 'invoices, closed at', closed_at)
FROM folios
LEFT JOIN (SELECT folio_id, count(*) AS settled FROM settlements GROUP BY folio_id) AS settlements
  ON settlements.folio_id = folios.id
LEFT JOIN (
  SELECT folio_id, count(*) AS invoiced
  FROM invoices
  WHERE document_type = 'invoice'
  GROUP BY folio_id
) AS invoices
  ON invoices.folio_id = folios.id
WHERE CASE WHEN status = 'closed'
           THEN (balance_micro, settled, invoiced) IS DISTINCT FROM (0, 1, 1) OR closed_at IS NULL
           ELSE num_nonnulls(settled, invoiced, closed_at) > 0 END;

-- invariant: a_settlement_is_what_the_lines_come_to
-- A settlement says what was consumed, what was kept of the payments, and the residual that was
-- rounded away.
SELECT id, concat_ws(' ', 'says', charges_micro, payments_micro, residual_micro, 'of',
  charged, paid, rounded)
FROM settlements
LEFT JOIN (
  SELECT folio_id,
         coalesce(sum(amount_micro) FILTER (WHERE type NOT IN
           ('payment', 'refund', 'refund_reversal', 'rounding')), 0) AS charged,
         coalesce(-sum(amount_micro) FILTER (WHERE type IN
           ('payment', 'refund', 'refund_reversal')), 0) AS paid,
         coalesce(-sum(amount_micro) FILTER (WHERE type = 'rounding'), 0) AS rounded
  FROM folio_lines
  GROUP BY folio_id
) AS lines ON lines.folio_id = settlements.folio_id
WHERE (charges_micro, payments_micro, residual_micro)
        IS DISTINCT FROM (coalesce(charged, 0), coalesce(paid, 0), coalesce(rounded, 0));

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
         sum(CASE WHEN type NOT IN ('payment', 'refund', 'refund_reversal', 'rounding')
             AND tax IS NULL THEN amount_micro ELSE 0 END) AS net,
         sum(CASE WHEN tax IS NOT NULL THEN amount_micro ELSE 0 END) AS tax,
         -sum(CASE WHEN type IN ('payment', 'refund', 'refund_reversal') THEN amount_micro
             ELSE 0 END) AS paid,
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

-- invariant: every_line_of_a_closed_folio_is_on_its_invoice
-- An invoice holds the lines that its payload names, and every line of its folio, each once.
WITH named AS (
  SELECT id AS invoice_id, line_id
  FROM invoices
  CROSS JOIN LATERAL jsonb_array_elements_text(payload::jsonb -> 'lineIds') AS line_id
), held AS (
  SELECT invoice_id, line_id
  FROM invoice_lines
), written AS (
  SELECT invoices.id AS invoice_id, folio_lines.id AS line_id
  FROM invoices
  JOIN folio_lines ON folio_lines.folio_id = invoices.folio_id
  WHERE document_type = 'invoice'
)
SELECT invoice_id, concat('does not hold ', line_id)
FROM ((SELECT * FROM named UNION SELECT * FROM written) EXCEPT SELECT * FROM held) AS missing
UNION ALL
SELECT invoice_id, concat('holds ', line_id)
FROM (SELECT * FROM held EXCEPT (SELECT * FROM named INTERSECT SELECT * FROM written)) AS more;

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
FROM (SELECT * FROM named EXCEPT ALL SELECT * FROM held) AS missing
UNION ALL
SELECT id, concat('holds ', line_id)
FROM (SELECT * FROM held EXCEPT ALL SELECT * FROM named) AS more
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
   OR sums.gross <> sums.net + tax;

-- invariant: a_credit_note_is_booked_as_it_reads
-- A credit note takes back revenue and taxes as it names them, and owes them to the customer.
WITH signed AS (
  SELECT id, property_id, currency, (document ->> 'businessDate')::date AS business_date, document
  FROM invoices
  CROSS JOIN LATERAL CAST(payload AS jsonb) AS document
  WHERE document_type = 'credit_note'
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
SELECT id, concat_ws(' ', pattern, 'of', actor, verdict)
FROM ai_signals
WHERE state_digest <> sha256(convert_to(concat('{"actor":', to_json(actor), ',"businessDate":',
  to_json(business_date::text), ',"id":', to_json(id), ',"pattern":', to_json(pattern),
  ',"propertyId":', to_json(property_id), ',"scorePpm":', score_ppm, ',"verdict":',
  coalesce(to_json(verdict)::text, 'null'), '}'), 'UTF8'));

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
    'reconciliation', 'dispute')
  ORDER BY aggregate_kind, aggregate_id, sequence DESC
) AS last ON aggregate_id = id AND aggregate_kind = kind
WHERE (version, trail, state_digest) IS DISTINCT FROM (sequence, hash, digest_after);

-- invariant: a_folio_is_what_its_trail_digested
-- The state that a folio's trail digested is the one that it is in.
SELECT id, concat('is ', status, ' at ', balance_micro, ' with ', last_line, ' lines')
FROM folios
WHERE state_digest <> sha256(convert_to(concat(
  '{"balanceMicro":', balance_micro, ',"currency":', to_json(currency), ',"id":', to_json(id),
  ',"lastLine":', last_line, ',"propertyId":', to_json(property_id),
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
-- A folio's trail begins with its opening; it ends with its closing when, and only when, it closed.
SELECT folios.id, concat_ws(' ', status, 'from', first, 'to', last)
FROM folios
JOIN (
  SELECT aggregate_id, (array_agg(action ORDER BY sequence))[1] AS first,
         (array_agg(action ORDER BY sequence DESC))[1] AS last,
         count(*) FILTER (WHERE action = 'folio.closed') AS closings
  FROM audit_entries
  GROUP BY aggregate_id
) AS trails ON aggregate_id = folios.id
WHERE first <> 'folio.opened'
   OR closings <> (status = 'closed')::integer
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
              ('$.**.reconciliationId'))
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
  AND relname IN ('audit_entries', 'cash_movements', 'credit_ledger_entries', 'credit_note_lines',
    'credit_note_signatures', 'credit_notes', 'folio_lines', 'invoice_lines', 'invoice_signatures',
    'invoices', 'ledger_entries', 'night_audits', 'refund_settlements', 'refunds',
    'settings_versions', 'settlements', 'webhook_attempts', 'webhook_events')
  AND (has_any_column_privilege(oid, 'UPDATE') OR has_table_privilege(oid, 'DELETE, TRUNCATE'));

-- invariant: what_may_happen_once_is_guarded
-- Each unique constraint that lets a thing happen once is there.
SELECT name, 'is not there'
FROM unnest(ARRAY['audit_entries_are_consecutive', 'audit_entry_is_written_once',
  'command_is_answered_once', 'copies_are_numbered', 'credits_of_a_line_follow_one_another',
  'credits_of_an_invoice_stand_together', 'day_ends_once', 'day_is_looked_at_once',
  'day_is_reconciled_once', 'dispute_is_recorded_once', 'event_takes_effect_once', 'external_reference_is_posted_once',
  'folio_lines_are_consecutive', 'invoice_is_signed_once', 'invoice_number_is_given_once',
  'invoice_waits_once', 'line_id_is_used_once', 'line_is_moved_once', 'line_is_on_one_document',
  'line_is_voided_once', 'line_stands_once_on_a_credit_note', 'movement_is_booked_once',
  'night_is_charged_once', 'night_is_planned_once', 'one_folio_per_reservation_and_window',
  'one_open_session_per_drawer', 'one_person_per_invoice',
  'one_series_per_jurisdiction_type_and_year', 'printed_number_is_given_once',
  'processor_payment_is_recorded_once', 'refund_is_confirmed_on_its_own', 'refund_is_reversed_once',
  'refund_is_settled_once', 'refund_waits_once', 'refunds_pkey',
  'settings_versions_are_consecutive', 'signal_is_raised_once', 'stay_is_planned_once',
  'webhook_is_kept_once', 'webhook_is_numbered_once', 'webhook_takes_effect_once']) AS name
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
