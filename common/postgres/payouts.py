"""Payouts, the tenant's account at the processor, and those that wait for the processor.

Whoever promises money locks the account first and then sums up what is held, as a statement of its
own: so it sees what whoever held the lock before has promised.

An account that is written stands in the directory of all tenants' accounts as this tenant's. There
a tenant sees its own rows alone: another's is found by the constraint that refuses a second one.
"""

from collections.abc import Sequence
from typing import Any, Final

from common.domain.identifiers import PayoutId, PropertyId
from common.domain.money import Currency, Money
from common.domain.payout import ALONE_WITHIN, USD, Payout, PayoutUnknown
from common.domain.payout_account import PayoutAccount, PayoutAccountUnknown
from common.ports.paging import Page
from common.ports.payouts import PayoutFilter, PendingPayout
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.payout_rows import (
    ACCOUNT_CHANGING,
    ACCOUNT_COLUMNS,
    CHANGING,
    COLUMNS,
    account_of,
    account_row,
    payout_of,
    payout_row,
)
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, held_properties


def _changes(table: str, changing: str) -> str:
    """Write the columns of a row that may change."""
    names = changing.split(", ")
    pairs = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, 2))
    return f"UPDATE {table} SET {pairs} WHERE id = $1"


ACCOUNT: Final = f"SELECT tenant_id, {ACCOUNT_COLUMNS} FROM payout_accounts WHERE tenant_id = $1"
TAKE_ACCOUNT: Final = f"{ACCOUNT} FOR NO KEY UPDATE"
HELD: Final = """
SELECT billing_central.current_tenant(),
       coalesce(sum(CASE debit_account WHEN 'card_clearing' THEN amount_micro
                    ELSE -amount_micro END), 0)::bigint
FROM ledger_entries
WHERE (debit_account = 'card_clearing' OR credit_account = 'card_clearing')
  AND property_id = $1
  AND currency = $2
"""
# What somebody has asked for of late, and nobody else has to decide on; what failed came back.
ALONE: Final = """
SELECT billing_central.current_tenant(), coalesce(sum(usd_micro), 0)::bigint
FROM payouts
WHERE requested_by = $1 AND requested_at > $2
  AND NOT needs_approval
  AND status <> 'failed'
"""
GET: Final = f"SELECT tenant_id, {COLUMNS} FROM payouts WHERE id = $1"
TAKE: Final = f"{GET} FOR NO KEY UPDATE"
PAGE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM payouts
WHERE id > $1
  AND property_id = ANY ($2::uuid[])
  AND ($3::text IS NULL OR status = $3)
ORDER BY id
LIMIT $4
"""
PENDING: Final = """
SELECT payouts.tenant_id, payouts.id, processor_account_id, amount_micro, currency
FROM payout_queue
JOIN payouts ON payouts.id = payout_id
WHERE payout_id = $1
"""
DUE: Final = """
SELECT tenant_id, payout_id
FROM payout_queue
WHERE next_attempt_at <= $1
ORDER BY next_attempt_at
LIMIT $2
"""
POSTPONE: Final = """
UPDATE payout_queue
SET attempts = attempts + 1,
    next_attempt_at = $2::timestamptz + power(2, least(attempts, 6)) * interval '1 minute'
WHERE payout_id = $1
"""
DONE: Final = "DELETE FROM payout_queue WHERE payout_id = $1"
CHANGE: Final = _changes("payouts", CHANGING)
CHANGE_ACCOUNT: Final = _changes("payout_accounts", ACCOUNT_CHANGING)
GIVE_UP: Final = """
DELETE FROM billing_central.processor_accounts
WHERE processor_account_id = $1 AND proven_at IS NULL
"""
CLAIM: Final = """
INSERT INTO billing_central.processor_accounts (processor_account_id, recorded_at)
SELECT $1, $2
WHERE NOT EXISTS (
  SELECT FROM billing_central.processor_accounts WHERE processor_account_id = $1)
"""
PROVE: Final = """
UPDATE billing_central.processor_accounts
SET proven_at = $2
WHERE processor_account_id = $1 AND proven_at IS NULL
"""
INSERT_PAYOUT = Insert.into(ranks.AGGREGATES, "payouts", COLUMNS)
INSERT_ACCOUNT = Insert.into(ranks.AGGREGATES, "payout_accounts", ACCOUNT_COLUMNS)
PUT = Insert.into(ranks.DOCUMENT_PARTS, "payout_queue", "payout_id, attempts, next_attempt_at")


class Payouts:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def find_account(self) -> PayoutAccount | None:
        return self._account(self._desk.rows(TAKE_ACCOUNT, self._desk.tenant_id))

    def get_account(self) -> PayoutAccount:
        found = self._account(self._desk.rows(ACCOUNT, self._desk.tenant_id))
        if found is None:
            raise PayoutAccountUnknown()
        return found

    def take_held(
        self, property_id: PropertyId, currency: Currency
    ) -> tuple[PayoutAccount | None, Money, Money]:
        since = self._desk.now - ALONE_WITHIN
        account, held, alone = self._desk.batch(
            Statement(TAKE_ACCOUNT, (self._desk.tenant_id,)),
            Statement(HELD, (property_id, currency)),
            Statement(ALONE, (self._desk.actor.sub, since)),
        )
        return self._account(account), Money(held[0][1], currency), Money(alone[0][1], USD)

    def take(self, payout_id: PayoutId) -> Payout:
        return self._known(self._desk.rows(TAKE, payout_id))

    def get(self, payout_id: PayoutId) -> Payout:
        return self._known(self._desk.rows(GET, payout_id))

    def find_pending(self, payout_id: PayoutId) -> PendingPayout | None:
        rows = self._desk.rows(PENDING, payout_id)
        if not rows:
            return None
        tenant_id, id, account, micro, currency = rows[0]
        return PendingPayout(
            id=PayoutId(id),
            tenant_id=tenant_id,
            processor_account_id=account,
            amount=Money(micro, Currency(currency)),
        )

    def due(self, limit: int) -> Sequence[PayoutId]:
        return [PayoutId(row[1]) for row in self._desk.rows(DUE, self._desk.now, limit)]

    def page(self, which: PayoutFilter, limit: int, cursor: str | None) -> Page[Payout]:
        held = held_properties(self._desk, which.property_id)
        rows = self._desk.rows(PAGE, key_of(cursor), held, which.status, limit + 1)
        found = tuple(payout_of(row) for row in rows[:limit])
        return Page(found, next_cursor([row[1] for row in rows], limit))

    def keep_account(self, account: PayoutAccount) -> None:
        changing, insert = ACCOUNT_CHANGING, INSERT_ACCOUNT
        row = account_row
        self._desk.keep(
            account,
            lambda: self._write(account, row(account), insert, CHANGE_ACCOUNT, changing),
        )
        id, now = account.processor_account_id, self._desk.now
        if account.replaces is not None:
            self._list("given up", Statement(GIVE_UP, (account.replaces,)))
        self._list("claimed", Statement(CLAIM, (id, now)))
        if account.is_enabled:
            self._list("proven", Statement(PROVE, (id, now)))

    def keep(self, payout: Payout) -> None:
        self._desk.keep(
            payout,
            lambda: self._write(payout, payout_row(payout), INSERT_PAYOUT, CHANGE, CHANGING),
        )
        if payout.is_pending:
            now = self._desk.now
            waiting = {"payout_id": payout.id, "attempts": 0, "next_attempt_at": now}
            self._desk.insert(PUT, [waiting])
        else:
            done = Write(ranks.DOCUMENT_PARTS, Statement(DONE, (payout.id,)))
            self._desk.write(("payout_queue", payout.id), done)

    def postpone(self, payout_id: PayoutId) -> None:
        later = Write(ranks.DOCUMENT_PARTS, Statement(POSTPONE, (payout_id, self._desk.now)))
        self._desk.write(("payout_queue", payout_id), later)

    def _list(self, what: str, statement: Statement) -> None:
        """Change the directory of accounts; in the order in which it is asked."""
        self._desk.write((what, "processor_accounts"), Write(ranks.OUTBOX, statement))

    def _account(self, rows: Sequence[Row]) -> PayoutAccount | None:
        return self._desk.loaded(account_of(rows[0])) if rows else None

    def _known(self, rows: Sequence[Row]) -> Payout:
        """The payout that was read. One of another property is as unknown as none."""
        if not rows:
            raise PayoutUnknown()
        found = payout_of(rows[0])
        if not self._desk.actor.holds(found.property_id):
            raise PayoutUnknown()
        return self._desk.loaded(found)

    def _write(
        self,
        aggregate: Payout | PayoutAccount,
        row: dict[str, Any],
        insert: Insert,
        change: str,
        changing: str,
    ) -> None:
        if aggregate.is_new:
            aggregate.is_new = False
            self._desk.insert(insert, [row])
            return
        values = (row["id"], *(row[name] for name in changing.split(", ")))
        self._desk.write(
            (aggregate.kind, aggregate.id),
            Write(ranks.AGGREGATE_CHANGES, Statement(change, values)),
        )
