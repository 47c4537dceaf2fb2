-- What went back of the money of the platform's invoices.

-- invariant: a_platform_credit_note_is_as_it_was_written
-- A credit note of the platform fits its hash, and names the invoice that it corrects.
SELECT notes.id, concat_ws(' ', notes.number, 'of', invoices.number, 'comes to', notes.total_micro)
FROM billing_central.platform_credit_notes AS notes
LEFT JOIN billing_central.subscription_invoices AS invoices ON invoices.id = invoice_id
WHERE notes.tenant_id = billing_central.current_tenant()
  AND (notes.payload_sha256, notes.number, notes.total_micro, notes.tax_micro, notes.currency,
       invoices.number, encode(invoices.payload_sha256, 'hex'), invoices.tenant_id)
      IS DISTINCT FROM
      (sha256(convert_to(notes.payload, 'UTF8')), notes.payload::jsonb ->> 'number',
       (notes.payload::jsonb ->> 'totalMicro')::bigint,
       (notes.payload::jsonb #>> '{tax,taxMicro}')::bigint, notes.payload::jsonb ->> 'currency',
       notes.payload::jsonb #>> '{invoice,number}',
       notes.payload::jsonb #>> '{invoice,payloadSha256}', notes.tenant_id);

-- invariant: what_was_refunded_of_an_invoice_is_credited
-- Credit notes of an invoice come to what it says was refunded, and to the share of its tax that is
-- the share of its total, rounded once, half away from zero.
WITH minor AS (
  SELECT id AS invoice_id, CASE
    WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX',
      'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 1000000
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1000
    WHEN currency IN ('CLF', 'UYW') THEN 100
    ELSE 10000 END AS unit
  FROM billing_central.subscription_invoices
  WHERE tenant_id = billing_central.current_tenant()
)
SELECT invoices.id, concat_ws(' ', number, 'refunded', refunded_micro, 'credited', credited,
  'with tax of', tax)
FROM billing_central.subscription_invoices AS invoices
JOIN minor ON minor.invoice_id = invoices.id
CROSS JOIN LATERAL (
  SELECT coalesce(sum(notes.total_micro), 0) AS credited,
         coalesce(sum(notes.tax_micro), 0) AS tax
  FROM billing_central.platform_credit_notes AS notes
  WHERE notes.invoice_id = invoices.id
    AND notes.currency = invoices.currency
) AS given_back
WHERE (credited, tax) IS DISTINCT FROM
      (refunded_micro::numeric,
       CASE WHEN refunded_micro = 0 THEN 0
         ELSE round(tax_micro::numeric * refunded_micro / total_micro / unit) * unit END);

-- invariant: money_that_went_back_is_booked
-- A credit note is booked out of what the processor holds, what it was for and its tax apart. Of a
-- dispute of an invoice the money is booked as it stands, with the processor's fee for it, and the
-- invoice says how much of it is withheld and how much is lost; what lay here as a refund had come
-- back, and has gone by the claim, is no loss. What came a second time for an
-- invoice is booked in and out again, and lies where it is to be returned while it could not go; so
-- does what came back of a refund that was made, until that has gone.
WITH expected AS (
  SELECT concat('refund:', processor_refund_id) AS source, part, invoice_id, debit,
         'processor_clearing' AS credit, currency, micro
  FROM billing_central.platform_credit_notes AS notes
  CROSS JOIN LATERAL (
    VALUES (0, 'subscription_refunds', net_micro),
           (1, concat('vat_payable:', payload::jsonb #>> '{tax,country}'), tax_micro)
  ) AS parts (part, debit, micro)
  WHERE tenant_id = billing_central.current_tenant() AND micro > 0
  UNION ALL
  SELECT concat('dispute:', processor_dispute_id), 0, subscription_invoice_id, 'disputed_funds',
         'processor_clearing', currency, amount_micro
  FROM payment_disputes
  WHERE subscription_invoice_id IS NOT NULL AND is_withheld
  UNION ALL
  SELECT concat('dispute:', processor_dispute_id), 1, subscription_invoice_id,
         CASE status WHEN 'won' THEN 'processor_clearing' ELSE 'dispute_losses' END,
         'disputed_funds', currency, amount_micro - lay_here
  FROM payment_disputes
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(refunds.amount_micro), 0) AS lay_here
    FROM billing_central.subscription_refunds AS refunds
    WHERE refunds.tenant_id = billing_central.current_tenant() AND made_there = processor_dispute_id
  ) AS came_back
  WHERE subscription_invoice_id IS NOT NULL AND is_withheld AND status IN ('won', 'lost')
    AND amount_micro > lay_here
  UNION ALL
  SELECT concat('dispute:', processor_dispute_id), part, second.invoice_id, debit, credit,
         disputes.currency, micro
  FROM payment_disputes AS disputes
  JOIN billing_central.subscription_payments AS second ON second.id = surplus_id
  CROSS JOIN LATERAL (
    VALUES (0, 'disputed_funds', 'processor_clearing', disputes.amount_micro, true),
           (1, 'processor_clearing', 'disputed_funds', disputes.amount_micro,
            disputes.status = 'won'),
           (1, 'dispute_losses', 'disputed_funds', disputes.amount_micro - on_account_micro,
            disputes.status = 'lost')
  ) AS parts (part, debit, credit, micro, is_so)
  WHERE is_withheld AND is_so AND micro > 0
  UNION ALL
  -- what comes in and goes out in turn: an even part comes in, and what has failed lies here
  SELECT lying.source, part, invoice_id,
         CASE part % 2 WHEN 0 THEN 'processor_clearing' ELSE 'payments_to_return' END,
         CASE WHEN part % 2 = 0 THEN 'payments_to_return'
           WHEN part = last_part AND claims.id IS NOT NULL THEN 'disputed_funds'
           ELSE 'processor_clearing' END,
         refunds.currency, refunds.amount_micro
  FROM billing_central.subscription_refunds AS refunds
  CROSS JOIN LATERAL (
    SELECT coalesce('surplus:' || surplus_id, 'came_back:' || came_back_of) AS source,
           CASE WHEN surplus_id IS NULL THEN 2 ELSE 0 END AS first_part
  ) AS lying
  CROSS JOIN LATERAL (
    SELECT greatest(coalesce(max(part), 0), CASE WHEN surplus_id IS NULL THEN 2 ELSE 1 END) AS last
    FROM billing_central.platform_reversal_entries AS entries
    WHERE entries.tenant_id = refunds.tenant_id AND entries.source = lying.source
  ) AS ends
  CROSS JOIN LATERAL (
    SELECT last + ((last % 2 = 0) <> (refunds.status = 'failed'))::integer AS last_part
  ) AS due
  CROSS JOIN LATERAL generate_series(first_part, last_part) AS part
  LEFT JOIN payment_disputes AS claims ON processor_dispute_id = made_there
  WHERE refunds.tenant_id = billing_central.current_tenant() AND lying.source IS NOT NULL
), booked AS (
  SELECT source, part::integer, invoice_id, debit_account, credit_account, currency, amount_micro
  FROM billing_central.platform_reversal_entries
  WHERE tenant_id = billing_central.current_tenant()
    AND (starts_with(source, 'refund:') OR starts_with(source, 'surplus:')
      OR starts_with(source, 'came_back:') OR starts_with(source, 'dispute:') AND part < 2)
)
SELECT source, concat_ws(' ', 'not booked:', debit, credit, micro, currency)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM booked) AS missing
UNION ALL
SELECT source, concat_ws(' ', 'booked:', debit_account, credit_account, amount_micro, currency)
FROM (SELECT * FROM booked EXCEPT ALL SELECT * FROM expected) AS surplus
UNION ALL
SELECT coalesce(id, source), concat_ws(' ', 'charged', fee_micro, 'booked', micro)
FROM (
  SELECT * FROM payment_disputes WHERE coalesce(subscription_invoice_id, surplus_id) IS NOT NULL
) AS disputes
FULL JOIN (
  SELECT source, currency,
         sum(CASE debit_account WHEN 'dispute_fees' THEN amount_micro ELSE -amount_micro END)
           AS micro
  FROM billing_central.platform_reversal_entries
  WHERE tenant_id = billing_central.current_tenant()
    AND starts_with(source, 'dispute:') AND part >= 2
  GROUP BY source, currency
) AS fees ON source = concat('dispute:', processor_dispute_id) AND fees.currency = fee_currency
WHERE coalesce(fee_micro, 0) <> coalesce(micro, 0)
UNION ALL
SELECT invoices.id, concat_ws(' ', number, 'withheld', withheld_micro, 'lost', lost_micro)
FROM billing_central.subscription_invoices AS invoices
CROSS JOIN LATERAL (
  SELECT coalesce(sum(amount_micro) FILTER (WHERE status NOT IN ('won', 'lost')), 0) AS withheld,
         coalesce(sum(amount_micro - lay_here) FILTER (WHERE status = 'lost'), 0) AS lost
  FROM payment_disputes
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(refunds.amount_micro), 0) AS lay_here
    FROM billing_central.subscription_refunds AS refunds
    WHERE refunds.tenant_id = invoices.tenant_id AND made_there = processor_dispute_id
  ) AS came_back
  WHERE subscription_invoice_id = invoices.id AND is_withheld
) AS asked
WHERE tenant_id = billing_central.current_tenant()
  AND (withheld_micro::numeric, lost_micro::numeric) IS DISTINCT FROM (withheld, lost);

-- invariant: credits_follow_the_money_of_their_invoice
-- Of the credits of a period the share is taken back that is gone of its invoice's money, no less:
-- what was refunded, what banks hold, and what they have.
SELECT invoices.id, concat_ws(' ', number, 'gone', gone, 'of', total_micro, 'taken back', taken,
  'of', granted_micro)
FROM billing_central.subscription_invoices AS invoices
JOIN credit_lots AS lots
  ON lots.id = lots.root_id AND lots.source = 'renewal'
  AND starts_with(lots.source_key, concat('renewal:', invoices.subscription_id, ':'))
  AND substr(lots.source_key, length(concat('renewal:', invoices.subscription_id, ':')) + 1)
        ::timestamptz = invoices.period_start
CROSS JOIN LATERAL (
  SELECT least(refunded_micro + withheld_micro + lost_micro, total_micro)::numeric AS gone,
         (SELECT coalesce(sum(asked_micro), 0)
          FROM credit_claw_backs AS claws
          WHERE claws.lot_id = lots.id
            AND NOT EXISTS (
              SELECT FROM credit_claw_back_reversals AS reversals
              WHERE reversals.source_key = claws.source_key)) AS taken
) AS sums
WHERE invoices.tenant_id = billing_central.current_tenant()
  AND purpose = 'period'
  AND total_micro > 0
  AND taken < div(granted_micro * gone, total_micro);

-- invariant: a_platform_refund_is_credited_when_it_was_made
-- A refund of an invoice that the platform has asked for is credited once it was made, for as much,
-- and no other, nor what goes back of money that came twice, nor what came back of a refund that was
-- made; and the state that its trail digested is the one that it is in.
SELECT refunds.id, concat_ws(' ', status, refunds.amount_micro, 'credited', notes.total_micro)
FROM billing_central.subscription_refunds AS refunds
LEFT JOIN billing_central.platform_credit_notes AS notes
  ON processor_refund_id = refunds.id AND notes.tenant_id = refunds.tenant_id
CROSS JOIN LATERAL (
  SELECT status = 'succeeded' AND coalesce(surplus_id, came_back_of) IS NULL AS is_credited
) AS kind
WHERE refunds.tenant_id = billing_central.current_tenant()
  AND ((notes.invoice_id, notes.total_micro, notes.currency) IS DISTINCT FROM
       (CASE WHEN is_credited THEN refunds.invoice_id END,
        CASE WHEN is_credited THEN refunds.amount_micro END,
        CASE WHEN is_credited THEN refunds.currency END)
    OR state_digest <> sha256(convert_to(concat('{"amountMicro":', amount_micro,
         CASE WHEN came_back_of IS NOT NULL
           THEN concat(',"cameBackOf":', to_json(came_back_of)) END,
         ',"currency":',
         to_json(refunds.currency), ',"failureCode":',
         coalesce(to_json(failure_code)::text, 'null'), ',"id":', to_json(refunds.id),
         ',"invoiceId":', to_json(refunds.invoice_id),
         CASE WHEN made_there IS NOT NULL THEN concat(',"madeThere":', to_json(made_there)) END,
         ',"status":', to_json(status),
         CASE WHEN surplus_id IS NOT NULL THEN concat(',"surplusOf":', to_json(surplus_id)) END,
         '}'), 'UTF8')));

-- invariant: what_a_credit_pays_is_set_off_once
-- What an invoice says that credits have paid of it is what is booked of that: by the documents that
-- say so, for as much, and by credits that were given back; of these, by the one payment of it that
-- took more than was left, and no more than that.
SELECT invoices.id, concat_ws(' ', number, 'set off', set_off_micro, 'booked', booked)
FROM billing_central.subscription_invoices AS invoices
LEFT JOIN LATERAL (
  SELECT sum(CASE debit_account WHEN 'customer_credit' THEN amount_micro ELSE -amount_micro END)
           AS booked
  FROM billing_central.platform_reversal_entries AS moved
  WHERE moved.invoice_id = invoices.id
    AND moved.currency = invoices.currency
    AND starts_with(source, 'set_off')
) AS sums ON true
WHERE tenant_id = billing_central.current_tenant()
  AND set_off_micro <> coalesce(booked, 0)
UNION ALL
SELECT coalesce(said.source, booked.source), concat_ws(' ', 'says', said.micro, 'of',
  said.invoice_id, 'booked', booked.amount_micro, 'of', booked.invoice_id, debit_account,
  credit_account)
FROM (
  SELECT concat('set_off:', id) AS source, place - 1 AS part, share #>> '{invoice,id}' AS invoice_id,
         (share ->> 'amountMicro')::bigint AS micro
  FROM billing_central.subscription_invoices
  CROSS JOIN LATERAL jsonb_array_elements(payload::jsonb -> 'setOff') WITH ORDINALITY
    AS shares (share, place)
  WHERE tenant_id = billing_central.current_tenant()
    AND position('"setOff":' IN payload) > 0
) AS said
FULL JOIN (
  SELECT *
  FROM billing_central.platform_reversal_entries
  WHERE tenant_id = billing_central.current_tenant()
    AND starts_with(source, 'set_off:sin_')
) AS booked ON booked.source = said.source AND booked.part = said.part
WHERE (said.invoice_id, said.micro, 'customer_credit', 'receivable') IS DISTINCT FROM
      (booked.invoice_id, booked.amount_micro, debit_account, credit_account)
UNION ALL
SELECT source, concat_ws(' ', 'gives back', back.amount_micro, 'of', back.invoice_id, 'paid by',
  paid_by)
FROM billing_central.platform_reversal_entries AS back
LEFT JOIN billing_central.subscription_invoices AS invoices ON invoices.id = back.invoice_id
WHERE back.tenant_id = billing_central.current_tenant()
  AND starts_with(source, 'set_off_back:')
  AND (concat('set_off_back:', paid_by), credit_account) IS DISTINCT FROM
      (source, 'customer_credit');

-- invariant: what_came_twice_goes_back_once
-- Of a charge that came second for its invoice, which another one has paid, all goes back by one
-- refund; and no other charge is a surplus. While a bank asks for it, nothing is promised, and what
-- had not gone goes by a claim that was lost, once.
SELECT coalesce(charges.id, refunds.id), concat_ws(' ', charges.status, charges.amount_micro,
  'goes back by', refunds.amount_micro, 'of', refunds.invoice_id)
FROM (
  SELECT *
  FROM billing_central.subscription_payments
  WHERE tenant_id = billing_central.current_tenant() AND status = 'refunded'
) AS charges
FULL JOIN (
  SELECT *
  FROM billing_central.subscription_refunds
  WHERE tenant_id = billing_central.current_tenant() AND surplus_id IS NOT NULL
) AS refunds ON surplus_id = charges.id
LEFT JOIN billing_central.subscription_invoices AS invoices ON invoices.id = charges.invoice_id
WHERE (charges.amount_micro, charges.currency, charges.invoice_id, charges.subscription_id,
       goes_back_as)
      IS DISTINCT FROM
      (refunds.amount_micro, refunds.currency, refunds.invoice_id, refunds.subscription_id,
       refunds.id)
   OR charges.processor_payment_id <> refunds.processor_payment_id
   OR paid_by IS NULL
   OR paid_by = charges.id
UNION ALL
SELECT claims.id, concat_ws(' ', 'is', claims.status, 'over', on_account_micro, 'and the refund',
  refunds.status, made_there)
FROM payment_disputes AS claims
JOIN billing_central.subscription_refunds AS refunds USING (surplus_id)
WHERE is_withheld AND claims.status NOT IN ('won', 'lost') AND refunds.status = 'pending'
UNION ALL
SELECT claims.id, concat_ws(' ', 'is', claims.status, 'over', on_account_micro, 'and took',
  refunds.amount_micro)
FROM (SELECT * FROM payment_disputes WHERE surplus_id IS NOT NULL AND on_account_micro > 0) AS claims
LEFT JOIN billing_central.subscription_refunds AS refunds ON made_there = processor_dispute_id
WHERE (claims.status, on_account_micro, claims.currency)
        IS DISTINCT FROM ('lost', refunds.amount_micro, refunds.currency);

-- invariant: what_came_back_was_given_back
-- What came back is of a refund that was made of the same invoice, of the same amount: one that is
-- credited, one of what came second, or one by which somebody had given back what came back before.
SELECT again.id, concat_ws(' ', 'of', again.came_back_of, again.amount_micro, again.currency)
FROM billing_central.subscription_refunds AS again
WHERE again.tenant_id = billing_central.current_tenant()
  AND came_back_of IS NOT NULL
  AND NOT EXISTS (
    SELECT FROM billing_central.platform_credit_notes AS notes
    WHERE (notes.tenant_id, processor_refund_id, notes.invoice_id, total_micro, notes.currency)
        = (again.tenant_id, again.came_back_of, again.invoice_id, again.amount_micro,
           again.currency))
  AND NOT EXISTS (
    SELECT FROM billing_central.subscription_refunds AS made
    WHERE made.status = 'succeeded'
      AND (made.tenant_id, coalesce(made.made_there, made.id), made.invoice_id, made.amount_micro,
           made.currency)
        = (again.tenant_id, again.came_back_of, again.invoice_id, again.amount_micro,
           again.currency));

-- invariant: what_goes_back_once_is_guarded
-- Each unique constraint that lets money of an invoice go back once is there.
SELECT name, 'is not there'
FROM unnest(ARRAY['platform_credit_number_is_given_once', 'platform_refund_comes_back_once',
  'platform_refund_is_credited_once',
  'printed_platform_credit_number_is_given_once', 'refund_is_of_one_surplus',
  'refund_made_there_counts_once', 'reversal_is_booked_once', 'surplus_goes_back_once']) AS name
LEFT JOIN (pg_index JOIN pg_class ON pg_class.oid = indexrelid)
  ON relname = name AND relnamespace = 'billing_central'::regnamespace
     AND indisunique AND indisvalid
WHERE relname IS NULL;
