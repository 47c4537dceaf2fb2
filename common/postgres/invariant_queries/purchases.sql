-- Purchases of prepaid credits, and the money of them.

-- invariant: a_paid_purchase_is_granted_and_booked_once
-- A purchase that was paid has its credits, all of them and in its account, and its money is booked;
-- one that was not has neither.
SELECT paid.id, concat_ws(' ', status, 'for', paid.credits_micro, 'at', paid.amount_micro, 'granted',
  granted_micro, 'booked', sales.amount_micro)
FROM credit_purchases AS paid
LEFT JOIN credit_lots AS lots ON lots.source_key = concat('purchase:', paid.id)
LEFT JOIN credit_sale_entries AS sales ON sales.source = concat('purchase:', paid.id)
WHERE (lots.source, lots.account_id, lots.granted_micro, sales.debit_account, sales.credit_account,
       sales.amount_micro, sales.currency, sales.part, sales.purchase_id) IS DISTINCT FROM
        (CASE WHEN status = 'succeeded' THEN 'purchase' END,
         CASE WHEN status = 'succeeded' THEN paid.account_id END,
         CASE WHEN status = 'succeeded' THEN paid.credits_micro END,
         CASE WHEN status = 'succeeded' THEN 'processor_clearing' END,
         CASE WHEN status = 'succeeded' THEN 'credits_sold' END,
         CASE WHEN status = 'succeeded' THEN paid.amount_micro END,
         CASE WHEN status = 'succeeded' THEN paid.currency END,
         CASE WHEN status = 'succeeded' THEN 0 END,
         CASE WHEN status = 'succeeded' THEN paid.id END);

-- invariant: credits_of_a_purchase_were_paid_for
-- Credits that were granted for a payment of this house are those of a purchase that was paid.
SELECT lots.id, concat(source_key, ' was not paid')
FROM credit_lots AS lots
LEFT JOIN credit_purchases AS paid ON concat('purchase:', paid.id) = source_key
WHERE source = 'purchase'
  AND source_key ~ '^purchase:pin_[0-9A-HJKMNP-TV-Z]{26}$'
  AND status IS DISTINCT FROM 'succeeded';

-- invariant: a_purchase_waits_while_it_is_under_way
-- What may still be paid waits in the queue, and nothing else does.
SELECT coalesce(id, purchase_id), concat_ws(' ', status, 'waits', purchase_id IS NOT NULL)
FROM credit_purchases
FULL JOIN credit_purchase_queue ON purchase_id = id
WHERE coalesce(status IN ('processing', 'requires_action'), false) <> (purchase_id IS NOT NULL);

-- invariant: credits_follow_their_money_back
-- What went back of a purchase's money has taken its share of the credits along, and what came back
-- of that came back once, also of a dispute that was won. A claw-back by hand is another matter.
WITH moved AS (
  SELECT purchase_id, sum(CASE debit_account WHEN 'credits_sold' THEN amount_micro
           ELSE -amount_micro END) AS back
  FROM credit_sale_entries
  WHERE source <> concat('purchase:', purchase_id)
  GROUP BY purchase_id
)
SELECT paid.id, concat_ws(' ', back, 'of', amount_micro, 'went back, and', asked, 'credits')
FROM credit_purchases AS paid
JOIN moved ON purchase_id = paid.id
JOIN credit_lots AS lots ON lots.source_key = concat('purchase:', paid.id)
LEFT JOIN LATERAL (
  SELECT coalesce(sum(asked_micro), 0) AS asked,
         coalesce(bool_or(sales.source IS NULL), false) AS is_by_hand
  FROM credit_claw_backs AS claws
  LEFT JOIN credit_sale_entries AS sales
    ON sales.source = regexp_replace(claws.source_key, '^kept:', '') AND sales.part = 0
  WHERE claws.lot_id = lots.id
    AND NOT EXISTS (
      SELECT FROM credit_claw_back_reversals AS reversals
      WHERE reversals.source_key = claws.source_key)
) AS claws ON true
WHERE NOT is_by_hand
  AND asked <> div(credits_micro::numeric * least(back, amount_micro), amount_micro)
UNION ALL
SELECT won.source, 'came back and had not gone'
FROM credit_sale_entries AS won
LEFT JOIN credit_sale_entries AS gone ON gone.source = won.source AND gone.part = 0
WHERE won.part = 1
  AND (gone.amount_micro, gone.currency, gone.purchase_id, gone.debit_account, won.debit_account)
        IS DISTINCT FROM
        (won.amount_micro, won.currency, won.purchase_id, 'credits_sold', 'processor_clearing');

-- invariant: an_account_fills_itself_up_within_its_cap
-- Of an account no more is bought by itself in a calendar month than its cap, unless that was
-- lowered since; and only one such purchase is under way.
SELECT account_id, concat_ws(' ', 'topped up', count(*), 'at once')
FROM credit_purchases
WHERE origin = 'top_up'
  AND status IN ('processing', 'requires_action')
GROUP BY account_id
HAVING count(*) > 1
UNION ALL
SELECT top_ups.account_id, concat_ws(' ', 'topped up', bought, 'of', monthly_cap_micro)
FROM credit_top_ups AS top_ups
JOIN (
  SELECT account_id, date_trunc('month', created_at, 'UTC') AS month, sum(credits_micro) AS bought,
         min(created_at) AS first_at
  FROM credit_purchases
  WHERE origin = 'top_up'
    AND status NOT IN ('failed', 'canceled')
  GROUP BY account_id, date_trunc('month', created_at, 'UTC')
) AS months ON months.account_id = top_ups.account_id
WHERE bought > monthly_cap_micro
  AND set_at <= first_at;

-- invariant: a_purchase_is_what_its_trail_digested
-- The state that a purchase's trail digested is the one that it is in.
SELECT id, concat_ws(' ', status, credits_micro, 'at', amount_micro, currency)
FROM credit_purchases
WHERE state_digest <> sha256(convert_to(concat(
  '{"accountId":', to_json(account_id), ',"amountMicro":', amount_micro,
  ',"creditsMicro":', credits_micro, ',"currency":', to_json(currency),
  ',"failureCode":', coalesce(to_json(failure_code)::text, 'null'), ',"id":', to_json(id),
  ',"origin":', to_json(origin),
  ',"processorPaymentId":', coalesce(to_json(processor_payment_id)::text, 'null'),
  ',"status":', to_json(status), '}'), 'UTF8'));
