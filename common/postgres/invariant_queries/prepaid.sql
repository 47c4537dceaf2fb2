-- Prepaid credits.

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
           ('spend', 'capture', 'expire', 'claw_back', 'give_back', 'debt_paid', 'redeem',
            'restore')), 0) AS gone
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
    ('debt_paid', 0, mine, owed, -amount_micro), ('debt_waived', 0, 'waived', owed, -debt_micro),
    ('redeem', 0, mine, 'owed_to_house', -amount_micro),
    ('restore', 0, 'owed_to_house', mine, amount_micro)
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
  WHEN kind IN ('spend', 'hold', 'transfer_out', 'claw_back', 'redeem')
    THEN lots.expires_at <= occurred_at
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

-- invariant: credits_that_paid_are_payments_of_folios
-- What credits took for bills, and what refunds gave back of it, are the payments and the refunds of
-- folios: of the account that the payment names, as many as it says, and of a refund its share. So
-- what the platform owes the house for them is the sum of both, at the rate of each payment.
WITH expected AS (
  SELECT id AS source, 'redeem' AS kind, credit_account_id AS account_id, -credits_micro AS micro
  FROM payments
  WHERE method = 'credits'
  UNION ALL
  SELECT refunds.id, 'restore', credit_account_id,
         credits_micro / payments.paid_amount_micro * refunds.paid_amount_micro
  FROM refunds
  LEFT JOIN payments ON payments.id = payment_id
  WHERE refunds.method = 'credits'
), moved AS (
  SELECT reference, kind, account_id, amount_micro
  FROM credit_ledger_entries
  WHERE kind IN ('redeem', 'restore')
)
SELECT source, concat_ws(' ', 'did not', kind, 'of', account_id, micro)
FROM (SELECT * FROM expected EXCEPT ALL SELECT * FROM moved) AS missing
UNION ALL
SELECT reference, concat_ws(' ', 'is no bill of', account_id, kind, amount_micro)
FROM (SELECT * FROM moved EXCEPT ALL SELECT * FROM expected) AS surplus;

-- invariant: an_account_of_credits_is_what_its_trail_digested
-- The state that an account's trail digested is the one that it is in.
SELECT id, concat_ws(' ', name, 'has', balance_micro, 'holds', held_micro, 'owes', debt_micro)
FROM credit_accounts
WHERE version > 0
  AND state_digest <> sha256(convert_to(concat(
  '{"balanceMicro":', balance_micro, ',"debtMicro":', debt_micro, ',"heldMicro":', held_micro,
  ',"id":', to_json(id), ',"lastEntry":', last_entry, ',"name":', to_json(name), '}'), 'UTF8'));
