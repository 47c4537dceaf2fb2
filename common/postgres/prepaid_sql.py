"""The questions about prepaid credits.

Which accounts are meant is said by a condition; lots, holds and shares are asked for by the same
one, in the same round trip and as statements of their own: behind the accounts' locks they are read
as whoever held those before has left them.
"""

from typing import Final

from common.domain.dataclass import dataclass
from common.postgres.prepaid_rows import (
    ACCOUNT_COLUMNS,
    ENTRY_COLUMNS,
    HOLD_COLUMNS,
    LOT_COLUMNS,
)


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked about accounts: they themselves, and what they hold."""

    get: str
    take: str
    lots: str
    holds: str
    shares: str

    @classmethod
    def about(cls, accounts: str, *, also_lots: str = "false") -> "Questions":
        """`accounts` is the condition, `also_lots` one for lots with nothing left."""
        of_them = f"account_id IN (SELECT id FROM credit_accounts WHERE {accounts})"
        get = f"SELECT tenant_id, {ACCOUNT_COLUMNS}\nFROM credit_accounts\nWHERE {accounts}\n"
        return cls(
            get=get,
            take=f"{get}ORDER BY id\nFOR NO KEY UPDATE\n",
            lots=f"""
SELECT tenant_id, {LOT_COLUMNS}
FROM credit_lots
WHERE {of_them}
  AND (left_micro > 0 OR {also_lots})
""",
            holds=f"""
SELECT tenant_id, {HOLD_COLUMNS}
FROM credit_holds
WHERE {of_them}
  AND status = 'open'
ORDER BY id
""",
            shares=f"""
SELECT entries.tenant_id, hold_id, lot_id, lots.held_micro
FROM credit_ledger_entries AS entries
JOIN credit_entry_lots AS lots ON lots.entry_id = entries.id
WHERE kind = 'hold'
  AND hold_id IN (SELECT id FROM credit_holds WHERE {of_them} AND status = 'open')
ORDER BY hold_id, lot_id
""",
        )


BY_NAME: Final = Questions.about("name = $1")
BY_ID: Final = Questions.about("id = $1")
BY_HOLD: Final = Questions.about("id = (SELECT account_id FROM credit_holds WHERE id = $1)")
ALL: Final = Questions.about("true")
# What moves goes on in the lot of the same grant, also where that has nothing left.
BOTH: Final = Questions.about(
    "name IN ($1, $2)",
    also_lots="""root_id IN (
         SELECT moving.root_id
         FROM credit_lots AS moving
         JOIN credit_accounts ON credit_accounts.id = moving.account_id
         WHERE name = $1 AND moving.left_micro > 0)""",
)

ITS_LOT: Final = "(SELECT lot_id FROM credit_claw_backs WHERE source_key = $1)"
BY_CLAW_BACK: Final = Questions.about(
    f"id = (SELECT account_id FROM credit_lots WHERE id = {ITS_LOT})",
    also_lots=f"id = {ITS_LOT}",
)

# Also the lots that have nothing left: what comes back goes to where it was taken.
TOOK: Final = """id IN (
         SELECT moved.lot_id
         FROM credit_entry_lots AS moved
         JOIN credit_ledger_entries AS entries ON entries.id = moved.entry_id
         WHERE entries.kind = 'redeem' AND entries.reference = $1)"""
BY_PAYMENT: Final = Questions.about(
    "id = (SELECT credit_account_id FROM payments WHERE id = $1)", also_lots=TOOK
)
REDEEMED: Final = """
SELECT lots.tenant_id, lot_id, -sum(lots.amount_micro)::bigint, min(occurred_at)
FROM credit_ledger_entries AS entries
JOIN credit_entry_lots AS lots ON lots.entry_id = entries.id
WHERE kind IN ('redeem', 'restore')
  AND (reference = $1 OR reference IN (SELECT id FROM refunds WHERE payment_id = $1))
GROUP BY lots.tenant_id, lot_id
"""

# Who takes credits back must find them wherever they are: in an account that opens meanwhile, too.
# So transfers go on beside one another, and stand still for a claw-back.
MOVING: Final = """
SELECT current_setting('app.tenant_id')::uuid,
       pg_advisory_xact_lock_shared(hashtextextended($1, 0))
"""
NOBODY_MOVES: Final = """
SELECT current_setting('app.tenant_id')::uuid, pg_advisory_xact_lock(hashtextextended($1, 0))
"""
OPEN: Final = """
INSERT INTO credit_accounts (id, name, balance_micro, held_micro, debt_micro, last_entry,
  free_used_micro, opened_at, version, trail)
VALUES ($1, $2, 0, 0, 0, 0, 0, $3, 0, decode(repeat('00', 32), 'hex'))
ON CONFLICT DO NOTHING
"""
GRANTED_FOR: Final = f"SELECT tenant_id, {LOT_COLUMNS} FROM credit_lots WHERE source_key = $1"
HOLD: Final = f"SELECT tenant_id, {HOLD_COLUMNS} FROM credit_holds WHERE id = $1"
# What left for good, but by its expiry: with what stands of what was taken back. What came back to
# a lot that had expired has gone on in another one, and was used of this.
GONE: Final = """
SELECT roots.tenant_id, coalesce(-sum(moved.amount_micro), 0)::bigint
FROM credit_lots AS roots
JOIN credit_lots AS pieces ON pieces.root_id = roots.id
JOIN credit_entry_lots AS moved ON moved.lot_id = pieces.id
JOIN credit_ledger_entries AS entries ON entries.id = moved.entry_id
WHERE roots.source_key = $1
  AND entries.kind NOT IN ('grant', 'expire', 'transfer_out', 'transfer_in')
  AND NOT (entries.kind = 'restore' AND coalesce(pieces.expires_at <= entries.occurred_at, false))
GROUP BY roots.tenant_id
"""
TAKEN_BACK: Final = """
SELECT credit_claw_backs.tenant_id, credit_claw_backs.source_key, asked_micro, debt_micro,
       taken_micro
FROM credit_claw_backs
JOIN credit_lots ON credit_lots.id = lot_id
WHERE credit_lots.source_key = $1
  AND NOT EXISTS (
    SELECT FROM credit_claw_back_reversals AS reversals
    WHERE reversals.source_key = credit_claw_backs.source_key)
"""

CLAW_BACK: Final = """
SELECT tenant_id, source_key, lot_id, asked_micro, taken_micro, debt_micro, reason
FROM credit_claw_backs
WHERE source_key = $1
"""
REVERSED: Final = "SELECT tenant_id FROM credit_claw_back_reversals WHERE source_key = $1"
DEBT_MOVES: Final = f"""
SELECT tenant_id, kind, reference, debt_micro
FROM credit_ledger_entries
WHERE account_id = (SELECT account_id FROM credit_lots WHERE id = {ITS_LOT})
  AND debt_micro <> 0
ORDER BY sequence
"""
TAKEN_BACK_FOR: Final = "SELECT tenant_id FROM credit_claw_backs WHERE source_key = $1"
WARNED: Final = """
SELECT credit_expiry_warnings.tenant_id, lot_id, days_before
FROM credit_expiry_warnings
JOIN credit_lots ON credit_lots.id = lot_id
WHERE account_id = $1
  AND left_micro > 0
"""
DUE: Final = """
SELECT tenant_id, account_id
FROM credit_lots
WHERE left_micro > 0
  AND expires_at <= $1
  AND left_micro > held_micro
UNION
SELECT tenant_id, account_id
FROM credit_holds
WHERE status = 'open'
  AND expires_at <= $1
UNION
SELECT lots.tenant_id, account_id
FROM credit_lots AS lots
CROSS JOIN (VALUES (7), (1)) AS warnings (days)
WHERE left_micro > 0
  AND expires_at > $1
  AND expires_at <= $1::timestamptz + days * interval '1 day'
  AND (days = 1 OR expires_at > $1::timestamptz + interval '1 day')
  AND NOT EXISTS (
    SELECT FROM credit_expiry_warnings
    WHERE lot_id = lots.id
      AND days_before = days)
ORDER BY account_id
LIMIT $2
"""
PAGE: Final = f"""
SELECT tenant_id, {ENTRY_COLUMNS}, (
         SELECT coalesce(jsonb_agg(jsonb_build_array(lot_id, lots.amount_micro, lots.held_micro)
           ORDER BY lot_id), '[]')
         FROM credit_entry_lots AS lots
         WHERE entry_id = credit_ledger_entries.id)
FROM credit_ledger_entries
WHERE account_id = (SELECT id FROM credit_accounts WHERE name = $1)
  AND sequence < $2
  AND ($3::text IS NULL OR kind = $3)
ORDER BY sequence DESC
LIMIT $4
"""
# One statement, and so one moment: no movement is in one of the sums and not in the others.
SUMS: Final = """
WITH booked AS (
  SELECT book_account, sum(micro) AS micro
  FROM (
    SELECT credit_account AS book_account, amount_micro AS micro
    FROM credit_book_entries
    UNION ALL
    SELECT debit_account, -amount_micro
    FROM credit_book_entries
  ) AS sides
  GROUP BY book_account
)
SELECT accounts.tenant_id, accounts.id,
       balance_micro, coalesce(entries.amount, 0)::bigint, coalesce(lots.amount, 0)::bigint,
       coalesce(outstanding.micro, 0)::bigint,
       accounts.held_micro, coalesce(entries.held, 0)::bigint, coalesce(lots.held, 0)::bigint,
       coalesce(holds.held, 0)::bigint,
       debt_micro, coalesce(entries.debt, 0)::bigint, coalesce(-owed.micro, 0)::bigint
FROM credit_accounts AS accounts
LEFT JOIN (
  SELECT account_id, sum(amount_micro) AS amount, sum(held_micro) AS held, sum(debt_micro) AS debt
  FROM credit_ledger_entries
  GROUP BY account_id
) AS entries ON entries.account_id = accounts.id
LEFT JOIN (
  SELECT account_id, sum(left_micro) AS amount, sum(held_micro) AS held
  FROM credit_lots
  GROUP BY account_id
) AS lots ON lots.account_id = accounts.id
LEFT JOIN (
  SELECT account_id, sum(amount_micro) AS held
  FROM credit_holds
  WHERE status = 'open'
    AND NOT is_free
  GROUP BY account_id
) AS holds ON holds.account_id = accounts.id
LEFT JOIN booked AS outstanding
  ON outstanding.book_account = concat('outstanding:', accounts.id)
LEFT JOIN booked AS owed ON owed.book_account = concat('debt:', accounts.id)
ORDER BY accounts.id
"""
CHANGE_ACCOUNT: Final = """
UPDATE credit_accounts
SET balance_micro = $2, held_micro = $3, debt_micro = $4, last_entry = $5, free_month = $6,
    free_used_micro = $7, low_below_micro = $8, is_low = $9, version = $10, trail = $11,
    state_digest = $12
WHERE id = $1
"""
CHANGE_LOT: Final = "UPDATE credit_lots SET left_micro = $2, held_micro = $3 WHERE id = $1"
CHANGE_HOLD: Final = """
UPDATE credit_holds
SET status = $2, captured_micro = $3, ended_at = $4
WHERE id = $1
"""
